// erf and saliency as their user meets them, on images and weights that the test makes itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "suite/report/csv_file.h"
#include "tests/commands/picture_command.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct InterpretationCommands : PictureCommand {};

TEST_F(InterpretationCommands, ErfRecordsEveryConvolutionWithinItsField) {
  const Result result = run({"erf", "resnet20", "--noise", "6"});
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile csv = read_csv(path("results/erf.csv"));
  EXPECT_EQ(csv.rows.size(), 19u) << "its convolutions";
  const auto fields = integers(csv, "rf");
  const auto sides = numbers(csv, "erf_side"), lows = numbers(csv, "erf_side_low"),
             highs = numbers(csv, "erf_side_high"), shares = numbers(csv, "erf_share");
  const auto clipped = texts(csv, "clipped");
  EXPECT_EQ(fields.front(), 3);
  for (size_t i = 0; i < sides.size(); ++i) {
    EXPECT_GT(sides[i], 0);
    EXPECT_LE(lows[i], sides[i]);
    EXPECT_GE(highs[i], sides[i]);
    EXPECT_LE(shares[i], 1);
    if (clipped[i] == "false") {
      EXPECT_LE(sides[i], static_cast<double>(fields[i]));
    }
  }
  EXPECT_TRUE(contains(result.err, "reach beyond the image"));
  const std::string svg = contents(path("results/figures/erf_resnet20_untrained.svg"));
  EXPECT_TRUE(contains(svg, "Effective receptive fields of resnet20, untrained"));
  EXPECT_TRUE(fs::exists(path("results/figures/effective_fields_resnet20_3x32x32.svg")));
  // Once more with another seed: the rows are replaced; photographs are other rows.
  ASSERT_EQ(run({"erf", "resnet20", "--noise", "1", "--seed", "2"}).code, 0);
  EXPECT_EQ(read_csv(path("results/erf.csv")).rows.size(), 19u);
  const Result shown =
      run({"erf", "resnet20", image("a.jpg"), "--at", "layer1", "--format", "csv"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_TRUE(contains(shown.out, "photographs")) << shown.out;
  EXPECT_EQ(read_csv(path("results/erf.csv")).rows.size(), 20u);
}

TEST_F(InterpretationCommands, ErfIsTheSameForTheSameSeed) {
  const std::vector<std::string> words = {"erf", "lenet5", "--noise", "3", "--format", "csv"};
  EXPECT_EQ(run(words).out, run(words).out);
  std::vector<std::string> other = words;
  other.insert(other.end(), {"--seed", "5"});
  EXPECT_NE(run(words).out, run(other).out);
}

TEST_F(InterpretationCommands, SaliencyRecordsEachMethodAndItsCurve) {
  const Result result = run({"saliency", "resnet20", image("a.jpg"), image("b.jpg"), "--class", "3",
                             "--class", "7", "--format", "csv"});
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile csv = read_csv(path("results/saliency.csv"));
  ASSERT_EQ(csv.rows.size(), 2u * 2 * 7);
  const auto methods = texts(csv, "method");
  EXPECT_EQ(std::set<std::string>(methods.begin(), methods.end()).size(), 7u);
  const auto areas = numbers(csv, "deletion");
  EXPECT_TRUE(std::all_of(areas.begin(), areas.end(), [](double a) { return a >= 0 && a <= 1; }));
  EXPECT_EQ(read_csv(path("results/deletion.csv")).rows.size(), 2u * 2 * 7 * 29);
  for (const char* name : {"saliency_resnet20_a_3_untrained", "saliency_resnet20_b_7_untrained",
                           "deletion_resnet20_untrained"}) {
    EXPECT_TRUE(fs::exists(path("results/figures/" + std::string(name) + ".svg"))) << name;
  }
  const CsvFile printed = [&] {
    put(path("printed.csv"), result.out);
    return read_csv(path("printed.csv"));
  }();
  EXPECT_EQ(printed.rows.size(), 7u);
  EXPECT_EQ(integers(printed, "images")[0], 2) << "two classes of an image are one sample";
}

TEST_F(InterpretationCommands, WhatCannotBeReadIsLeftOutAndTheRestKept) {
  const std::string photo = image("a.jpg");
  put(path("b.jpg"), "no image");
  const Result saliency = run({"saliency", "lenet5", photo, path("b.jpg"), "--method", "gradient"});
  EXPECT_EQ(saliency.code, 1) << saliency.err;
  EXPECT_TRUE(contains(saliency.err, "b.jpg: ")) << saliency.err;
  const CsvFile csv = read_csv(path("results/saliency.csv"));
  ASSERT_EQ(csv.rows.size(), 2u);
  EXPECT_EQ(texts(csv, "status"), (std::vector<std::string>{"ok", "failed"}));
  const Result erf = run({"erf", "lenet5", path("b.jpg"), photo, "--at", "conv1"});
  EXPECT_EQ(erf.code, 1) << erf.err;
  EXPECT_EQ(integers(read_csv(path("results/erf.csv")), "images"), std::vector<int64_t>{1});
}

TEST_F(InterpretationCommands, WhatIsThereOfOtherImagesAndNetworksStays) {
  const std::string a = image("a.jpg"), b = image("b.jpg");
  const auto look = [&](const std::string& network, const std::string& photo) {
    const Result result = run({"saliency", network, photo, "--method", "gradient,gradient,random"});
    EXPECT_EQ(result.code, 0) << result.err;
  };
  look("lenet5", a);
  look("lenet5", b);
  look("lenet5", a);
  look("resnet20", a);
  EXPECT_EQ(read_csv(path("results/saliency.csv")).rows.size(), 3u * 2);
}

TEST_F(InterpretationCommands, PhotographsOfOneNameHavePicturesOfTheirOwn) {
  fs::create_directories(path("x"));
  fs::create_directories(path("y"));
  const Result result = run({"saliency", "lenet5", image("x/a.jpg"), image("y/a.jpg"), "--class",
                             "3", "--method", "gradient"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(fs::exists(path("results/figures/saliency_lenet5_a_3_untrained.svg")));
  EXPECT_TRUE(fs::exists(path("results/figures/saliency_lenet5_a_3_untrained_2.svg")));
}

TEST_F(InterpretationCommands, ASheetOfAnotherSizeIsAnotherFile) {
  ASSERT_EQ(run({"erf", "resnet20", "--noise", "1", "--at", "conv1", "-i", "40"}).code, 0);
  EXPECT_TRUE(fs::exists(path("results/figures/erf_resnet20_3x40x40_untrained.svg")));
}

TEST_F(InterpretationCommands, SaliencyTakesTheLikeliestClassAndOneMethod) {
  const Result result = run({"saliency", "lenet5", image("a.jpg"), "--method", "grad-cam", "--at",
                             "conv1", "--format", "csv"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(read_csv(path("results/saliency.csv")).rows.size(), 1u);
}

TEST_F(InterpretationCommands, MistakesAreOneLineThatSaysWhatThereIs) {
  const std::string photo = image("a.jpg");
  expect_usage_error({"erf", "resnet20", "--at", "layer9"}, "there is no layer 'layer9'");
  expect_usage_error({"erf", "resnet20", "--at", "layer9"}, "layer3.2.conv2");
  expect_usage_error({"erf", "lenet5", "--at", "fc1"}, "'fc1' computes no feature maps");
  expect_usage_error({"erf", "lenet5", "--noise", "0"}, "--noise");
  expect_usage_error({"erf", "lenet5", "--control"}, "--control");
  expect_usage_error({"erf", "lenet5", photo, "--noise", "3"}, "--noise");
  expect_usage_error({"saliency", "resnet20"}, "name images");
  expect_usage_error({"saliency", "resnet20", photo, "--class", "10"}, "has classes 0 to 9");
  expect_usage_error({"saliency", "resnet20", photo, "--class", "shipp"}, "did you mean 'ship'");
  expect_usage_error({"saliency", "resnet20", photo, "--method", "grad"}, "there are gradient");
  expect_usage_error({"saliency", "resnet20", photo, "--at", "linear"}, "no feature maps");
  put(path("text.jpg"), "no image");
  expect_usage_error({"saliency", "resnet20", path("text.jpg")}, "text.jpg: ");
}

}  // namespace
}  // namespace convscope

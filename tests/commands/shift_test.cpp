// shift as its user meets it: the record, the figures, and what is said of bad input.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "suite/report/csv_file.h"
#include "tests/commands/picture_command.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct ShiftCommand : PictureCommand {
  Result shift(std::vector<std::string> words) const {
    words.insert(words.begin(), "shift");
    return run(words);
  }

  void expect_usage_error(std::vector<std::string> words, const std::string& said) const {
    words.insert(words.begin(), "shift");
    PictureCommand::expect_usage_error(words, said);
  }
};

TEST_F(ShiftCommand, RecordsEachLayerAndTheAnswerAtEachShift) {
  const std::string a = image("a.jpg", 40, 60), b = image("b.jpg", 32, 70);
  const Result result = shift({"resnet20", a, b, "--shifts", "0,3,4", "--format", "csv"});
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile csv = read_csv(path("results/shift.csv"));
  EXPECT_EQ(
      csv.columns,
      (std::vector<std::string>{
          "model",         "weights",        "input",     "downsampling", "layer",
          "stride",        "shift",          "images",    "distance",     "distance_low",
          "distance_high", "top1_same",      "top1_low",  "top1_high",    "probability_change",
          "status",        "inner_distance", "inner_low", "inner_high",   "same_as_built"}));
  const auto layers = texts(csv, "layer"), downsamplings = texts(csv, "downsampling"),
             same = texts(csv, "top1_same"), agree = texts(csv, "same_as_built");
  const auto shifts = integers(csv, "shift"), images = integers(csv, "images");
  const auto distances = numbers(csv, "distance"), lows = numbers(csv, "distance_low"),
             highs = numbers(csv, "distance_high"), strides = numbers(csv, "stride"),
             inner = numbers(csv, "inner_distance");
  // 19 convolutions and the answer, 3 shifts, as it is built and blurred.
  ASSERT_EQ(csv.rows.size(), 20u * 3 * 2);
  for (size_t i = 0; i < csv.rows.size(); ++i) {
    EXPECT_EQ(images[i], 2);
    if (shifts[i] == 0) {
      EXPECT_LT(distances[i], 1e-9);
    } else {
      EXPECT_GT(distances[i], 1e-9);
      EXPECT_LE(lows[i], distances[i]);
      EXPECT_GE(highs[i], distances[i]);
    }
    EXPECT_EQ(same[i].empty(), layers[i] != "answer");
    EXPECT_EQ(std::isnan(strides[i]), layers[i] == "answer");
    if (layers[i] == "answer" && downsamplings[i] == "as-built") {
      EXPECT_EQ(agree[i], "100");
    }
    if (layers[i] == "layer2.0.conv1" && downsamplings[i] == "as-built" && shifts[i] == 4) {
      EXPECT_EQ(strides[i], 2);
      EXPECT_LT(inner[i], 1e-9);
    }
  }
  EXPECT_EQ(std::set<std::string>(downsamplings.begin(), downsamplings.end()),
            (std::set<std::string>{"as-built", "blurred"}));
  EXPECT_TRUE(fs::exists(path("results/figures/shift_layers_resnet20.svg")));
  EXPECT_TRUE(fs::exists(path("results/figures/shift_answers_resnet20.svg")));
  EXPECT_TRUE(contains(contents(path("results/manifest.json")), "shift resnet20"));
  EXPECT_TRUE(contains(result.out, "resnet20,untrained,as-built,2,2,")) << result.out;
}

TEST_F(ShiftCommand, OtherNetworksInTheRecordStayAndTheSameIsReplaced) {
  const std::string photo = image("a.jpg", 32, 48);
  const auto rows = [&](const std::string& model) {
    const auto models = texts(read_csv(path("results/shift.csv")), "model");
    return std::count(models.begin(), models.end(), model);
  };
  ASSERT_EQ(shift({"lenet5", photo, "--shifts", "0-2"}).code, 0);
  const auto before = rows("lenet5");
  EXPECT_EQ(before, 5 * 4 * 3);  // 4 layers and the answer; max, average, strided, blurred
  ASSERT_EQ(shift({"lenet5_avgpool", photo, "--shifts", "1"}).code, 0);
  ASSERT_EQ(shift({"lenet5_avgpool", photo, "--shifts", "1", "--downsampling", "max,as-built",
                   "--at", "conv1"})
                .code,
            0);
  EXPECT_EQ(rows("lenet5"), before);
  EXPECT_EQ(rows("lenet5_avgpool"), 2 * 2);
  const Result report = convscope_with({"report", path("results"), "--image-format", "svg"});
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_TRUE(contains(contents(path("results/report.html")), "Shift equivariance of lenet5"));
}

TEST_F(ShiftCommand, OneImageHasNoInterval) {
  ASSERT_EQ(shift({"lenet5", image("a.jpg", 32, 48), "--shifts", "1"}).code, 0);
  const CsvFile csv = read_csv(path("results/shift.csv"));
  for (const char* column : {"distance_low", "distance_high", "top1_low", "top1_high"}) {
    for (const std::string& text : texts(csv, column)) EXPECT_EQ(text, "");
  }
}

TEST_F(ShiftCommand, AnImageThatCannotBeReadIsLeftOutAndSaid) {
  put(path("broken.jpg"), "no image");
  const Result some =
      shift({"lenet5", image("a.jpg", 32, 40), path("broken.jpg"), "--shifts", "1,8"});
  EXPECT_EQ(some.code, 1);
  EXPECT_TRUE(contains(some.err, "1 of 2 images left out")) << some.err;
  EXPECT_TRUE(contains(some.err, "broken.jpg")) << some.err;
  EXPECT_TRUE(contains(some.err, "1 of 1 images end less than 8 pixels beside")) << some.err;
  EXPECT_EQ(integers(read_csv(path("results/shift.csv")), "images").at(0), 1);
  expect_usage_error({"lenet5", path("broken.jpg")}, "broken.jpg");
}

TEST_F(ShiftCommand, MistakesAreOneLine) {
  const std::string photo = image("a.jpg", 32, 40);
  expect_usage_error({"lenet5"}, "name images");
  expect_usage_error({"lenet5", photo, "--shifts", "0-32"}, "expected at most 31");
  expect_usage_error({"lenet5", photo, "--shifts", "-1"}, "no whole number of at least 0");
  expect_usage_error({"lenet5", photo, "--shifts", "0-8*2"}, "'0-8*2' is no whole number");
  expect_usage_error({"lenet5", photo, "--downsampling", "max"}, "lenet5 is the same with 'max'");
  expect_usage_error({"lenet5", photo, "--downsampling", "blured"}, "did you mean 'blurred'");
  expect_usage_error({"lenet5", photo, "--at", "fc1"},
                     "these do: conv1, conv1+max_pool2d, conv2, conv2+max_pool2d");
  expect_usage_error({"lenet5", photo, "--at", "conv3"}, "there is no layer 'conv3'");
  EXPECT_FALSE(fs::exists(path("results/shift.csv")));
}

}  // namespace
}  // namespace convscope

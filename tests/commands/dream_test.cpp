// dream as its user meets it.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "architectures/catalogue.h"
#include "architectures/network.h"
#include "suite/inference/state_dict.h"
#include "suite/weights/weights_file.h"
#include "tests/commands/convscope_with.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

class DreamCommand : public testing::Test {
 protected:
  Result with(std::vector<std::string> more) const {
    std::vector<std::string> all = {"dream",     "lenet5",         "--untrained", "--steps",
                                    "3",         "--threads",      "1",           "--results",
                                    folder.path, "--image-format", "svg"};
    all.insert(all.end(), more.begin(), more.end());
    return convscope_with(all);
  }
  void expect_usage_error(const std::vector<std::string>& arguments,
                          const std::string& words) const {
    const Result result = with(arguments);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_TRUE(contains(result.err, words)) << result.err;
  }
  std::string figure(const std::string& name) const {
    return contents(folder.path / "figures" / (name + ".svg"));
  }

  TemporaryFolder folder;
};

TEST_F(DreamCommand, UnitsOfALayerAreASheetAndATable) {
  const Result result = with({"--at", "conv2", "--unit", "0,3-4", "--format", "json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto rows = nlohmann::json::parse(result.out);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["unit"], 0);
  EXPECT_EQ(rows[2]["unit"], 4);
  EXPECT_EQ(rows[1]["layer"], "conv2");
  EXPECT_EQ(rows[1]["weights"], "untrained");
  EXPECT_TRUE(rows[1]["class"].is_null());
  for (const auto& row : rows) EXPECT_GT(row["end"], row["start"]);
  const std::string svg = figure("dream_lenet5_conv2_untrained");
  EXPECT_TRUE(contains(svg, "What excites conv2 of lenet5, untrained"));
  EXPECT_TRUE(
      contains(svg, "whole maps, frequency domain, 3 steps, jitter 2, total variation 0.05"));
}

TEST_F(DreamCommand, WithoutALayerItIsTheClassesAllTenByName) {
  torch::manual_seed(1);
  const Architecture& architecture = find_architecture("lenet5");
  const auto network = architecture.build(architecture.settings);
  std::vector<StoredTensor> tensors;
  for (const StateTensor& own : state_dict(*network)) {
    tensors.push_back({own.name, ScalarType::float32, own.tensor.sizes().vec(),
                       own.tensor.strides().vec(),
                       static_cast<const std::byte*>(own.tensor.data_ptr())});
  }
  const std::string file = folder.path / "weights.pth";
  write_torch_zip(file, tensors);
  const Result result =
      convscope_with({"dream", "lenet5", "--weights", file, "--steps", "2", "--threads", "1",
                      "--results", folder.path, "--image-format", "svg", "--format", "json",
                      "--total-variation", "0", "--domain", "pixels"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto rows = nlohmann::json::parse(result.out);
  ASSERT_EQ(rows.size(), 10u);
  EXPECT_EQ(rows[9]["class"], "truck");
  EXPECT_EQ(rows[9]["weights"], "weights.pth");
  const std::string svg = figure("dream_lenet5_logits");
  EXPECT_TRUE(contains(svg, "What excites the logits of lenet5<"));
  EXPECT_TRUE(contains(svg, ">truck</text>"));
  EXPECT_TRUE(contains(svg, ">pixel domain, 2 steps, jitter 2<"));
}

TEST_F(DreamCommand, AnUntrainedHeadHasNoNames) {
  const Result result = with({"--unit", "9", "--format", "json"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(nlohmann::json::parse(result.out)[0]["class"].is_null());
  EXPECT_TRUE(contains(figure("dream_lenet5_logits_untrained"), ">9</text>"));
}

TEST_F(DreamCommand, TheSameCommandGivesTheSameFigure) {
  const std::vector<std::string> words = {"--at", "conv1", "--unit", "1"};
  ASSERT_EQ(with(words).code, 0);
  const std::string once = figure("dream_lenet5_conv1_untrained");
  ASSERT_EQ(with(words).code, 0);
  EXPECT_EQ(figure("dream_lenet5_conv1_untrained"), once);
}

TEST_F(DreamCommand, WrongInputsAreOneClearLine) {
  expect_usage_error({"--at", "conv1", "--unit", "2,6"}, "--unit 6: conv1 has units 0 to 5");
  expect_usage_error({"--at", "conv9"}, "there is no layer 'conv9'; did you mean 'conv");
  expect_usage_error({"--unit", "4-2"}, "--unit '4-2' is no whole number of at least 0");
  expect_usage_error({"--unit", "-1"}, "--unit");
  expect_usage_error({"--domain", "fourier"}, "--domain 'fourier' is neither frequency nor pixels");
  expect_usage_error({"--objective", "center"}, "did you mean 'centre'");
  expect_usage_error({"--jitter", "33"}, "--jitter 33 is more than the 32 pixels");
  expect_usage_error({"--rate", "0"}, "--rate 0 changes nothing");
  expect_usage_error({"--decay", "-1"}, "--decay '-1' is no number from 0 to 1000");
  expect_usage_error({"--steps", "0"}, "--steps");
  expect_usage_error({"--input", "2x32x32"}, "a picture has 1 or 3 channels, and lenet5 takes 2");
}

}  // namespace
}  // namespace convscope

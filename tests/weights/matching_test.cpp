// Which tensor of a file is which of a network: every way in which real files differ.
#include "suite/weights/matching.h"

#include <gtest/gtest.h>

namespace convscope {
namespace {

NetworkTensor own(const std::string& name, std::vector<int64_t> shape, int class_axis = -1) {
  return {name, std::move(shape), false, class_axis};
}

StoredTensor stored(const std::string& name, std::vector<int64_t> shape) {
  return {name, ScalarType::float32, std::move(shape), {}, nullptr};
}

/// A convolution, a normalisation with its counter, and a head for ten classes.
std::vector<NetworkTensor> small_network() {
  return {own("conv1.weight", {8, 3, 3, 3}),
          own("bn1.weight", {8}),
          own("bn1.bias", {8}),
          {"bn1.num_batches_tracked", {}, true, -1},
          own("fc.weight", {10, 8}, 0),
          own("fc.bias", {10}, 0)};
}

std::vector<StoredTensor> small_file(const std::string& prefix = "", int64_t classes = 10) {
  return {stored(prefix + "conv1.weight", {8, 3, 3, 3}), stored(prefix + "bn1.weight", {8}),
          stored(prefix + "bn1.bias", {8}), stored(prefix + "fc.weight", {classes, 8}),
          stored(prefix + "fc.bias", {classes})};
}

TEST(Matching, ACounterThatOldFilesLackIsNotMissing) {
  const Match found = match(small_network(), small_file());
  EXPECT_TRUE(found.complete());
  EXPECT_EQ(found.pairs.size(), 5u);
  EXPECT_TRUE(found.unexpected.empty());
}

TEST(Matching, ThePrefixesOfWrappersAreLeftOut) {
  for (const char* prefix : {"module.", "model.", "net.module.", "_orig_mod."}) {
    const Match found = match(small_network(), small_file(prefix));
    EXPECT_TRUE(found.complete()) << prefix;
    EXPECT_EQ(found.prefix, prefix);
  }
}

TEST(Matching, APrefixMayBeLongerThanTheNamesOfTheNetwork) {
  const std::string prefix = std::string(1000, 'x') + ".";
  const Match found = match(small_network(), small_file(prefix));
  EXPECT_TRUE(found.complete());
  EXPECT_EQ(found.prefix, prefix);
}

TEST(Matching, ANameOfAMillionPartsTakesNoLongerThanOthers) {
  auto file = small_file();
  file.push_back(stored(std::string(1'000'000, '.'), {1}));
  const Match found = match(small_network(), file);
  EXPECT_TRUE(found.complete());
  EXPECT_EQ(found.unexpected, std::vector<size_t>{5});
}

TEST(Matching, ADotBeforeALayersNumberIsOldPyTorchs) {
  for (const char* prefix : {"", "module."}) {
    auto file = small_file(prefix);
    for (const size_t place : {1u, 2u})
      file[place].name.replace(file[place].name.find("bn1"), 3, "bn.1");
    const Match found = match(small_network(), file);
    EXPECT_TRUE(found.complete()) << prefix;
    EXPECT_FALSE(found.by_order);
    EXPECT_TRUE(found.unexpected.empty());
  }
}

TEST(Matching, TensorsOutsideThePrefixAreUnexpected) {
  auto file = small_file("backbone.");
  file.push_back(stored("projector.weight", {4, 4}));
  const Match found = match(small_network(), file);
  EXPECT_TRUE(found.complete());
  EXPECT_EQ(found.unexpected, std::vector<size_t>{5});
}

TEST(Matching, AnotherNumberOfClassesIsSeenAsThat) {
  const auto file = small_file("", 7);
  const Match found = match(small_network(), file);
  EXPECT_FALSE(found.complete());
  EXPECT_EQ(found.misshapen.size(), 2u);
  EXPECT_EQ(classes_in_file(small_network(), file, found), 7);
}

TEST(Matching, AnotherShapeElsewhereIsNoOtherNumberOfClasses) {
  auto file = small_file("", 7);
  file[0].shape = {16, 3, 3, 3};
  EXPECT_EQ(classes_in_file(small_network(), file, match(small_network(), file)), std::nullopt);
  file = small_file("", 7);
  file[4].shape = {6};
  EXPECT_EQ(classes_in_file(small_network(), file, match(small_network(), file)), std::nullopt);
}

TEST(Matching, OtherNamesInTheSameOrderAreMatchedByShape) {
  const std::vector<StoredTensor> file = {
      stored("a.weight", {8, 3, 3, 3}),    stored("b.weight", {8}),     stored("b.bias", {8}),
      stored("b.num_batches_tracked", {}), stored("z.weight", {10, 8}), stored("z.bias", {10})};
  const Match found = match(small_network(), file);
  EXPECT_TRUE(found.by_order);
  EXPECT_TRUE(found.complete());
  ASSERT_EQ(found.pairs.size(), 5u);
  EXPECT_EQ(found.pairs[3].network, 4u);
  EXPECT_EQ(found.pairs[3].stored, 4u);
}

TEST(Matching, ByOrderOnlyIfItExplainsTheWholeFile) {
  const std::vector<StoredTensor> file = {
      stored("a.weight", {8, 3, 3, 3}), stored("b.weight", {8}), stored("b.bias", {8}),
      stored("z.weight", {10, 8}),      stored("z.bias", {10}),  stored("extra.weight", {5, 5})};
  const Match found = match(small_network(), file);
  EXPECT_FALSE(found.by_order);
  EXPECT_EQ(found.missing.size(), 5u);
  EXPECT_EQ(found.likely.size(), 5u);
}

TEST(Matching, ARenamedLayerIsSuggestedAndNotTaken) {
  auto file = small_file();
  file[3].name = "classifier.weight";
  file[4].name = "classifier.bias";
  const Match found = match(small_network(), file);
  EXPECT_FALSE(found.complete());
  ASSERT_EQ(found.likely.size(), 2u);
  EXPECT_EQ(found.likely[0].network, 4u);
  EXPECT_EQ(found.likely[0].stored, 3u);
}

TEST(Matching, AWeightIsNeverTakenForABiasOfItsShape) {
  auto network = small_network();
  auto file = small_file();
  file[1].name = "norm.bias";
  file[2].name = "norm.weight";
  const Match found = match(network, file);
  for (const Match::Pair& pair : found.likely) {
    const std::string& name = network[pair.network].name;
    EXPECT_EQ(name.substr(name.rfind('.')), file[pair.stored].name.substr(4)) << name;
  }
}

TEST(Matching, OfTwoTensorsForOnePlaceTheSecondIsUnexpected) {
  auto file = small_file();
  file.push_back(stored("fc.bias", {10}));
  const Match found = match(small_network(), file);
  EXPECT_TRUE(found.complete());
  EXPECT_EQ(found.unexpected, std::vector<size_t>{5});
}

TEST(Matching, AnEmptyFileLacksEverything) {
  const Match found = match(small_network(), {});
  EXPECT_EQ(found.missing.size(), 5u);
  EXPECT_FALSE(found.complete());
}

}  // namespace
}  // namespace convscope

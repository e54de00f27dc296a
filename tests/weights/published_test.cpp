#include "suite/weights/published.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "suite/weights/sha256.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

TEST(Published, NameOfANetworkAloneMeansItsFirstWeights) {
  EXPECT_EQ(find_published("resnet50").file, "resnet50-0676ba61.pth");
  EXPECT_EQ(find_published("resnet50-v1").file, "resnet50-0676ba61.pth");
  EXPECT_EQ(find_published("resnet50-v2").file, "resnet50-11ad3fa6.pth");
  EXPECT_EQ(find_published("resnet50-v2").architecture, "resnet50");
}

TEST(Published, MistypedNameSuggestsTheNearest) {
  EXPECT_EQ(message_of<std::invalid_argument>([] { find_published("resnet51"); }),
            "no published weights are known under the name 'resnet51'; did you mean 'resnet50'?");
  EXPECT_EQ(message_of<std::invalid_argument>([] { find_published("vgg16-v2"); }),
            "no published weights are known under the name 'vgg16-v2'; did you mean 'vgg16'?");
}

TEST(Published, AccuracyIsOfTheFirstWeightsAtTheirSizeElseOfThePaper) {
  const Architecture resnet18 = {"resnet18", 2015, "paper", "variant", imagenet, nullptr};
  EXPECT_EQ(published_accuracy(resnet18, imagenet).top1, 69.758);
  EXPECT_EQ(published_accuracy(resnet18, imagenet).dataset, "ImageNet-1K");
  const Architecture paper_alone = {
      "mine", 2015, "paper", "", imagenet, nullptr, {"ImageNet-1K", 70.6, "table 1"}};
  EXPECT_EQ(published_accuracy(paper_alone, imagenet).source, "table 1");
  const Architecture b2 = {"efficientnet_b2",
                           2019,
                           "paper",
                           "",
                           {{3, 260, 260}, 1000, 0},
                           nullptr,
                           {"ImageNet-1K", 80.1, "table 2"}};
  EXPECT_EQ(published_accuracy(b2, b2.settings).top1, 80.1);
  EXPECT_EQ(published_accuracy(b2, {{3, 288, 288}, 1000, 0}).top1, 80.608);
}

TEST(Published, AccuracyIsNotOfAnotherNetworkThanWasPublished) {
  const Architecture resnet18 = {
      "resnet18", 2015, "paper", "variant", imagenet, nullptr, {"ImageNet-1K", 70.6, "table 1"}};
  for (const Settings& other : {Settings{{3, 192, 192}, 1000, 0}, Settings{{3, 224, 192}, 1000, 0},
                                Settings{{1, 224, 224}, 1000, 0}, Settings{{3, 224, 224}, 10, 0},
                                Settings{{3, 224, 224}, 1000, 0.5}}) {
    EXPECT_EQ(published_accuracy(resnet18, other).top1, 0);
  }
}

TEST(Published, FileIsKnownByItsNameOrItsHash) {
  EXPECT_EQ(published_for_file("resnet18-f37072fd.pth")->name, "resnet18");
  EXPECT_EQ(published_for_file("some/folder/resnet18-f37072fd.pth")->name, "resnet18");
  EXPECT_EQ(published_for_file("resnet18.pth"), nullptr);
  EXPECT_EQ(
      published_for_hash("12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8")->name,
      "resnet20");
  EXPECT_EQ(published_for_hash("12fca8"), nullptr);
  EXPECT_EQ(published_for_hash(""), nullptr);
}

TEST(Published, RowsAreDistinctAndWhole) {
  std::set<std::string> names, files, digits;
  for (const PublishedWeights& row : published_weights()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(files.insert(row.file).second) << row.file;
    EXPECT_TRUE(digits.insert(row.sha256_prefix).second) << row.file;
    EXPECT_TRUE(std::regex_match(row.sha256_prefix, std::regex("[0-9a-f]{8}([0-9a-f]{2})?")))
        << row.file;
    EXPECT_EQ(row.url.substr(row.url.rfind('/') + 1), row.file);
    EXPECT_EQ(row.preprocessing.mean.size(), 3u) << row.name;
    EXPECT_EQ(row.preprocessing.deviation.size(), 3u) << row.name;
  }
}

TEST(Published, FilesThatAreHereHaveTheDigitsOfTheirNames) {
  int found = 0;
  for (const PublishedWeights& row : published_weights()) {
    const auto path = std::filesystem::path(CONVSCOPE_SHARED) / "data/weights" / row.file;
    if (!std::filesystem::exists(path)) continue;
    ++found;
    EXPECT_EQ(published_for_hash(sha256_of(path)), &row) << path;
  }
  if (found == 0) GTEST_SKIP() << "no published weights in " << CONVSCOPE_SHARED;
}

// FIPS 180-4's examples, as NIST publishes them, and the length at which our reading starts anew.
TEST(Sha256, MatchesPublishedExamples) {
  const TemporaryFolder folder;
  const auto hash = [&](const std::string& bytes) {
    put(folder.path / "file", bytes);
    return sha256_of(folder.path / "file");
  };
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(hash(std::string((1 << 20) + 1, '\0')),
            "2cb74edba754a81d121c9db6833704a8e7d417e5b13d1a19f4a52f007d644264");
}

TEST(Sha256, UnreadableFileSaysWhichAndWhy) {
  const TemporaryFolder folder;
  EXPECT_EQ(message_of<std::invalid_argument>([&] { sha256_of(folder.path / "none"); }),
            "cannot read " + (folder.path / "none").string() + ": No such file or directory");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { sha256_of(folder.path); }),
            "cannot read " + folder.path.string() + ": Is a directory");
}

}  // namespace
}  // namespace convscope

#include "suite/data/cifar.h"

#include <gtest/gtest.h>

#include "suite/data/datasets.h"
#include "suite/data/known_classes.h"
#include "tests/data/made_files.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct CifarTest : testing::Test {
  TemporaryFolder folder;
  DatasetOptions options;

  void SetUp() override { options.path = folder.path; }
  std::string said() const {
    return message_of<std::invalid_argument>([&] { open_dataset(options); });
  }
};

TEST_F(CifarTest, BatchesFollowEachOther) {
  put(folder.path / "data_batch_1.bin",
      cifar_record("\3", '\1', '\2', '\3') + cifar_record("\7", '\4', '\5', '\6'));
  put(folder.path / "data_batch_2.bin", cifar_record("\x09", '\7', '\x8', '\x9'));
  put(folder.path / "test_batch.bin", cifar_record("\1", 'a', 'b', 'c'));
  EXPECT_EQ(dataset_splits(options), (std::vector<std::string>{"train", "test"}));
  options.split = "train";
  const auto dataset = open_dataset(options);
  ASSERT_EQ(dataset->size(), 3u);
  EXPECT_EQ(dataset->label(0), 3);
  EXPECT_EQ(dataset->label(1), 7);
  EXPECT_EQ(dataset->label(2), 9);
  EXPECT_EQ(dataset->name(2), (folder.path / "data_batch_2.bin").string() + ": image 0");
  EXPECT_EQ(dataset->classes()[3], "cat");
  const Image image = dataset->image(1);
  ASSERT_EQ(image.pixels.size(), 3072u);
  for (size_t i = 0; i < 3072; ++i) ASSERT_EQ(image.pixels[i], 4 + i % 3) << i;
}

TEST_F(CifarTest, ClassesAreCalledAsThoseOfNetworksFor32Pixels) {
  put(folder.path / "a.bin", cifar_record("\3", 'a', 'b', 'c'));
  options.path /= "a.bin";
  EXPECT_EQ(open_dataset(options)->classes(), known_classes(10, 3, 32).names);
  EXPECT_EQ(known_classes(10, 3, 32).names, cifar10_classes());
}

TEST_F(CifarTest, ColourBecomesGreyAsPillowHasIt) {
  put(folder.path / "a.bin", cifar_record(std::string(1, '\0'), '\x10', '\x80', '\xf0'));
  options.path /= "a.bin";
  options.channels = 1;
  // Image.new("RGB", (1, 1), (16, 128, 240)).convert("L")
  EXPECT_EQ(open_dataset(options)->image(0).pixels, std::vector<uint8_t>(1024, 107));
}

TEST_F(CifarTest, FineLabelOfCifar100Counts) {
  put(folder.path / "train.bin", cifar_record("\x13\x31", 'a', 'b', 'c'));
  put(folder.path / "test.bin", cifar_record("\x05\x02", 'a', 'b', 'c'));
  options.split = "train";
  EXPECT_EQ(open_dataset(options)->label(0), 0x31);
  EXPECT_EQ(open_dataset(options)->classes().size(), 100u);
  std::string names;
  for (int i = 0; i < 100; ++i) names += "class " + std::to_string(i) + "\n";
  put(folder.path / "fine_label_names.txt", names);
  EXPECT_EQ(open_dataset(options)->classes()[0x31], "class 49");
  EXPECT_EQ(open_dataset(options)->image(0).pixels[2], 'c');
}

TEST_F(CifarTest, FolderOfTheArchiveIsFound) {
  fs::create_directory(folder.path / "cifar-10-batches-bin");
  put(folder.path / "cifar-10-batches-bin" / "test_batch.bin", cifar_record("\1", 'a', 'b', 'c'));
  EXPECT_EQ(open_dataset(options)->size(), 1u);
}

TEST_F(CifarTest, BytesLeftOverMeanATruncatedFile) {
  const std::string record = cifar_record("\1", 'a', 'b', 'c');
  put(folder.path / "data_batch_1.bin", record + record.substr(0, 100));
  options.path /= "data_batch_1.bin";
  EXPECT_EQ(said(), options.path.string() +
                        ": expected records of 3073 bytes, as CIFAR-10 has them, found 1 of them "
                        "and 100 bytes left over: the file is truncated or of another kind; "
                        "download it again");
  put(options.path, "");
  EXPECT_NE(said().find("found 0 of them and 0 bytes left over"), std::string::npos);
}

TEST_F(CifarTest, LabelWithoutAClassNamesTheRecord) {
  put(folder.path / "data_batch_1.bin",
      cifar_record("\1", 'a', 'b', 'c') + cifar_record("\x0a", 'a', 'b', 'c'));
  EXPECT_EQ(said(), (folder.path / "data_batch_1.bin").string() +
                        ": image 1: expected a label from 0 to 9, found 10; the file is damaged "
                        "or of another kind");
}

TEST_F(CifarTest, FilesForPythonAreRecognised) {
  put(folder.path / "data_batch_1", "pickle");
  EXPECT_NE(said().find("these are CIFAR's files for Python, download the binary version"),
            std::string::npos);
}

TEST(RealCifar, First4000Records) {
  DatasetOptions options;
  options.path = fs::path(CONVSCOPE_SHARED) / "data/datasets/cifar10/data_batch_1.first4000.bin";
  if (!fs::exists(options.path)) GTEST_SKIP() << "no " << options.path;
  const auto dataset = open_dataset(options);
  ASSERT_EQ(dataset->size(), 4000u);
  EXPECT_EQ(dataset->classes()[6], "frog");
  // The first image of the training set is a frog, as every tutorial shows.
  EXPECT_EQ(dataset->label(0), 6);
  const std::vector<uint8_t> pixels = dataset->image(0).pixels;
  EXPECT_EQ(std::vector<uint8_t>(pixels.begin(), pixels.begin() + 3),
            (std::vector<uint8_t>{59, 62, 63}));
}

}  // namespace
}  // namespace convscope

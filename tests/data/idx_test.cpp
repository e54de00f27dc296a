#include "suite/data/idx.h"

#include <gtest/gtest.h>

#include "suite/data/datasets.h"
#include "tests/data/made_files.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

NamedBytes named(const std::string& name, const std::string& bytes) {
  return {name, {bytes.begin(), bytes.end()}};
}

std::unique_ptr<Dataset> idx(const std::string& images, const std::string& labels,
                             int64_t channels = 1) {
  return idx_dataset(named("images", images), named("labels", labels), {}, channels);
}

std::string said(const std::string& images, const std::string& labels) {
  return message_of<std::invalid_argument>([&] { idx(images, labels); });
}

const std::string labels_3("\x00\x07\x09", 3);

TEST(Idx, ReadsImagesAndLabels) {
  const auto dataset = idx(idx_images(3, 2, 5), idx_labels(labels_3));
  ASSERT_EQ(dataset->size(), 3u);
  const Image image = dataset->image(2);
  EXPECT_EQ(image.full.height, 2);
  EXPECT_EQ(image.full.width, 5);
  EXPECT_EQ(image.part.height, 2);
  EXPECT_EQ(image.channels, 1);
  EXPECT_EQ(image.pixels, std::vector<uint8_t>(10, 2));
  EXPECT_EQ(dataset->label(1), 7);
  EXPECT_EQ(dataset->name(1), "images: image 1");
  EXPECT_EQ(dataset->classes().size(), 10u);
  EXPECT_EQ(dataset->classes()[9], "9");
}

TEST(Idx, GzipGivesTheSame) {
  const auto dataset = idx(gzipped(idx_images(3, 28, 28)), gzipped(idx_labels(labels_3)), 3);
  EXPECT_EQ(dataset->image(1).pixels, std::vector<uint8_t>(3 * 28 * 28, 1));
  EXPECT_EQ(dataset->label(2), 9);
}

TEST(Idx, EveryPlaceToCutAFileIsAnError) {
  const std::string images = idx_images(3, 2, 5), labels = idx_labels(labels_3);
  for (size_t size = 0; size < images.size(); ++size) {
    EXPECT_THROW(idx(images.substr(0, size), labels), std::invalid_argument) << size;
  }
  for (size_t size = 0; size < labels.size(); ++size) {
    EXPECT_THROW(idx(images, labels.substr(0, size)), std::invalid_argument) << size;
  }
  const std::string compressed = gzipped(images);
  for (size_t size = 0; size < compressed.size(); ++size) {
    EXPECT_THROW(idx(compressed.substr(0, size), labels), std::invalid_argument) << size;
  }
  EXPECT_EQ(said(images.substr(0, 20), labels),
            "images: expected 30 bytes for 3 images, found 4: the file is truncated; download it "
            "again");
}

TEST(Idx, DamagedGzipIsAnError) {
  std::string images = gzipped(idx_images(3, 2, 5));
  images[images.size() - 6] ^= 1;  // its checksum
  EXPECT_EQ(said(images, idx_labels(labels_3)),
            "images is damaged: gzip finds 'incorrect data check' after 46 bytes of content; "
            "download it again");
}

TEST(Idx, MoreBytesThanTheHeaderSaysAreAnError) {
  EXPECT_EQ(said(idx_images(3, 2, 5) + "x", idx_labels(labels_3)),
            "images: expected 30 bytes for 3 images, found 31: the file is damaged, or its header "
            "is");
  EXPECT_EQ(said(gzipped(idx_images(3, 2, 5) + "xyz"), idx_labels(labels_3)),
            "images: expected 30 bytes for 3 images, found more: the file is damaged, or its "
            "header is");
}

TEST(Idx, HeaderThatPromisesTooMuchTakesNoMemory) {
  const std::string header =
      big_endian(0x803) + big_endian(4000000000) + big_endian(65535) + big_endian(65535);
  EXPECT_NE(said(header, idx_labels(labels_3)).find("truncated"), std::string::npos);
  EXPECT_NE(said(gzipped(header), idx_labels(labels_3)).find("found 0: the file is truncated"),
            std::string::npos);
}

TEST(Idx, AnotherFileIsNamedForWhatItIs) {
  EXPECT_EQ(said(idx_labels(labels_3), idx_labels(labels_3)),
            "images: expected an idx file of images, which begins with 0x00000803, found "
            "0x00000801: these are labels, perhaps the two files were exchanged");
  EXPECT_EQ(said("<html>404", idx_labels(labels_3)),
            "images: expected an idx file of images, which begins with 0x00000803, found "
            "0x3c68746d; is it another kind of file?");
}

TEST(Idx, CountsThatDifferAreAnError) {
  EXPECT_EQ(said(idx_images(2, 2, 2), idx_labels(labels_3)),
            "images has 2 images, but labels has 3 labels: they are not of the same set");
  EXPECT_EQ(said(idx_images(0, 2, 2), idx_labels("")),
            "images: expected images, found a file of none");
}

TEST(Idx, LabelWithoutAClassNamesTheImage) {
  EXPECT_EQ(message_of<std::invalid_argument>([] {
              idx_dataset(named("images", idx_images(3, 2, 2)),
                          named("labels", idx_labels(labels_3)), {"a", "b", "c"}, 1);
            }),
            "labels: expected labels from 0 to 2, found 7 for image 1; if there are more classes, "
            "give a list of their names");
}

TEST(Idx, LargerSetsHaveAsManyClassesAsTheirLabelsNeed) {
  EXPECT_EQ(idx(idx_images(1, 2, 2), idx_labels("\x1a"))->classes().size(), 27u);
}

struct IdxFolder : testing::Test {
  TemporaryFolder folder;
  DatasetOptions options;

  void SetUp() override { options.path = folder.path; }
  void put_pair(const std::string& images, const std::string& labels, uint32_t count) {
    put(folder.path / images, idx_images(count, 4, 4));
    put(folder.path / labels, gzipped(idx_labels(std::string(count, '\3'))));
  }
};

TEST_F(IdxFolder, SplitsAreFoundByTheNamesOfTheFiles) {
  put_pair("train-images-idx3-ubyte", "train-labels.idx1-ubyte.gz", 20);
  put_pair("t10k-images.idx3-ubyte", "t10k-labels-idx1-ubyte.gz", 4);
  EXPECT_EQ(dataset_splits(options), (std::vector<std::string>{"train", "test"}));
  EXPECT_EQ(open_dataset(options)->size(), 4u);
  options.split = "train";
  EXPECT_EQ(open_dataset(options)->size(), 20u);
  options.held_out = 0.25;
  EXPECT_EQ(open_dataset(options)->size(), 15u);
  options.split = "val";
  EXPECT_EQ(open_dataset(options)->size(), 5u);
}

TEST_F(IdxFolder, OneFileOfImagesIsEnough) {
  put_pair("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte", 5);
  put_pair("emnist-digits-train-images-idx3-ubyte", "emnist-digits-train-labels-idx1-ubyte", 6);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { open_dataset(options); }),
            folder.path.string() +
                ": expected one set of idx files, found emnist-digits-train-images-idx3-ubyte and "
                "emnist-letters-train-images-idx3-ubyte; give the path of one of them");
  options.path /= "emnist-digits-train-images-idx3-ubyte";
  EXPECT_EQ(open_dataset(options)->size(), 6u);
  fs::remove(folder.path / "emnist-digits-train-labels-idx1-ubyte");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { open_dataset(options); }),
            folder.path.string() +
                ": expected emnist-digits-train-labels-idx1-ubyte or the same with .gz beside the "
                "images, found neither");
}

TEST_F(IdxFolder, TwiceTheSameIsReadOnce) {
  put_pair("train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", 5);
  put(folder.path / "train-images-idx3-ubyte.gz", gzipped(idx_images(5, 4, 4)));
  options.split = "train";
  options.held_out = 0;
  EXPECT_EQ(open_dataset(options)->size(), 5u);
}

TEST(RealIdx, MnistHasItsPublishedCounts) {
  DatasetOptions options;
  options.path = fs::path(CONVSCOPE_SHARED) / "data/datasets/mnist";
  if (!fs::exists(options.path)) GTEST_SKIP() << "no " << options.path;
  // Counted by NumPy in the same files.
  const std::vector<std::pair<std::string, std::vector<int>>> histograms = {
      {"train", {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}},
      {"test", {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}}};
  for (const auto& [split, expected] : histograms) {
    options.split = split;
    const auto dataset = open_dataset(options);
    std::vector<int> counts(10);
    for (size_t i = 0; i < dataset->size(); ++i) ++counts[static_cast<size_t>(dataset->label(i))];
    EXPECT_EQ(counts, expected) << split;
    EXPECT_EQ(dataset->image(0).full.height, 28);
  }
}

}  // namespace
}  // namespace convscope

#include "suite/data/folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>

#include "suite/data/bytes.h"
#include "tests/data/made_files.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

struct FolderTest : testing::Test {
  TemporaryFolder folder;
  DatasetOptions options;

  void SetUp() override { options.path = folder.path; }

  void put_image(const fs::path& file, uint8_t value = 0) {
    fs::create_directories((folder.path / file).parent_path());
    put(folder.path / file, grey_png(4, 6, value));
  }
  std::string path(const std::string& file) const { return (folder.path / file).string(); }
  std::unique_ptr<Dataset> open(const std::string& split = "") {
    options.split = split;
    return open_dataset(options);
  }
  std::string said(const std::string& split = "") {
    return message_of<std::invalid_argument>([&] { open(split); });
  }
};

Names names_of(const Dataset& dataset) {
  Names names;
  for (size_t i = 0; i < dataset.size(); ++i) names.push_back(dataset.name(i));
  return names;
}

TEST_F(FolderTest, ClassesAndFilesAreSortedByTheirBytes) {
  for (const char* file : {"b/2.JPG", "b/10.png", "Z/x.jpeg", "é/ü.Png", "a/deep/er/1.jpg"}) {
    put_image(file);
  }
  const auto dataset = open();
  EXPECT_EQ(dataset->classes(), (Names{"Z", "a", "b", "é"}));
  EXPECT_EQ(names_of(*dataset), (Names{path("Z/x.jpeg"), path("a/deep/er/1.jpg"), path("b/10.png"),
                                       path("b/2.JPG"), path("é/ü.Png")}));
  EXPECT_EQ(dataset->label(0), 0);
  EXPECT_EQ(dataset->label(4), 3);
}

TEST_F(FolderTest, ImageIsDecodedByWhatIsInTheFile) {
  put_image("a/called.jpg", 77);
  put_image("b/x.png");
  const Image image = open()->image(0);
  EXPECT_EQ(image.full.height, 4);
  EXPECT_EQ(image.full.width, 6);
  EXPECT_EQ(image.pixels, std::vector<uint8_t>(4 * 6 * 3, 77));
  options.channels = 1;
  EXPECT_EQ(open()->image(0).pixels, std::vector<uint8_t>(4 * 6, 77));
}

TEST_F(FolderTest, BrokenImageNamesTheFile) {
  put_image("a/x.png");
  put_image("b/x.png");
  put(path("a/x.png"), "GIF89a but called otherwise");
  const auto dataset = open();
  EXPECT_EQ(message_of<BrokenImage>([&] { dataset->image(0); }).find(path("a/x.png") + ": "), 0u);
  fs::remove(path("a/x.png"));
  EXPECT_EQ(message_of<BrokenImage>([&] { dataset->image(0); }),
            "cannot read " + path("a/x.png") + ": No such file or directory");
}

TEST_F(FolderTest, WhatIsNoRegularFileIsABrokenImageAndDoesNotHang) {
  ASSERT_EQ(mkfifo(path("pipe.png").c_str(), 0600), 0);
  fs::create_directory(path("folder.png"));
  const auto dataset = image_files({path("pipe.png"), path("folder.png")}, 3);
  EXPECT_EQ(message_of<BrokenImage>([&] { dataset->image(0); }),
            "cannot read " + path("pipe.png") +
                ": it is a pipe or a device, where a regular file is expected");
  EXPECT_EQ(message_of<BrokenImage>([&] { dataset->image(1); }),
            "cannot read " + path("folder.png") + ": it is a folder, where a file is expected");
}

TEST_F(FolderTest, HugeFileIsABrokenImageAndTakesNoMemory) {
  put(path("huge.png"), "");
  const auto dataset = image_files({path("huge.png")}, 3);
  for (const uint64_t size : {gibibyte + 1, 1024 * gibibyte}) {
    fs::resize_file(path("huge.png"), size);
    EXPECT_EQ(message_of<BrokenImage>([&] { dataset->image(0); }),
              "cannot read " + path("huge.png") +
                  ": it has more than the 1073741824 bytes that are read at most");
  }
  EXPECT_EQ(message_of<std::invalid_argument>([&] { read_file(path("huge.png")); }),
            "cannot read " + path("huge.png") +
                ": it has more than the 17179869184 bytes that are read at most");
}

TEST_F(FolderTest, FileOfJustTheLimitIsRead) {
  put(path("file"), "1234");
  EXPECT_EQ(read_file(path("file"), 4).bytes.size(), 4u);
  EXPECT_THROW(read_file(path("file"), 3), std::invalid_argument);
}

TEST_F(FolderTest, FileThatIsNoImageIsRefusedOrNamed) {
  put_image("a/x.png");
  put_image("b/x.png");
  put_image("between.png");
  put(path("b/y.gif"), "GIF89a");
  put(path("b/README.txt"), "hello");
  put(path("b/.DS_Store"), "hidden");
  put(path("README.txt"), "not in a class: no harm");
  EXPECT_EQ(said(), path("b/README.txt") +
                        " is no image of a class: no .jpg, .jpeg or .png file, and 2 more such "
                        "files; remove it, or pass --skip-broken");
  options.skip_broken = true;
  const auto dataset = open();
  EXPECT_EQ(dataset->size(), 2u);
  ASSERT_EQ(dataset->skipped().size(), 3u);
  EXPECT_EQ(dataset->skipped()[1].name, path("b/y.gif"));
  EXPECT_EQ(dataset->skipped()[2].reason, "it lies beside the folders of the classes");
}

TEST_F(FolderTest, ClassWithoutImagesIsAnError) {
  put_image("a/x.png");
  fs::create_directory(path("b"));
  EXPECT_EQ(said(), path("b") +
                        ": expected images of a class, found no .jpg, .jpeg or .png file; remove "
                        "the folder if it is not a class");
}

TEST_F(FolderTest, FolderAboveTheDatasetIsSuspected) {
  put_image("data/train/a/x.png");
  put_image("data/train/b/x.png");
  EXPECT_EQ(said(), folder.path.string() + ": expected a folder for each class, found only 'data'" +
                        "; is " + path("data") + " the folder of the dataset?");
}

TEST_F(FolderTest, SymbolicLinksAreFollowedButNotInCircles) {
  put_image("elsewhere/real/x.png");
  fs::create_directories(path("set/b"));
  fs::create_directory_symlink(path("elsewhere/real"), path("set/a"));
  fs::create_symlink(path("elsewhere/real/x.png"), path("set/b/linked.png"));
  options.path /= "set";
  EXPECT_EQ(names_of(*open()), (Names{path("set/a/x.png"), path("set/b/linked.png")}));
  fs::create_directory_symlink(path("set"), path("set/b/circle"));
  EXPECT_EQ(said().find(path("set/b/circle") + " is no image of a class"), 0u);
}

TEST_F(FolderTest, LinkToItselfIsAnErrorLikeOthers) {
  put_image("a/x.png");
  fs::create_symlink(path("b"), path("b"));
  EXPECT_EQ(said(), "cannot read " + path("b") + ": Too many levels of symbolic links");
}

TEST_F(FolderTest, SplitsAreFoundByTheirFolders) {
  for (const char* file : {"train/a/1.png", "train/a/2.png", "train/b/1.png", "valid/b/1.png"}) {
    put_image(file);
  }
  put(path("README.txt"), "beside the splits: no harm");
  EXPECT_EQ(dataset_splits(options), (Names{"train", "val"}));
  EXPECT_EQ(open("train")->size(), 3u);
  const auto val = open("val");
  EXPECT_EQ(val->size(), 1u);
  EXPECT_EQ(val->label(0), 1) << "a class without images here keeps its label";
  EXPECT_EQ(names_of(*open()), names_of(*val)) << "what is for measuring, where nothing is said";
  EXPECT_EQ(said("test"),
            folder.path.string() + ": expected one of its splits, train and val, found 'test'");
  put_image("valid/bb/1.png");
  EXPECT_EQ(said("val"), path("valid/bb") +
                             ": expected one of the 2 classes ('a' to 'b'), found 'bb'; did you "
                             "mean 'b'?");
}

TEST_F(FolderTest, SplitsLaidOutDifferentlyTakeTheClassesFromTheOneWithFolders) {
  put_image("train/n01440764_tench.png");
  put_image("val/catx/1.png");
  EXPECT_EQ(open("val")->classes(), Names{"catx"});
  EXPECT_EQ(said("train").find(path("train") + ": its files begin with WordNet ids"), 0u);
  put_image("test/dogx/1.png");
  EXPECT_EQ(said("test").find(path("test/dogx") + ": expected one of the 1 classes"), 0u);
}

TEST_F(FolderTest, FoldersOfWhichNoClassIsKnownAreRefused) {
  put_image("a/1.png");
  EXPECT_EQ(message_of<std::invalid_argument>([&] { folder_dataset(folder.path, {}, options); }),
            folder.path.string() +
                ": expected to know the classes of its images, found neither folders of classes "
                "nor a list of them; give one");
}

TEST_F(FolderTest, ClassMayBeCalledTrain) {
  put_image("train/1.png");
  put_image("ship/1.png");
  EXPECT_EQ(open()->classes(), (Names{"ship", "train"}));
}

TEST_F(FolderTest, HeldOutIsAPartOfEachClassByTheSeed) {
  const std::map<std::string, int> counts = {{"a", 10}, {"b", 25}, {"c", 1}};
  for (const auto& [name, count] : counts) {
    for (int i = 0; i < count; ++i) put_image(name + "/" + std::to_string(i) + ".png");
  }
  EXPECT_EQ(dataset_splits(options), (Names{"train", "val"}));
  const auto val = open("val"), train = open("train");
  std::vector<int> held(3);
  for (size_t i = 0; i < val->size(); ++i) ++held[static_cast<size_t>(val->label(i))];
  EXPECT_EQ(held, (std::vector<int>{2, 5, 0}));
  std::set<std::string> both;
  for (const Dataset* part : {val.get(), train.get()}) {
    for (const std::string& name : names_of(*part)) both.insert(name);
  }
  EXPECT_EQ(both.size(), 36u) << "no image in both, and none lost";
  EXPECT_EQ(open()->size(), 36u) << "all, where no split is asked for";

  EXPECT_EQ(names_of(*open("val")), names_of(*val));
  // By SplitMix64 and the shuffle of Fisher and Yates in a few lines of Python.
  EXPECT_EQ(names_of(*val),
            (Names{path("a/2.png"), path("a/5.png"), path("b/1.png"), path("b/11.png"),
                   path("b/18.png"), path("b/20.png"), path("b/24.png")}));
  options.seed = 1;
  EXPECT_NE(names_of(*open("val")), names_of(*val));
  options.held_out = 0;
  EXPECT_EQ(dataset_splits(options), Names{"train"});
  EXPECT_EQ(said("val"), folder.path.string() +
                             ": expected one of its splits, train, found 'val'; choose a fraction "
                             "to hold out, and it is taken from the training images");
  options.held_out = 1.5;
  EXPECT_EQ(said("val"), "expected a fraction from 0 to below 1 to be held out, found 1.500000");
}

const ClassList four = {{"n00000004", "n00000001", "n00000003", "n00000002"},
                        {"fourth", "first", "third", "second"}};

TEST_F(FolderTest, FoldersMayBeCalledByIdsOrNamesOfAList) {
  put_image("n00000001/x.png");
  put_image("third/x.png");
  options.classes = four;
  const auto dataset = open();
  EXPECT_EQ(dataset->classes(), four.names);
  EXPECT_EQ(dataset->label(0), 1);
  EXPECT_EQ(dataset->label(1), 2);
  put_image("n00000009/x.png");
  EXPECT_EQ(said().find(path("n00000009") +
                        ": expected one of the 4 classes ('fourth' to 'second'), found "
                        "'n00000009'"),
            0u);
  fs::remove_all(path("n00000009"));
  options.classes.names[0] = "third";
  EXPECT_EQ(said(), path("third") +
                        ": the list of classes has 'third' 2 times; give a list with an id for "
                        "each class");
}

TEST_F(FolderTest, SamplesOfImageNetAreLabelledByTheirNames) {
  put_image("n00000003_third.JPEG");
  put_image("n00000001_first.JPEG");
  EXPECT_EQ(said(), folder.path.string() +
                        ": its files begin with WordNet ids, whose order only a list of classes "
                        "tells; give one, such as imagenet_class_index.json");
  options.classes = four;
  const auto dataset = open();
  EXPECT_EQ(dataset->label(0), 1);
  EXPECT_EQ(dataset->label(1), 2);
  put_image("holiday.jpg");
  EXPECT_EQ(said(), path("holiday.jpg") +
                        " is no image of a class: its name does not begin with a WordNet id; "
                        "remove it, or pass --skip-broken");
}

TEST_F(FolderTest, PathThatIsNoDatasetSaysWhatIsThere) {
  EXPECT_EQ(said(), folder.path.string() +
                        ": expected folders of classes (perhaps below train, val, test), files "
                        "that begin with WordNet ids, idx files (train-images-idx3-ubyte) or "
                        "CIFAR's (data_batch_1.bin), found nothing");
  put(path("a.jpg"), "");
  put(path("b.jpg"), "");
  put(path("LICENSE"), "");
  EXPECT_NE(said().find("found 2 .jpg files and 1 file"), std::string::npos) << said();
  options.path = path("set.tar.gz");
  EXPECT_EQ(said(), "cannot read " + path("set.tar.gz") +
                        ": no such file or folder; a dataset is a folder, a file, or "
                        "'procedural'");
  put(options.path, "");
  EXPECT_EQ(said(), path("set.tar.gz") + ": expected a folder, found an archive; unpack it first");
  options.path = path("a.jpg");
  EXPECT_EQ(said(), path("a.jpg") +
                        ": expected a folder, an idx file of images (train-images-idx3-ubyte) or "
                        "a .bin file of CIFAR, found another file");
}

TEST_F(FolderTest, UnreadableFolderSaysSo) {
  put_image("a/x.png");
  put_image("b/x.png");
  if (geteuid() == 0) GTEST_SKIP() << "root may read every folder";
  fs::permissions(path("b"), fs::perms::none);
  EXPECT_EQ(said(), "cannot read " + path("b") + ": Permission denied");
  fs::permissions(path("b"), fs::perms::owner_all);
}

struct ClassListTest : FolderTest {
  ClassList read(const std::string& text) {
    put(path("classes"), text);
    return read_class_list(path("classes"));
  }
  std::string refused(const std::string& text) {
    return message_of<std::invalid_argument>([&] { read(text); });
  }
};

TEST_F(ClassListTest, LinesAreNamesOrIdsOrBoth) {
  const ClassList names = read("cat\r\nspace bar\n\n");
  EXPECT_EQ(names.names, (Names{"cat", "space bar"}));
  EXPECT_EQ(names.ids, names.names);
  const ClassList both = read("n01440764 tench, Tinca tinca\nn01443537 goldfish");
  EXPECT_EQ(both.ids, (Names{"n01440764", "n01443537"}));
  EXPECT_EQ(both.names, (Names{"tench, Tinca tinca", "goldfish"}));
}

TEST_F(ClassListTest, JsonIsInOrderOfItsNumbers) {
  const ClassList list = read(R"({"1": ["n2", "b"], "0": ["n1", "a"], "10": ["n11", "k"],
      "2": ["n3", "c"], "3": ["n4", "d"], "4": ["n5", "e"], "5": ["n6", "f"], "6": ["n7", "g"],
      "7": ["n8", "h"], "8": ["n9", "i"], "9": ["n10", "j"]})");
  EXPECT_EQ(list.ids[10], "n11");
  EXPECT_EQ(list.names[1], "b");
  EXPECT_EQ(read(R"(["a", "b"])").ids, (Names{"a", "b"}));
}

TEST_F(ClassListTest, WhatIsNoListIsRefused) {
  const std::string expected = path("classes") +
                               ": expected {\"0\": [\"n01440764\", \"tench\"], ...} with every "
                               "class from 0, or [\"tench\", ...], found ";
  EXPECT_EQ(refused(R"({"1": ["a", "b"]})"), expected + "no \"0\"");
  EXPECT_EQ(refused(R"([1])"), expected + "1 for class 0");
  EXPECT_EQ(refused("[\"a\""), expected + "no valid JSON");
  EXPECT_EQ(refused(" \n"), path("classes") + ": expected a list of classes, found an empty file");
  EXPECT_EQ(refused("a\n\nb\n"),
            path("classes") + ": expected a class on every line, found line 2 empty; remove it");
  EXPECT_EQ(refused(std::string("a\0b", 3)),
            path("classes") + ": expected a list of classes as text, found other bytes");
}

TEST_F(ClassListTest, ListsInListsAreRefusedHoweverDeep) {
  const size_t depth = 200000;
  const std::string deep = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_NE(refused(deep).find("found another array for class 0"), std::string::npos);
}

TEST_F(ClassListTest, FileTooLargeForAListIsRefused) {
  put(path("classes"), "");
  fs::resize_file(path("classes"), gibibyte);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { read_class_list(path("classes")); }),
            "cannot read " + path("classes") +
                ": it has more than the 67108864 bytes that are read at most");
}

struct RealFolder : testing::Test {
  const fs::path datasets = fs::path(CONVSCOPE_SHARED) / "data/datasets";
  DatasetOptions options;

  void SetUp() override {
    if (!fs::exists(datasets)) GTEST_SKIP() << "no " << datasets;
  }
  size_t size(const std::string& split) {
    options.split = split;
    return open_dataset(options)->size();
  }
};

TEST_F(RealFolder, AntsAndBeesHaveAStrayGif) {
  options.path = datasets / "hymenoptera/hymenoptera_data";
  EXPECT_EQ(size("val"), 153u);
  const std::string gif = (options.path / "train/ants/imageNotFound.gif").string();
  EXPECT_EQ(message_of<std::invalid_argument>([&] { size("train"); }),
            gif +
                " is no image of a class: no .jpg, .jpeg or .png file; remove it, or pass "
                "--skip-broken");
  options.skip_broken = true;
  EXPECT_EQ(size("train"), 244u);
  const auto skipped = open_dataset(options)->skipped();
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_EQ(skipped[0].name, gif);
  EXPECT_EQ(open_dataset(options)->classes(), (Names{"ants", "bees"}));
}

TEST_F(RealFolder, TwelveFlowersAreBalanced) {
  options.path = datasets / "flowers12";
  for (const auto& [split, count] : {std::pair("train", 60), std::pair("test", 20)}) {
    options.split = split;
    const auto dataset = open_dataset(options);
    std::vector<int> counts(dataset->classes().size());
    for (size_t i = 0; i < dataset->size(); ++i) ++counts[static_cast<size_t>(dataset->label(i))];
    EXPECT_EQ(counts, std::vector<int>(12, count)) << split;
  }
}

TEST_F(RealFolder, SamplesOfImageNetAreEveryTenthClass) {
  options.path = datasets / "imagenet-samples";
  for (const char* list : {"imagenet_class_index.json", "imagenet_synsets.txt"}) {
    options.classes = read_class_list(datasets / list);
    const auto dataset = open_dataset(options);
    ASSERT_EQ(dataset->size(), 100u);
    ASSERT_EQ(dataset->classes().size(), 1000u);
    std::set<int64_t> labels;
    for (size_t i = 0; i < 100; ++i) labels.insert(dataset->label(i));
    EXPECT_EQ(labels.size(), 100u);
    EXPECT_EQ(*labels.begin(), 0);
    EXPECT_EQ(*labels.rbegin(), 990);
  }
}

}  // namespace
}  // namespace convscope

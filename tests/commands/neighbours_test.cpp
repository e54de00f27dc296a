// neighbours as its user meets it, on made images and untrained networks.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "suite/report/csv_file.h"
#include "tests/commands/convscope_with.h"
#include "tests/data/made_images.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

const std::string shapes = "procedural:classes=4,size=28,test=40";

struct NeighboursCommand : testing::Test {
  TemporaryFolder folder;

  void SetUp() override {
    if (std::system("command -v gnuplot > /dev/null") != 0) GTEST_SKIP() << "there is no gnuplot";
  }

  std::string path(const std::string& name) const { return (folder.path / name).string(); }
  std::string results() const { return path("results"); }
  CsvFile record(const std::string& file) const { return read_csv(fs::path(results()) / file); }

  Result neighbours(std::vector<std::string> words, const std::string& network = "lenet5") const {
    words.insert(words.begin(), {"neighbours", network, "--untrained", "--results", results(),
                                 "--image-format", "svg", "-t", "1", "-j", "0"});
    return convscope_with(words);
  }

  void expect_usage_error(const std::vector<std::string>& words, const std::string& said) const {
    const Result result = neighbours(words);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_TRUE(contains(result.err, said)) << result.err;
    EXPECT_EQ(result.out, "");
  }

  void image(const std::string& name, uint64_t seed) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    const Bytes bytes = made_jpeg(made_pixels(32, 32, 3, seed), 32, 32, {});
    put(path(name), {bytes.begin(), bytes.end()});
  }
};

TEST_F(NeighboursCommand, TheAccuracyIsTheShareOfImagesWhoseNearestIsOfTheirClass) {
  const Result result = neighbours(
      {"--data", shapes, "-k", "1", "--queries", "40", "--format", "json"}, "mnist_tutorial");
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile rows = record("neighbours.csv");
  ASSERT_EQ(rows.rows.size(), 40u);
  const auto own = texts(rows, "query_class"), of_nearest = texts(rows, "class"),
             queries = texts(rows, "query"), images = texts(rows, "image");
  int64_t right = 0;
  for (size_t i = 0; i < 40; ++i) {
    right += own[i] == of_nearest[i];
    EXPECT_NE(queries[i], images[i]) << "each without itself";
  }
  const auto printed = nlohmann::json::parse(result.out);
  ASSERT_EQ(printed.size(), 1u);
  EXPECT_EQ(printed[0]["right"], right);
  EXPECT_EQ(printed[0]["images"], 40);
  EXPECT_DOUBLE_EQ(printed[0]["top1"], 100.0 * static_cast<double>(right) / 40);
  EXPECT_DOUBLE_EQ(printed[0]["chance"], 25);
  EXPECT_LT(printed[0]["top1_low"], printed[0]["top1"]);
}

TEST_F(NeighboursCommand, WritesRecordsFiguresAndWhatRan) {
  const Result result = neighbours({"--data", shapes, "--seed", "3"}, "mnist_tutorial");
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile rows = record("neighbours.csv");
  EXPECT_EQ(rows.columns,
            (std::vector<std::string>{"model", "weights", "input", "query", "query_class", "rank",
                                      "image", "class", "similarity"}));
  EXPECT_EQ(rows.rows.size(), 56u) << "8 queries with 7 each";
  const auto similarity = numbers(rows, "similarity");
  for (size_t i = 1; i < 7; ++i) EXPECT_LE(similarity[i], similarity[i - 1]);
  const auto classes = texts(rows, "query_class");
  EXPECT_EQ(std::set<std::string>(classes.begin(), classes.end()).size(), 4u);
  EXPECT_EQ(record("features_map.csv").rows.size(), 40u);
  const auto shares = numbers(record("features_components.csv"), "variance_percent");
  EXPECT_EQ(shares.size(), 8u);
  EXPECT_GE(shares[0], shares[1]);
  EXPECT_TRUE(
      fs::exists(fs::path(results()) / "figures/features_map_mnist_tutorial_untrained.svg"));
  EXPECT_TRUE(fs::exists(fs::path(results()) / "figures/neighbours_mnist_tutorial_untrained.svg"));
  EXPECT_TRUE(contains(contents(fs::path(results()) / "manifest.json"), "the input of fc2"));
  // What was recorded draws the same map again.
  const Result plot = convscope_with({"plot", results(), "--image-format", "svg"});
  EXPECT_EQ(plot.code, 0) << plot.err;
  EXPECT_TRUE(contains(plot.err, "features_map_mnist_tutorial_untrained.svg"));
}

TEST_F(NeighboursCommand, TheSameSeedGivesTheSameRecords) {
  ASSERT_EQ(neighbours({"--data", shapes, "--seed", "5"}, "mnist_tutorial").code, 0);
  const std::string rows = contents(fs::path(results()) / "neighbours.csv"),
                    map = contents(fs::path(results()) / "features_map.csv");
  ASSERT_EQ(neighbours({"--data", shapes, "--seed", "5"}, "mnist_tutorial").code, 0);
  EXPECT_EQ(contents(fs::path(results()) / "neighbours.csv"), rows);
  EXPECT_EQ(contents(fs::path(results()) / "features_map.csv"), map);
  ASSERT_EQ(neighbours({"--data", shapes, "--seed", "6"}, "mnist_tutorial").code, 0);
  EXPECT_NE(contents(fs::path(results()) / "neighbours.csv"), rows);
}

TEST_F(NeighboursCommand, AnImageOfTheFolderIsNearestToItsDuplicateAndNotToItself) {
  for (uint64_t i = 1; i <= 4; ++i) image("plain/" + std::to_string(i) + ".jpg", i);
  fs::copy(path("plain/2.jpg"), path("plain/copy.jpg"));
  image("elsewhere/other.jpg", 9);
  const Result result =
      neighbours({"--data", path("plain"), "-k", "2", "--query", path("elsewhere/../plain/2.jpg"),
                  "--query", path("elsewhere")});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "") << "without classes there is no accuracy";
  const CsvFile rows = record("neighbours.csv");
  ASSERT_EQ(rows.rows.size(), 4u);
  EXPECT_EQ(texts(rows, "image")[0], path("plain/copy.jpg"));
  EXPECT_EQ(numbers(rows, "similarity")[0], 1);
  EXPECT_LT(numbers(rows, "similarity")[1], 1);
  EXPECT_EQ(texts(rows, "query")[2], path("elsewhere/other.jpg"));
  EXPECT_EQ(texts(rows, "query_class")[2], "");
}

TEST_F(NeighboursCommand, ABrokenImageIsLeftOutOnlyIfAsked) {
  for (const char* name : {"ant/1", "ant/2", "bee/1", "bee/2"}) {
    image("data/" + std::string(name) + ".jpg", static_cast<uint64_t>(name[0] + name[4]));
  }
  put(path("data/bee/3.jpg"), "\xff\xd8\xff and no more");
  expect_usage_error({"--data", path("data"), "-k", "1"}, "data/bee/3.jpg");
  const Result result = neighbours({"--data", path("data"), "-k", "3", "--skip-broken"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(contains(result.err, "skipped " + path("data/bee/3.jpg"))) << result.err;
  EXPECT_EQ(record("features_map.csv").rows.size(), 4u);
  EXPECT_EQ(integers(record("neighbours_accuracy.csv"), "k"), (std::vector<int64_t>{1, 3}));
}

TEST_F(NeighboursCommand, WrongInputsAreOneClearLine) {
  image("one/1.jpg", 1);
  expect_usage_error({}, "name the images with --data");
  expect_usage_error({"--data", path("one"), "-k", "1"}, "has only 0 others");
  image("one/2.jpg", 2);
  expect_usage_error({"--data", path("one")},
                     "--nearest 7: an image of " + path("one") + " has only 1 other");
  expect_usage_error({"--data", path("one"), "--split", "val"}, "without classes");
  expect_usage_error({"--data", path("one"), "-k", "0"}, "--nearest");
  expect_usage_error({"--data", path("one"), "-k", "21"}, "--nearest: expected from 1 to 20");
  expect_usage_error({"--data", path("one"), "--queries", "51"}, "--queries: expected");
  expect_usage_error({"--data", path("one"), "-k", "1", "--at", "conv9"}, "there are conv1");
  expect_usage_error({"--data", path("one"), "-k", "1", "--query", path("none.jpg")},
                     "no image '" + path("none.jpg") + "'");
  expect_usage_error({"--data", path("one"), "--query", path("one"), "--queries", "2"},
                     "give one of them");
  expect_usage_error({"--data", path("none")}, "no such file or folder");
  fs::create_directories(path("empty"));
  expect_usage_error({"--data", path("empty")}, "found nothing");
  EXPECT_FALSE(fs::exists(fs::path(results()) / "neighbours.csv")) << "errors write no records";
}

}  // namespace
}  // namespace convscope

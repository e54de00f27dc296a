// `plot` and `report` as their user meets them: what they write, and what they say of a mistake.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/commands/convscope_with.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct ReportCommand : testing::Test {
  TemporaryFolder folder;
  std::string results = (folder.path / "results").string();

  /// Two small networks' costs.
  void measure(const std::string& where) const {
    ASSERT_EQ(convscope_with({"cost", "lenet5", "resnet20", "--results", where}).code, 0);
  }

  /// The names of all files below a folder.
  static std::set<std::string> files(const fs::path& where) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(where))
      if (entry.is_regular_file()) names.insert(fs::relative(entry.path(), where).string());
    return names;
  }

  static void expect_mistake(const std::vector<std::string>& arguments, const std::string& words) {
    const Result result = convscope_with(arguments);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_TRUE(contains(result.err, words)) << result.err;
  }
};

TEST_F(ReportCommand, WritesAPageItsFiguresItsTablesAndHowToRepeatIt) {
  measure(results);
  const Result result = convscope_with({"report", results, "--image-format", "svg"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto there = files(results);
  for (const char* name :
       {"report.html", "report.md", "repeat.ini", "tables/cost.tex", "tables/cost.md",
        "figures/cost_bars.svg", "figures/cost_bars-dark.svg", "figures/layer_costs_lenet5.svg"})
    EXPECT_EQ(there.count(name), 1u) << name;
  for (const std::string& name : there) {
    EXPECT_FALSE(contains(name, ".unfinished")) << name;
    EXPECT_FALSE(contains(name, ".pdf")) << name;
  }
  const std::string page = contents(folder.path / "results/report.html");
  EXPECT_TRUE(contains(page, "2 networks need from"));
  EXPECT_TRUE(contains(page, "convscope cost lenet5 -i 3x32x32"));
  // What the page says makes a row again does.
  EXPECT_EQ(convscope_with({"cost", "lenet5", "-i", "3x32x32"}).code, 0);
  const std::string again = (folder.path / "again").string();
  const Result dry =
      convscope_with({"run", results + "/repeat.ini", "--dry-run", "--results", again});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_TRUE(contains(dry.out, "cost lenet5 3x32x32")) << dry.out;
  EXPECT_TRUE(contains(dry.out, "report " + again + ": what the records will allow")) << dry.out;
}

TEST_F(ReportCommand, FolderWhereNothingCanBeDrawnSaysWhy) {
  fs::create_directories(results);
  put(folder.path / "results/samples.csv", "env,case,repetition,index,ns\n");
  const Result result = convscope_with({"plot", results});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "samples: samples.csv has no sample\n");
}

TEST_F(ReportCommand, ModelsAskedForAreThoseOfTheWholePage) {
  measure(results);
  ASSERT_EQ(convscope_with({"report", results, "--model", "lenet5", "--image-format", "svg"}).code,
            0);
  const std::string table = contents(folder.path / "results/tables/cost.md");
  EXPECT_TRUE(contains(table, "lenet5")) << table;
  EXPECT_FALSE(contains(table, "resnet20")) << table;
}

TEST_F(ReportCommand, DrawingIsNoEnvironmentOfTheRecords) {
  measure(results);
  const auto manifest = [&] {
    return nlohmann::json::parse(contents(folder.path / "results/manifest.json"));
  };
  auto before = manifest();
  // As if another machine had measured.
  const std::string here = before["environments"].begin().key();
  before["environments"]["elsewhere"] = before["environments"][here];
  before["environments"].erase(here);
  before["runs"]["cost"]["env"] = "elsewhere";
  put(folder.path / "results/manifest.json", before.dump());
  ASSERT_EQ(convscope_with({"plot", results, "--figure", "cost_bubbles"}).code, 0);
  ASSERT_EQ(convscope_with({"report", results, "--figure", "cost_bubbles"}).code, 0);
  EXPECT_EQ(manifest()["environments"].size(), 1u);
  EXPECT_EQ(manifest()["runs"].count("plot"), 1u);
  EXPECT_EQ(manifest()["runs"].count("report"), 1u);
}

TEST_F(ReportCommand, RecordsThatNoFigureIsMadeOfAreReported) {
  fs::create_directories(results);
  put(folder.path / "results/evaluation.csv",
      "model,data,weights,images,top1,top1_low,top1_high\nlenet5,digits,w,50,90,80,95\n");
  const Result result = convscope_with({"report", results});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(contains(contents(folder.path / "results/report.md"), "lenet5 is right on 90.0 %"));
  EXPECT_EQ(convscope_with({"report", results, "--dry-run"}).out, "");
}

TEST_F(ReportCommand, RecordsWithAHeaderAloneAreReported) {
  fs::create_directories(results);
  put(folder.path / "results/samples.csv", "env,case,repetition,index,ns,disturbed\n");
  const Result result = convscope_with({"report", results});
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(ReportCommand, TwoFoldersNeedAPlaceAndAreToldApart) {
  const std::string a = (folder.path / "x/a b").string(), b = (folder.path / "x/a_b").string(),
                    out = (folder.path / "out").string();
  measure(a);
  measure(b);
  expect_mistake({"report", a, b}, "say with --out which folder the report of 2 goes to");
  const auto before = files(a);
  const Result result = convscope_with({"report", a, b, "--out", out, "--figure", "cost_bubbles"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto there = files(out);
  for (const char* name :
       {"figures/a_b-cost_bubbles.svg", "figures/a_b-2-cost_bubbles.svg", "tables/a_b-cost.md",
        "tables/a_b-2-cost.md", "a_b-repeat.ini", "a_b-2-repeat.ini"})
    EXPECT_EQ(there.count(name), 1u) << name;
  EXPECT_EQ(files(a), before) << "what is compared stays as it is";
  EXPECT_TRUE(contains(contents(folder.path / "out/report.md"), "has no samples.csv"));
}

TEST_F(ReportCommand, MistakesGetOneLineAndExitCodeTwo) {
  measure(results);
  fs::create_directories(folder.path / "empty");
  const std::string file = results + "/cost.csv", empty = (folder.path / "empty").string(),
                    none = (folder.path / "none").string();
  expect_mistake({"report"}, "say which folder to read");
  expect_mistake({"plot"}, "say which folder to read");
  for (const char* command : {"report", "plot"}) {
    expect_mistake({command, none}, "is no folder; expected a results folder");
    expect_mistake({command, file}, "is no folder; expected a results folder");
    expect_mistake({command, results, "--figure", "cost_bar"}, "did you mean 'cost_bars'?");
    expect_mistake({command, results, "--model", "lenet"}, "did you mean 'lenet5'?");
    expect_mistake({command, results, "--image-format", "pgn"}, "did you mean 'png'?");
    expect_mistake({command, results, "--figure", "samples"}, "samples.csv");
  }
  expect_mistake({"report", empty}, "has no records (*.csv)");
  expect_mistake({"plot", empty}, "runs.csv");
  expect_mistake({"report", results, results + "/", "--out", none}, "is named twice");
  expect_mistake({"report", results, results + "/../results", "--out", none}, "is named twice");
  const std::set<std::string> as_it_was = {"cost.csv", "layers.csv", "manifest.json"};
  EXPECT_EQ(files(results), as_it_was) << "a mistake writes nothing";
  EXPECT_FALSE(fs::exists(none));
}

TEST_F(ReportCommand, FolderThatCannotBeWrittenIsNamed) {
  measure(results);
  expect_mistake({"report", results, "--out", results + "/cost.csv/below"}, "cost.csv/below");
  put(folder.path / "results/figures", "a file");
  expect_mistake({"plot", results, "--figure", "cost_bubbles"}, "figures");
  fs::remove(folder.path / "results/figures");
  fs::create_directories(folder.path / "results/report.html/in the way");
  const Result result = convscope_with({"report", results, "--figure", "cost_bubbles"});
  EXPECT_EQ(result.code, 2);
  EXPECT_TRUE(contains(result.err, "report.html': Is a directory")) << result.err;
}

TEST_F(ReportCommand, WithoutGnuplotNothingIsWritten) {
  measure(results);
  const auto before = files(results);
  const std::string path = std::getenv("PATH");
  setenv("PATH", folder.path.c_str(), 1);
  expect_mistake({"report", results}, "gnuplot-nox");
  expect_mistake({"plot", results}, "gnuplot-nox");
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(files(results), before);
}

TEST_F(ReportCommand, BrokenRecordIsNamedWithItsLine) {
  measure(results);
  put(folder.path / "results/cost.csv", "model,status,input,params,macs,activations\nnet,ok\n");
  expect_mistake({"report", results}, "cost.csv line 2: expected 6 fields, found 2");
}

TEST_F(ReportCommand, ReportOfAnExperimentBeginsWithItsQuestion) {
  put(folder.path / "experiment.ini",
      "# Question  Is <b>lenet5</b> small?\n# Claim     It has 62 k parameters.\n"
      "[cost]\nmodel = lenet5\n[report]\nimage-format = svg\nfigure = cost_bubbles\n");
  const Result result =
      convscope_with({"run", (folder.path / "experiment.ini").string(), "--results", results});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string page = contents(folder.path / "results/report.html");
  EXPECT_TRUE(contains(page, "Is &lt;b&gt;lenet5&lt;/b&gt; small?"));
  EXPECT_TRUE(contains(page, "Expected: It has 62 k parameters."));
  const std::string repeat = contents(folder.path / "results/repeat.ini");
  EXPECT_TRUE(contains(repeat, "# Claim     It has 62 k parameters.")) << repeat;
}

}  // namespace
}  // namespace convscope

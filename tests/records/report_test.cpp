// The page of one results folder and of two.
#include "suite/records/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> anchors(const std::string& page) {
  static const std::regex id("\\bid=\"([^\"]*)\"");
  std::vector<std::string> all;
  for (std::sregex_iterator at(page.begin(), page.end(), id), end; at != end; ++at)
    all.push_back((*at)[1]);
  return all;
}

std::vector<std::string> warnings(const Page& page) {
  std::vector<std::string> all;
  for (const Page::Section& section : page.sections)
    for (const Page::Block& block : section.blocks)
      if (const auto* warning = std::get_if<Page::Warning>(&block)) all.push_back(warning->text);
  return all;
}

template <class Block>
std::vector<Block> blocks(const Page& page, const std::string& section) {
  std::vector<Block> all;
  for (const Page::Section& one : page.sections) {
    if (one.id != section) continue;
    for (const Page::Block& block : one.blocks)
      if (const auto* found = std::get_if<Block>(&block)) all.push_back(*found);
  }
  return all;
}

struct Report : testing::Test {
  TemporaryFolder folder;
  std::ostringstream err;

  ReportSource source(const std::string& name) {
    std::filesystem::create_directories(folder.path / name);
    return {{folder.path / name, err}, name, {}, {}};
  }

  void record(const std::string& name, const std::string& text) { put(folder.path / name, text); }
};

const std::string costs =
    "model,variant,input,params,macs,status\nnet,p,3x8x8,100,2000,ok\nb,p,3x8x8,50,900,ok\n";

TEST_F(Report, PageOfAFolderAnswersShowsAndTellsHow) {
  ReportSource one = source("a");
  record("a/cost.csv", costs);
  record("a/manifest.json", R"({"experiment": {"file": "experiments/my question.ini",
      "question": "How much?", "claim": "Much."},
      "runs": {"cost": {"started": "2026-01-02T03:04:05Z", "finished": "2026-01-02T03:05:05Z",
      "configuration": "[cost]\nmodel = net\nresults = r\n", "env": "e"},
      "report": {"started": "2026-01-03T00:00:00Z", "configuration": "[report]\n"}},
      "environments": {"e": {"cpu": "A CPU"}}})");
  Figure figure{"cost_bubbles", "Costs", Bubbles{}, ""};
  one.figures.push_back({figure, "<svg></svg>"});
  const Page page = report_page({one}, {}, "made today");
  std::vector<std::string> ids;
  for (const Page::Section& section : page.sections) ids.push_back(section.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"question", "answers", "figures", "tables", "methods",
                                           "environment", "repeat"}));
  const auto asked = blocks<Page::Paragraph>(page, "question");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].text, "How much?");
  EXPECT_EQ(asked[1].text, "Expected: Much.");
  EXPECT_EQ(asked[2].text,
            "experiments/my question.ini: cost, from 2026-01-02T03:04:05Z to "
            "2026-01-02T03:05:05Z.");
  EXPECT_TRUE(has(blocks<Page::Findings>(page, "answers").at(0).findings.at(0).statement,
                  "2 networks need from 900 (b) to 2000 (net)"));
  const auto commands = blocks<Page::Commands>(page, "repeat");
  EXPECT_EQ(commands.at(0).lines.at(0), "convscope run 'experiments/my question.ini'");
  EXPECT_EQ(commands.at(1).lines.at(0), "convscope run repeat.ini");
  EXPECT_TRUE(warnings(page).empty());
  EXPECT_EQ(report_tables(page).at(0).first, "cost");
  EXPECT_TRUE(has(html(page), "A CPU"));
}

TEST_F(Report, RunThatNeverEndedHasNoEnd) {
  const ReportSource one = source("a");
  record("a/manifest.json", R"({"runs": {"train": {"started": "2026-01-02T03:04:05Z"}}})");
  EXPECT_EQ(blocks<Page::Paragraph>(report_page({one}, {}, ""), "question").at(0).text,
            "a: train, from 2026-01-02T03:04:05Z.");
}

TEST_F(Report, RowsOfTwoEnvironmentsAreAWarning) {
  const ReportSource one = source("a");
  record("a/bench.csv",
         "env,model,device,threads,batch,precision,layout,engine,mode,scenario,median_ms,ci_low_ms,"
         "ci_high_ms,gflop_per_s,status,samples,case,input\n"
         "e,net,cpu,1,1,f,c,e,inference,latency,5,4,6,1,ok,3,x,3x8x8\n"
         "f,net,cpu,1,1,f,c,e,inference,latency,5,4,6,1,ok,3,x,3x8x8\n");
  record("a/manifest.json",
         R"({"environments": {"e": {"cpu": "A", "cores": 1}, "f": {"cpu": "B", "cores": 1}}})");
  const auto said = warnings(report_page({one}, {}, ""));
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0],
            "The rows of bench.csv are from 2 environments, which differ in cpu: compare only rows "
            "of one.");
  EXPECT_EQ(said[1], "These records were made in 2 environments, which differ in cpu.");
}

TEST_F(Report, LongRecordIsNamedAndNotShown) {
  const ReportSource one = source("a");
  std::string rows = "model\n";
  for (int i = 0; i < 1201; ++i) rows += "net\n";
  record("a/layers.csv", rows);
  const Page page = report_page({one}, {}, "");
  EXPECT_TRUE(blocks<Page::Data>(page, "tables").empty());
  EXPECT_TRUE(has(blocks<Page::Paragraph>(page, "tables").at(0).text, "layers.csv has 1201 rows"));
}

TEST_F(Report, AnchorsAndFiguresOfFoldersAreUnlikeEachOther) {
  std::vector<ReportSource> sources;
  const std::vector<std::string> labels = {"a b", "a_b", "a/b", "网络", "模型", "a_b-2"};
  const auto names = report_names(labels);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string path = std::to_string(i);
    sources.push_back(source(path));
    sources.back().label = labels[i];
    record(path + "/cost.csv", costs);
    sources.back().figures.push_back({{names[i] + "-cost", "t", Bubbles{}, ""}, "<svg></svg>"});
  }
  const std::string page = html(report_page(sources, {}, ""));
  const auto all = anchors(page);
  EXPECT_GT(all.size(), 6 * labels.size());
  for (const std::string& one : all) EXPECT_EQ(std::count(all.begin(), all.end(), one), 1) << one;
}

TEST_F(Report, SingleFolderHasNoPrefix) {
  EXPECT_EQ(report_names({"a"}), (std::vector<std::string>{""}));
  EXPECT_EQ(report_names({"a", "b"}), (std::vector<std::string>{"a", "b"}));
}

/// One case with 10 repetitions of one sample each.
MeasuredCase measured(double ms) {
  MeasuredCase one;
  one.name = "net/3x8x8/cpu/t1/b1/float32/contiguous/eager/inference/latency";
  one.measurement.repetitions.assign(10, {ms});
  return one;
}

TEST_F(Report, SecondFolderIsJudgedAgainstTheFirst) {
  const MeasuredCase a = measured(4), b = measured(2);
  ReportComparison comparison{"before", "after", judge_pairs({{a.name, &a, &b}}, Floor()), "",
                              "commit (1 / 2)"};
  const Page page = report_page({source("before"), source("after")}, {comparison}, "");
  EXPECT_EQ(page.title, "before and after");
  EXPECT_EQ(page.sections.at(0).id, "comparison");
  EXPECT_EQ(warnings(page).at(0), "after against before is across commit (1 / 2).");
  EXPECT_EQ(blocks<Page::Findings>(page, "comparison").at(0).findings.at(0).statement,
            "after is 2 times as fast as before (2).");
  const Table table = blocks<Page::Data>(page, "comparison").at(0).table;
  const auto names = column_names(table);
  const auto cell = [&](const char* name) {
    return table.rows.at(0).at(
        static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin()));
  };
  EXPECT_EQ(cell("verdict"), Cell("FASTER"));
  EXPECT_EQ(cell("ratio"), Cell(0.5));
  EXPECT_EQ(cell("median_a_ms"), Cell(4.0));
}

TEST_F(Report, WhatWasNotJudgedSaysWhy) {
  ReportComparison comparison{"a",
                              "b",
                              {},
                              "they were measured in environments that differ in "
                              "cpu (X / Y)",
                              ""};
  const Page page = report_page({source("a"), source("b")}, {comparison}, "");
  EXPECT_EQ(warnings(page).at(0),
            "No verdicts of b against a: they were measured in environments that differ in cpu (X "
            "/ Y)");
  EXPECT_TRUE(blocks<Page::Data>(page, "comparison").empty());
}

TEST_F(Report, WithoutAManifestItIsSaid) {
  const ReportSource one = source("a");
  record("a/cost.csv", costs);
  for (const char* manifest : {"", "{\"runs\": {\"cost\": {\"star", "[1, 2]", "null",
                               R"({"runs": [1], "environments": 3, "experiment": "x"})"}) {
    record("a/manifest.json", manifest);
    const Page page = report_page({one}, {}, "");
    EXPECT_TRUE(has(markdown(page), "no manifest.json beside these records")) << manifest;
    EXPECT_EQ(blocks<Page::Paragraph>(page, "question").at(0).text, "The records of a.");
    EXPECT_TRUE(blocks<Page::Commands>(page, "repeat").empty());
  }
}

TEST_F(Report, ManifestsTextIsShownAndNeverObeyed) {
  const ReportSource one = source("a");
  record("a/cost.csv", costs);
  record("a/manifest.json", R"({"experiment": {"file": "$(date) `x`.ini",
      "question": "<script>alert(1)</script> ```\n# heading", "claim": "\"><img src=x>"},
      "runs": {"cost <b>": {"started": "<i>", "finished": {"an": "object"},
      "configuration": "[cost]\nmodel = ```</pre><script>\n```\n", "env": "<e>"}},
      "environments": {"<e>": {"cpu": "</td><script>", "<u>": null}}})");
  const Page page = report_page({one}, {}, "");
  const std::string shown = html(page), text = markdown(page);
  for (const char* part :
       {"<script>alert", "<img src=x", "</td><script>", "</pre><script>", "<b>:", "<u>", "<i>,"})
    EXPECT_FALSE(has(shown, part)) << part;
  EXPECT_TRUE(has(shown, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_EQ(blocks<Page::Commands>(page, "repeat").at(0).lines.at(0),
            "convscope run '$(date) `x`.ini'");
  EXPECT_TRUE(has(text, "````sh\n")) << "a fence longer than those in the text";
  EXPECT_FALSE(has(text, "\n# heading"));
}

}  // namespace
}  // namespace convscope

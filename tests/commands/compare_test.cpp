// convscope compare as its user meets it: results in, a table, an exit code, or one line of error.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/commands/convscope_with.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

size_t lines(const std::string& text) { return size_t(std::count(text.begin(), text.end(), '\n')); }

const std::string header = "env,case,repetition,index,ns,disturbed\n";

std::string case_name(const std::string& model, const std::string& engine = "eager",
                      const std::string& threads = "t1") {
  return model + "/3x224x224/cpu/" + threads + "/b1/float32/contiguous/" + engine +
         "/inference/latency";
}

/// Ten repetitions of five samples that vary by 0.4 %, after a warm-up that took much longer.
std::string samples(const std::string& name, double ms, const std::string& env = "e1",
                    int repetitions = 10, int disturbed = 0) {
  std::ostringstream rows;
  for (int r = 0; r <= repetitions; ++r) {
    for (int i = 0; i < 5; ++i) {
      const bool bad = r > 0 && r <= disturbed;
      const double factor = 1 + 0.0004 * (r * 7 % 11) + 0.0001 * i + (r == 0) + 3 * bad;
      rows << env << ',' << name << ',' << r << ',' << i << ',' << std::llround(ms * 1e6 * factor)
           << ',' << (bad ? "true" : "false") << '\n';
    }
  }
  return rows.str();
}

class Compare : public testing::Test {
 protected:
  /// A results folder, and its path.
  std::string results(const std::string& name, const std::string& rows,
                      const std::string& manifest = "") {
    const auto path = folder.path / name;
    std::filesystem::create_directories(path);
    put(path / "samples.csv", header + rows);
    if (!manifest.empty()) put(path / "manifest.json", manifest);
    return path.string();
  }

  Result compare(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "compare");
    return convscope_with(arguments);
  }

  nlohmann::json rows(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "json"});
    const Result result = compare(arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }

  void expect_usage_error(const std::vector<std::string>& arguments, const std::string& words) {
    const Result result = compare(arguments);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(lines(result.err), 1u) << result.err;
    EXPECT_TRUE(contains(result.err, words)) << result.err;
  }

  /// What is said of a file with these bytes.
  void expect_bad_file(const std::string& bytes, const std::string& words) {
    results("bad", "");
    put(folder.path / "bad" / "samples.csv", bytes);
    expect_usage_error({(folder.path / "bad").string(), good}, words);
  }

  TemporaryFolder folder;
  const std::string good = results("good", samples(case_name("vgg16"), 100));
};

TEST_F(Compare, SaysOfEachCaseWhatItIs) {
  const std::string a =
      results("a", samples(case_name("resnet18"), 100) + samples(case_name("resnet50"), 200) +
                       samples(case_name("vgg16"), 300) + samples(case_name("alexnet"), 50));
  const std::string b =
      results("b", samples(case_name("alexnet"), 51) + samples(case_name("resnet18"), 100.5) +
                       samples(case_name("vgg16"), 330) + samples(case_name("resnet50"), 150));
  const auto table = rows({a, b});
  ASSERT_EQ(table.size(), 4u);
  const std::vector<std::string> verdicts = {"SAME", "FASTER", "SLOWER", "UNDECIDED"};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(table[i]["verdict"], verdicts[i]);
  EXPECT_EQ(table[1]["case"], case_name("resnet50"));
  EXPECT_EQ(table[1]["model"], "resnet50");
  EXPECT_NEAR(table[1]["ratio"], 0.75, 1e-9);
  EXPECT_LT(table[1]["ratio_low"], 0.75);
  EXPECT_GT(table[1]["ratio_high"], 0.75);
  EXPECT_NEAR(table[1]["median_a_ms"], 200.44, 0.05);
  EXPECT_EQ(table[1]["repetitions_a"], 10);
  // 2 of the C(20, 10) ways to deal out the ranks, by Holm's correction four times, then three.
  EXPECT_NEAR(table[1]["p"], 4 * 2 / 184756.0, 1e-12);
  EXPECT_TRUE(contains(table[3]["reason"], "where 2 % counts"));
  EXPECT_TRUE(table[0]["reason"].is_null());
}

TEST_F(Compare, PeopleSeeOnlyWhatVaries) {
  const std::string a = results("a", samples(case_name("resnet18", "eager", "t1"), 100) +
                                         samples(case_name("resnet18", "eager", "t2"), 60));
  const std::string b = results("b", samples(case_name("resnet18", "eager", "t1"), 100) +
                                         samples(case_name("resnet18", "eager", "t2"), 60));
  const Result result = compare({a, b});
  EXPECT_EQ(result.code, 0);
  const std::string first = result.out.substr(0, result.out.find('\n'));
  for (const char* heading : {"Network", "Threads", "A (ms)", "B/A", "B is"}) {
    EXPECT_TRUE(contains(first, heading)) << first;
  }
  for (const char* heading : {"Engine", "Device", "Case", "Why"}) {
    EXPECT_FALSE(contains(first, heading)) << first;
  }
  EXPECT_EQ(result.err,
            "2 compared: 0 FASTER, 0 SLOWER, 2 SAME, 0 UNDECIDED; a change counts from 2 % (A/A "
            "floor: none is known; 'convscope calibrate' measures it, or --floor says one)\n");
}

TEST_F(Compare, NamesThatAreNotOursAreMatchedWhole) {
  const std::string a = results("a", samples("mine", 100)), b = results("b", samples("mine", 120));
  const Result result = compare({a, b});
  EXPECT_TRUE(contains(result.out, "mine")) << result.out;
  EXPECT_TRUE(contains(result.out, "SLOWER")) << result.out;
}

TEST_F(Compare, TakesFoldersSummariesAndSamples) {
  put(folder.path / "good" / "bench.csv", "env,model,median_ms\n");
  const std::string other = results("other", samples(case_name("vgg16"), 100));
  for (const std::string& path : {good, good + "/", good + "/bench.csv", good + "/samples.csv"}) {
    EXPECT_EQ(rows({path, other}).size(), 1u) << path;
  }
}

TEST_F(Compare, FailsOnWhatItIsAskedTo) {
  const std::string slower = results("slower", samples(case_name("vgg16"), 110));
  const std::string unsure = results("unsure", samples(case_name("vgg16"), 102));
  EXPECT_EQ(compare({good, slower}).code, 0);
  EXPECT_EQ(compare({good, slower, "--fail-on", "regression"}).code, 3);
  EXPECT_EQ(compare({good, slower, "--fail-on", "undecided"}).code, 0);
  EXPECT_EQ(compare({slower, good, "--fail-on", "regression,undecided"}).code, 0);
  EXPECT_EQ(compare({good, unsure, "--fail-on", "undecided"}).code, 4);
  EXPECT_EQ(compare({good, unsure, "--fail-on", "regression"}).code, 0);
  expect_usage_error({good, slower, "--fail-on", "regresion"}, "did you mean 'regression'?");
}

TEST_F(Compare, FloorMovesWhatCounts) {
  const std::string b = results("b", samples(case_name("vgg16"), 105));
  EXPECT_EQ(rows({good, b})[0]["verdict"], "SLOWER");
  EXPECT_EQ(rows({good, b, "--floor", "0.5"})[0]["verdict"], "SLOWER");
  EXPECT_EQ(rows({good, b, "--floor", "4"})[0]["verdict"], "SAME");
  for (const char* wrong : {"x", "-1", "nan", "1%", "100"}) {
    expect_usage_error({good, b, "--floor", wrong}, "expected per cent");
  }
}

TEST_F(Compare, CasesOfOneSideOnlyAreNamed) {
  const std::string a =
      results("a", samples(case_name("vgg16"), 100) + samples(case_name("alexnet"), 50));
  const std::string b =
      results("b", samples(case_name("vgg16"), 100) + samples(case_name("resnet18"), 50));
  const Result result = compare({a, b});
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(contains(result.err, "only in A: alexnet/")) << result.err;
  EXPECT_TRUE(contains(result.err, "only in B: resnet18/")) << result.err;
}

TEST_F(Compare, FilesWithNothingInCommonAreAnErrorThatSuggestsWhatWouldMatch) {
  const std::string eager = results("eager", samples(case_name("vgg16", "eager"), 100));
  const std::string frozen = results("frozen", samples(case_name("vgg16", "frozen"), 50));
  const Result result = compare({eager, frozen});
  EXPECT_EQ(result.code, 2);
  EXPECT_TRUE(contains(result.err, "did you mean --by engine=eager,frozen?")) << result.err;
  EXPECT_EQ(rows({eager, frozen, "--by", "engine=eager,frozen"})[0]["verdict"], "FASTER");
}

TEST_F(Compare, ByPairsTheCasesOfOneFile) {
  const std::string both = results("both", samples(case_name("vgg16", "eager"), 100) +
                                               samples(case_name("vgg16", "frozen"), 60) +
                                               samples(case_name("vgg16", "eager", "t2"), 60) +
                                               samples(case_name("alexnet", "frozen"), 10) +
                                               samples(case_name("vgg16", "frozen", "t2"), 60));
  const auto table = rows({both, "--by", "engine=eager,frozen"});
  ASSERT_EQ(table.size(), 2u);
  EXPECT_NEAR(table[0]["ratio"], 0.6, 1e-9);
  EXPECT_EQ(table[0]["engine"], "eager vs frozen");
  EXPECT_EQ(table[0]["threads"], 1);
  EXPECT_EQ(table[1]["verdict"], "SAME");
  EXPECT_EQ(rows({both, "--by", "threads=2,1"})[0]["verdict"], "SLOWER");
  const Result result = compare({both, "--by", "engine=eager,frozen"});
  EXPECT_TRUE(contains(result.err, "only in B: alexnet/")) << result.err;
  EXPECT_TRUE(contains(result.err, "A: engine eager; B: frozen")) << result.err;

  expect_usage_error({both, "--by", "engin=eager,frozen"}, "did you mean 'engine'?");
  expect_usage_error({both, "--by", "engine=eager,frosen"}, "did you mean 'frozen'?");
  expect_usage_error({both, "--by", "engine=eager"}, "expected two values");
  expect_usage_error({both, "--by", "engine=eager,"}, "expected two values");
  expect_usage_error({both, "--by", "engine=eager,frozen,onnx"}, "expected two values");
  expect_usage_error({both, "--by", "engine=eager,eager"}, "with itself");
  expect_usage_error({both, "--by", "engine"}, "expected two values");
  expect_usage_error({good, "--by", "model=vgg16,vgg19"}, "no case with model 'vgg19'");
}

TEST_F(Compare, EnvironmentsAreComparedOnlyWhereTheDifferenceIsNamed) {
  const auto manifest = [](const std::string& id, const std::string& commit) {
    return R"({"environments": {")" + id + R"(": {"commit": ")" + commit +
           R"(", "cpu": "X", "cores": "2"}}})";
  };
  const std::string a = results("a", samples(case_name("vgg16"), 100, "e1"), manifest("e1", "abc"));
  const std::string b = results("b", samples(case_name("vgg16"), 100, "e2"), manifest("e2", "def"));
  expect_usage_error({a, b},
                     "A and B were measured in different environments: commit (abc / def); say "
                     "--across commit if that is what you compare");
  expect_usage_error({a, b, "--across", "cpu"}, "say --across commit");
  expect_usage_error({a, b, "--across", "comit"}, "did you mean 'commit'?");
  expect_usage_error({a, a + "/../b", "--across", "weather"}, "there are env, commit, cores, cpu");
  const Result named = compare({a, b, "--across", "cpu,commit"});
  EXPECT_EQ(named.code, 0) << named.err;
  EXPECT_TRUE(contains(named.err, "note: across commit (abc / def)")) << named.err;
}

TEST_F(Compare, EnvironmentsThatNoManifestTellsOfAreDifferent) {
  const std::string b = results("b", samples(case_name("vgg16"), 100, "e2"));
  expect_usage_error({good, b}, "env (e1, e2; no manifest.json says what they are)");
  EXPECT_EQ(compare({good, b, "--across", "env"}).code, 0);
}

TEST_F(Compare, SeveralEnvironmentsInOneFileAreRefusedLikewise) {
  const std::string manifest =
      R"({"environments": {"e1": {"commit": "abc"}, "e2": {"commit": "def"}}})";
  const std::string both = results("both",
                                   samples(case_name("vgg16", "eager"), 100, "e1") +
                                       samples(case_name("vgg16", "frozen"), 60, "e2"),
                                   manifest);
  expect_usage_error({both, "--by", "engine=eager,frozen"}, "commit (abc / def)");
  const std::string a =
      results("a", samples(case_name("vgg16"), 100, "e1") + samples(case_name("alexnet"), 60, "e2"),
              manifest);
  const std::string b =
      results("b", samples(case_name("vgg16"), 100, "e1") + samples(case_name("alexnet"), 60, "e1"),
              manifest);
  expect_usage_error({a, b}, "one side were measured in several environments: commit (abc / def)");
  EXPECT_EQ(compare({a, b, "--across", "commit"}).code, 0);
  // One case of two environments cannot be saved by naming them.
  const std::string mixed = results(
      "mixed", samples(case_name("vgg16"), 100, "e1") + samples(case_name("vgg16"), 60, "e2"),
      manifest);
  expect_usage_error({mixed, good, "--across", "commit"},
                     "was measured in two environments, which differ in commit");
}

TEST_F(Compare, DisturbedRepetitionsAreLeftOutOrTheVerdictSaysSo) {
  const std::string few = results("few", samples(case_name("vgg16"), 100, "e1", 10, 4));
  const std::string many = results("many", samples(case_name("vgg16"), 100, "e1", 10, 7));
  const auto row = rows({good, few})[0];
  EXPECT_EQ(row["verdict"], "SAME");
  EXPECT_EQ(row["repetitions_b"], 6);
  EXPECT_EQ(rows({good, many})[0]["verdict"], "UNDECIDED");
  EXPECT_EQ(rows({good, many})[0]["reason"], "disturbed: 7 of 10 repetitions of B");
}

TEST_F(Compare, TooFewRepetitionsAreSaidAndNoted) {
  const std::string a = results("a", samples(case_name("vgg16"), 100, "e1", 3));
  const std::string b = results("b", samples(case_name("vgg16"), 200, "e1", 3));
  const Result result = compare({a, b});
  EXPECT_TRUE(contains(result.out, "3 against 3 repetitions are too few: a case needs 4"))
      << result.out;
  EXPECT_TRUE(contains(result.err, "note: 1 of 1 have fewer than 9 repetitions")) << result.err;
  // Only the warm-up was written.
  const std::string none = results("none", samples(case_name("vgg16"), 100, "e1", 0));
  EXPECT_EQ(rows({none, b})[0]["reason"], "no measured repetition");
}

TEST_F(Compare, CaseThatWasMeasuredAgainCountsAsItWasMeasuredLast) {
  const std::string again = results(
      "again", samples(case_name("vgg16"), 500, "e1", 3) + samples(case_name("vgg16"), 100));
  const Result result = compare({again, good, "--format", "csv"});
  EXPECT_TRUE(contains(result.out, "SAME")) << result.out;
  EXPECT_TRUE(contains(result.err, "of 1 that were measured again, the last time counts"))
      << result.err;
}

TEST_F(Compare, TornLastRowIsLeftOutAndSaid) {
  const std::string torn = results("torn", samples(case_name("vgg16"), 100) + "e1,vgg16/3x2");
  const Result result = compare({torn, good});
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(contains(result.err, "left out a torn last row")) << result.err;
}

TEST_F(Compare, MistakesGetOneLine) {
  const std::string none = (folder.path / "none").string();
  expect_usage_error({}, "expected two results");
  expect_usage_error({good}, "expected two results");
  expect_usage_error({good, good, good}, "found 3");
  expect_usage_error({good, none}, "no such file or folder");
  expect_usage_error({good, std::string(5000, 'x')}, "File name too long");
  expect_usage_error({good, folder.path.string()}, "has no samples.csv");
  expect_usage_error({good, good + "/samples.csv"}, "A and B are both");
  expect_usage_error({good, good, "--accross", "cpu"}, "did you mean '--across'?");
}

TEST_F(Compare, BadFilesAreNamedWithTheirLine) {
  expect_bad_file("", "it is empty");
  expect_bad_file(header, "has no samples");
  expect_bad_file("env,case,repetition,index\ne1,x,1,0\n", "has no column 'ns'");
  const std::string start = header + "e1,x,1,0,100,false\n";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"e1,x,1,1,fast,false", "line 3, column 'ns': expected a positive number"},
      {"e1,x,1,1,-5,false", "found '-5'"},
      {"e1,x,1,1,0,false", "found '0'"},
      {"e1,x,1,1,nan,false", "found 'nan'"},
      {"e1,x,1,1,inf,false", "found 'inf'"},
      {"e1,x,1,1,,false", "found ''"},
      {"e1,x,-1,1,100,false", "column 'repetition'"},
      {"e1,x,1,one,100,false", "column 'index'"},
      {"e1,x,1,1,100,maybe", "expected true or false, found 'maybe'"},
      {"e1,x,1,1,100", "expected 6 fields, found 5"},
  };
  for (const auto& [row, words] : rows) expect_bad_file(start + row + "\n", words);
}

}  // namespace
}  // namespace convscope

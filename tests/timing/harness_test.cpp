// What a row says of its samples, on made-up blocks; and real cases in processes of their own.
#include "suite/timing/harness.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "architectures/catalogue.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

constexpr double ms = 1e6;

BenchBlock block(int64_t repetition, double ns, const std::string& disturbed = "") {
  BenchBlock made{repetition, 0.4, 1, {}, {}};
  for (int i = 0; i < 40; ++i) made.ns.push_back(ns * (1 + 0.0001 * (i % 5)));
  made.disturbance.reason = disturbed;
  return made;
}

/// Ten blocks whose medians spread over `spread` of 10 ms.
BenchResult ten_blocks(double spread) {
  BenchResult result;
  for (int i = 0; i < 10; ++i)
    result.blocks.push_back(block(i + 1, 10 * ms * (1 + spread * i / 9)));
  return result;
}

TEST(Judge, SteadyBlocksAreOk) {
  BenchResult result = ten_blocks(0.004);
  judge(result, {});
  EXPECT_EQ(result.status, "ok");
  EXPECT_EQ(result.reason, "");
  EXPECT_EQ(result.summary.samples, 400u);
  ASSERT_TRUE(result.summary.interval);
  EXPECT_LE(result.summary.interval->low, result.summary.median);
  EXPECT_GE(result.summary.interval->high, result.summary.median);
}

TEST(Judge, BlocksThatDisagreeAreNoisyAndSayByHowMuch) {
  BenchResult result = ten_blocks(0.1);
  judge(result, {});
  EXPECT_EQ(result.status, "noisy");
  EXPECT_NE(result.reason.find("% to either side"), std::string::npos) << result.reason;
}

TEST(Judge, DisturbedBlocksAreLeftOutWhereEnoughOthersAreThere) {
  BenchResult result = ten_blocks(0.004);
  for (int i = 0; i < 4; ++i) result.blocks.push_back(block(3, 50 * ms, "somebody else"));
  judge(result, {});
  EXPECT_EQ(result.status, "ok");
  EXPECT_EQ(result.summary.samples, 400u);
  EXPECT_LT(result.summary.median, 11 * ms);
  EXPECT_EQ(result.reason, "4 of 14 blocks were disturbed (somebody else)");
}

TEST(Judge, WhereMostIsDisturbedTheRowSaysSo) {
  BenchResult result;
  for (int i = 0; i < 10; ++i) {
    result.blocks.push_back(block(i + 1, 10 * ms, i < 3 ? "" : "somebody else"));
  }
  judge(result, {});
  EXPECT_EQ(result.status, "disturbed");
  EXPECT_EQ(result.summary.samples, 400u);
}

TEST(Judge, AQuickLookIsMarkedWhateverItFinds) {
  const BenchRule rule = quick({});
  BenchResult result = ten_blocks(0.2);
  judge(result, rule);
  EXPECT_EQ(result.status, "quick");
  result.blocks = {block(1, 10 * ms, "somebody else")};
  judge(result, rule);
  EXPECT_EQ(result.status, "disturbed");
  EXPECT_NE(result.reason.find("quick"), std::string::npos);
}

TEST(Judge, WorkThatIsMostlyHandedOverIsCalledHostBound) {
  BenchResult result = ten_blocks(0.004);
  result.enqueue_share = 0.93;
  judge(result, {});
  EXPECT_EQ(result.reason, "host-bound: handing work to the device takes 93 % of the time");
}

BenchCase lenet() { return usual_case(find_architecture("lenet5")); }

std::vector<BenchResult> measured_by(const std::filesystem::path& program,
                                     std::vector<BenchCase> cases, const BenchRule& rule) {
  for (BenchCase& c : cases) c.program = program;
  std::map<size_t, std::vector<BenchResult>> in_order;
  BenchEvents events;
  events.finished = [&](size_t place, const std::vector<BenchResult>& parts) {
    in_order[place] = parts;
  };
  measure(cases, rule, events);
  std::vector<BenchResult> results;
  for (const auto& [place, parts] : in_order) {
    results.insert(results.end(), parts.begin(), parts.end());
  }
  return results;
}

TEST(Harness, MeasuresEachCaseInItsOwnProcess) {
  BenchCase frozen = lenet();
  frozen.engine = "frozen";
  const auto results = measured_by(CONVSCOPE_PROGRAM, {lenet(), frozen}, quick({}));
  ASSERT_EQ(results.size(), 2u);
  for (const BenchResult& result : results) {
    EXPECT_FALSE(result.failed()) << result.reason;
    EXPECT_GT(result.summary.median, 0);
    EXPECT_GT(result.first_ns, 0);
    EXPECT_GT(result.peak_bytes, 242 << 10);  // its weights
    EXPECT_GE(result.blocks.size(), 3u);
  }
  EXPECT_LT(results[0].difference, 0);
  EXPECT_GE(results[1].difference, 0);
  EXPECT_LT(results[1].difference, 1e-4);
}

TEST(Harness, ATrainingStepIsItsParts) {
  BenchCase step = lenet();
  step.mode = "train";
  step.batch = 4;
  step.scenario = "throughput";
  BenchRule rule = quick({});
  rule.in_process = true;
  const auto parts = measured_by({}, {step}, rule);
  ASSERT_EQ(parts.size(), 4u);
  ASSERT_FALSE(parts[0].failed()) << parts[0].reason;
  EXPECT_EQ(parts[0].bench_case.mode, "train");
  EXPECT_EQ(parts[3].bench_case.mode, "train_optimizer");
  for (size_t i = 0; i < parts[0].blocks.size(); ++i) {
    for (size_t j = 0; j < parts[0].blocks[i].ns.size(); ++j) {
      double sum = 0;
      for (size_t part = 1; part < 4; ++part) sum += parts[part].blocks[i].ns[j];
      EXPECT_DOUBLE_EQ(parts[0].blocks[i].ns[j], sum);
    }
  }
}

/// A program that is started as a case's process and does this instead.
std::filesystem::path pretending(const TemporaryFolder& folder, const std::string& script) {
  const std::filesystem::path path = folder.path / "program";
  put(path, "#!/bin/sh\n" + script + "\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

TEST(Harness, AKilledProcessFailsItsOwnCaseOnly) {
  const TemporaryFolder folder;
  // The first process is killed while it works; those after it are real.
  const auto program = pretending(folder, "mkdir '" + folder.path.string() +
                                              "/first' 2>/dev/null && { read line; kill -9 $$; }\n"
                                              "exec '" CONVSCOPE_PROGRAM "' \"$@\"");
  const auto results = measured_by(program, {lenet(), lenet()}, quick({}));
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(results[0].failed());
  EXPECT_NE(results[0].reason.find("killed by signal 9"), std::string::npos) << results[0].reason;
  EXPECT_FALSE(results[1].failed()) << results[1].reason;
}

TEST(Harness, AnotherProgramThatAnswersNonsenseIsNamedNotBelieved) {
  const TemporaryFolder folder;
  const auto talks = measured_by(pretending(folder, "read line; echo hello"), {lenet()}, quick({}));
  EXPECT_TRUE(talks[0].failed());
  EXPECT_NE(talks[0].reason.find("answered 'hello'"), std::string::npos) << talks[0].reason;
  const auto ends = measured_by(pretending(folder, "exit 3"), {lenet()}, quick({}));
  EXPECT_NE(ends[0].reason.find("exit code 3"), std::string::npos) << ends[0].reason;
  const auto missing = measured_by(folder.path / "nothing", {lenet()}, quick({}));
  EXPECT_NE(missing[0].reason.find("cannot start"), std::string::npos) << missing[0].reason;
}

TEST(Harness, FlagsOfGoogleBenchmarkAreObeyedOrRefused) {
  BenchRule rule = quick({});
  const TemporaryFolder folder;
  const std::string out = (folder.path / "out.json").string();
  rule.benchmark_flags = {"--benchmark_repetitions=5", "--benchmark_out=" + out};
  const auto results = measured_by(CONVSCOPE_PROGRAM, {lenet()}, rule);
  EXPECT_GE(results.at(0).blocks.back().repetition, 5);
  EXPECT_NE(contents(out).find("lenet5/3x32x32/cpu"), std::string::npos);
  rule.benchmark_flags = {"--benchmark_min_time=3"};
  EXPECT_NE(message_of<std::invalid_argument>([&] {
              measured_by({}, {lenet()}, rule);
            }).find("'--benchmark_min_time=3' is not taken"),
            std::string::npos);
}

TEST(Harness, WhatOthersSayIsInGoogleBenchmarksFile) {
  const TemporaryFolder folder;
  const std::string out = (folder.path / "out.json").string();
  BenchRule rule = quick({});
  rule.benchmark_flags = {"--benchmark_context=who=me,why=so", "--benchmark_out=" + out};
  for (int again = 0; again < 2; ++again) {  // its own flag is taken once in a process
    testing::internal::CaptureStderr();
    measured_by(CONVSCOPE_PROGRAM, {lenet()}, rule);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_NE(contents(out).find("\"why\": \"so\""), std::string::npos);
  }
  EXPECT_THROW(check_benchmark_flags({"--benchmark_context=me"}), std::invalid_argument);
  EXPECT_THROW(check_benchmark_flags({"--benchmark_repetitions=12abc"}), std::invalid_argument);
}

TEST(Harness, CasesInTurnsFitIntoMemoryTogether) {
  BenchCase large = lenet();
  large.predicted_peak_bytes = 100;
  BenchCase unknown = lenet();
  const std::vector<BenchCase> cases = {large, large, unknown, large, large};
  BenchRule rule;
  rule.interleave = 4;
  EXPECT_EQ(in_turns(cases, 0, rule, 1000), 4u);
  EXPECT_EQ(in_turns(cases, 2, rule, 1000), 3u);  // no more are there
  EXPECT_EQ(in_turns(cases, 0, rule, 400), 3u);
  EXPECT_EQ(in_turns(cases, 0, rule, 10), 1u);
  EXPECT_EQ(in_turns(cases, 0, rule, -1), 4u);
  rule.in_process = true;
  EXPECT_EQ(in_turns(cases, 0, rule, 1000), 1u);
}

TEST(Harness, AFilterPicksCasesByTheirNames) {
  BenchCase frozen = lenet();
  frozen.engine = "frozen";
  const auto engines = [&](const std::string& filter) {
    std::string names;
    for (const BenchCase& c : filtered({lenet(), frozen}, {"--benchmark_filter=" + filter})) {
      names += c.engine + " ";
    }
    return names;
  };
  EXPECT_EQ(engines("frozen"), "frozen ");
  EXPECT_EQ(engines("-frozen"), "eager ");
  EXPECT_EQ(engines("latency$"), "eager frozen ");
  EXPECT_THROW(engines("("), std::invalid_argument);
}

}  // namespace
}  // namespace convscope

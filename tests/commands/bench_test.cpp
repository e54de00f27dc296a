// convscope bench from the outside: its rows, what it refuses, and that nothing finished is lost.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "architectures/catalogue.h"
#include "suite/commands/bench_rows.h"
#include "suite/report/csv_file.h"
#include "suite/report/text.h"
#include "suite/timing/statistics.h"
#include "tests/commands/convscope_with.h"
#include "tests/commands/started.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

Result bench(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"bench", "--program", CONVSCOPE_PROGRAM});
  return convscope_with(arguments);
}

TEST(BenchCommand, ARowAgreesWithItsSamples) {
  const TemporaryFolder folder;
  const Result result = bench({"lenet5", "lenet5_1998", "--quick", "--engine", "eager,frozen",
                               "--results", folder.path.string(), "--format", "csv"});
  ASSERT_EQ(result.code, 0) << result.err;
  const CsvFile rows = read_csv(folder.path / "bench.csv");
  EXPECT_EQ(result.out, contents(folder.path / "bench.csv"));
  ASSERT_EQ(rows.rows.size(), 4u);
  const CsvFile samples = read_csv(folder.path / "samples.csv");
  const auto cases = texts(samples, "case");
  const auto repetition = integers(samples, "repetition");
  const auto ns = numbers(samples, "ns");
  const auto disturbed = texts(samples, "disturbed");
  for (size_t row = 0; row < rows.rows.size(); ++row) {
    std::vector<double> all, clean;
    for (size_t i = 0; i < cases.size(); ++i) {
      if (cases[i] != texts(rows, "case")[row] || repetition[i] == 0) continue;
      all.push_back(ns[i]);
      if (disturbed[i] == "false") clean.push_back(ns[i]);
    }
    const auto count = static_cast<size_t>(integers(rows, "samples")[row]);
    ASSERT_TRUE(count == all.size() || count == clean.size());
    EXPECT_NEAR(numbers(rows, "median_ms")[row] * 1e6, median(count == all.size() ? all : clean),
                1);
    EXPECT_EQ(numbers(rows, "predicted_peak_bytes")[row] > 0, true);
  }
}

TEST(BenchCommand, TheColumnsAreThoseOfTheContract) {
  const Table table = bench_table({});
  std::string names;
  for (const TableColumn& column : table.columns) names += column.name + ",";
  EXPECT_EQ(names.find("env,model,input,device,threads,batch,precision,layout,engine,mode,scenario,"
                       "samples,median_ms,ci_low_ms,ci_high_ms,min_ms,iqr_ms,p90_ms,p95_ms,p99_ms,"
                       "first_ms,second_ms,images_per_s,gflop_per_s,peak_share,peak_bytes,"
                       "predicted_peak_bytes,status,reason,case,"),
            0u);
}

TEST(BenchCommand, OnlyTheDigitsThatTheIntervalSupports) {
  EXPECT_EQ(with_interval(9.8731, 9.83, 9.915), "9.87 ± 0.04");
  EXPECT_EQ(with_interval(1234.5, 1190, 1270), "1230 ± 40");
  EXPECT_EQ(with_interval(0.0812345, 0.0811, 0.0813), "0.0812 ± 0.0001");
}

TEST(BenchCommand, WhatCannotBeMeasuredIsSaidAndTheRestIsMeasured) {
  const Result result = bench({"lenet5", "--quick", "--batch", "1,100000000", "--format", "csv"});
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(contains(result.err, "a batch of 100000000 does not fit: it needs about"))
      << result.err;
  EXPECT_TRUE(contains(result.out, ",failed,")) << result.out;
  EXPECT_TRUE(contains(result.out, ",quick,") || contains(result.out, ",disturbed,")) << result.out;
}

TEST(BenchCommand, WrongWordsAreOneLineAndCode2) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"lenet5", "--threads", "4096"}, "4096 threads would wait for each other"},
      {{"lenet5", "--device", "gpu"}, "--device 'gpu' is none of"},
      {{"lenet5", "--engine", "frosen"}, "did you mean 'frozen'"},
      {{"lenet5", "--engine", "frozen", "--mode", "train"}, "a frozen network does not train"},
      {{"lenet5", "--precision", "float16"}, "float16 is for GPUs"},
      {{"lenet5", "--scenario", "latency", "--batch", "8"}, "a batch of 8 is throughput"},
      {{"lenet5", "--min-time", "-1"}, "--min-time '-1' is no number above 0"},
      {{"lenet5", "--batch", "8-1*2"}, "--batch '8-1*2' is no whole number"},
      {{"lenet5", "--mode", "loader"}, "--mode loader needs --data"},
      {{"lenet5", "--resume"}, "--resume needs --results"},
      {{"lenet5", "--", "--benchmark_filter=nothing"}, "--benchmark_filter leaves no case"},
      {{"lenet5", "--", "--what"}, "'--what' is not taken"},
      {{"lenet5", "--memory", "1GiB"}, "--memory is the budget of --largest-batch"},
      {{"lenet5", "--largest-batch", "--memory", "lots"}, "--memory 'lots' is no size"},
      {{"lenet5", "--largest-batch", "--memory", "1EB"}, "--memory '1EB' is no size"},
      {{"lenet5", "--largest-batch", "--memory", "900TiB"}, "is more than the"},
      {{"lenet5", "--largest-batch", "--batch", "8"}, "leave --batch and --scenario out"},
      {{"lenet5", "--largest-batch", "--resume"}, "--resume does nothing with --largest-batch"},
      {{"lenet5", "--largest-batch", "--mode", "loader", "--data", "."}, "not of --mode loader"},
      {{"lenet5", "--largest-batch", "--layers"}, "four questions"},
      {{""}, "--model '' says nothing"},
      {{"lenet5", "--batch", ""}, "--batch '' says nothing"},
      {{"lenet5", "--data", "."}, "--data is of --mode loader"},
      {{"lenet5", "--kernel", "5"}, "--kernel is of --operators"},
      {{"lenet5", "--mode", "inference,loader", "--data", "/no/such/folder"}, "/no/such/folder"},
      {{"lenet5", "--layers"}, "--program does nothing with --layers"},
  };
  for (const auto& [words, part] : wrong) {
    const Result result = bench(words);
    EXPECT_EQ(result.code, 2) << part;
    EXPECT_TRUE(contains(result.err, part)) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST(BenchCommand, WhatWouldDoNothingIsRefused) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"lenet5", "--operators"}, "naming networks does nothing with --operators"},
      {{"--operators", "--resume", "--results", "x"}, "--resume does nothing with --operators"},
      {{"lenet5", "--layers", "--min-time", "3"}, "--min-time does nothing with --layers"},
      {{"lenet5", "--layers", "--", "--benchmark_filter=x"}, "--benchmark-flag does nothing"},
      {{"lenet5", "--largest-batch", "--quick"}, "--quick does nothing with --largest-batch"},
      {{"--ranking", "x", "--timeout", "9"}, "--timeout does nothing with --ranking"},
      {{"--ranking", "/no/such/file"}, "cannot read /no/such/file"},
      {{"lenet5", "--program", "/no/such/program"}, "'/no/such/program' is no program"},
  };
  for (const auto& [words, part] : wrong) {
    std::vector<std::string> arguments = words;
    arguments.insert(arguments.begin(), "bench");
    const Result result = convscope_with(arguments);
    EXPECT_EQ(result.code, 2) << part;
    EXPECT_TRUE(contains(result.err, part)) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST(BenchCommand, DryRunListsWhatAQuestionWouldTime) {
  EXPECT_EQ(convscope_with({"bench", "lenet5", "--auxiliary", "--layers", "--dry-run"}).out,
            "lenet5:auxiliary/3x32x32/cpu/t1/b1/float32/contiguous/eager/inference/latency\n");
  const Result operators = convscope_with({"bench", "--operators", "--dry-run"});
  EXPECT_EQ(operators.code, 0) << operators.err;
  EXPECT_GT(std::count(operators.out.begin(), operators.out.end(), '\n'), 2);
}

TEST(BenchCommand, WhatSomebodySaysGoesBeforeWhatIsQuick) {
  const auto rule_of = [](const std::vector<std::string>& words) {
    const Command command = bench_command();
    const po::variables_map values = gather(command, {words, {}, {}, nullptr});
    std::ostringstream out, err;
    return bench_rule({command, words, values, out, err});
  };
  const BenchRule usual = quick({});
  const BenchRule same = rule_of({"--quick"});
  EXPECT_TRUE(same.quick);
  EXPECT_EQ(same.seconds, usual.seconds);
  EXPECT_EQ(same.timeout, usual.timeout);
  EXPECT_EQ(same.warm_up.seconds, usual.warm_up.seconds);
  const BenchRule longer = rule_of({"--quick", "--min-time", "3", "--warmup=2"});
  EXPECT_TRUE(longer.quick);
  EXPECT_EQ(longer.seconds, 3);
  EXPECT_EQ(longer.timeout, 3);
  EXPECT_EQ(longer.warm_up.seconds, 2);
  EXPECT_GE(longer.warm_up.limit_s, 2);
  EXPECT_EQ(rule_of({}).seconds, 3);
  EXPECT_EQ(rule_of({}).timeout, 30);
}

TEST(BenchCommand, DumpedSettingsAreTakenAgain) {
  const TemporaryFolder folder;
  const std::string file = folder.path / "dumped.ini";
  for (const char* question : {"--layers", "--quick"}) {
    std::ofstream(file) << convscope_with({"bench", "lenet5", question, "--dump-config"}).out;
    const Result again = convscope_with({"bench", "--config", file, "--dry-run"});
    EXPECT_EQ(again.code, 0) << again.err;
  }
}

TEST(BenchCommand, ATornRankingIsRanked) {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "bench.csv")
      << "env,model,input,device,threads,batch,precision,layout,engine,mode,scenario,median_ms,"
         "ci_low_ms,ci_high_ms,status,case\n"
         "e,mobilenet_v2,3x224x224,cpu,1,1,float32,contiguous,eager,inference,latency,20,19,21,ok,"
         "mobilenet_v2:width=0.5/3x224x224/cpu\n"
         "e,alexnet,3x224x224,cpu,1,1,float32,contiguous,eager,inference,latency,10,9,11,ok,"
         "alexnet/3x224x224/cpu\n"
         "e,alex";
  const Result result = convscope_with({"bench", "--ranking", folder.path.string()});
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(contains(result.err, "left out a torn last row")) << result.err;
  EXPECT_TRUE(contains(result.out, "mobilenet_v2:width=0.5")) << result.out;
  std::ofstream(folder.path / "bench.csv", std::ios::app) << "\n";
  EXPECT_EQ(convscope_with({"bench", "--ranking", folder.path.string()}).code, 2);
}

BenchRow row_of(const std::string& mode, const std::string& status) {
  BenchRow row;
  row.env = "here";
  row.result.bench_case = usual_case(find_architecture("lenet5"));
  row.result.bench_case.mode = mode;
  row.result.status = status.substr(0, status.find(';'));
  row.result.reason = row.result.status == status ? "" : "7 of 7 blocks were " + status;
  BenchBlock block{};
  block.repetition = 1;
  block.ns = {1000, 1001};
  row.result.blocks = {block};
  return row;
}

/// What a run that asks for these modes finds finished of a folder with these rows.
std::vector<bool> finished(const std::vector<std::pair<std::string, std::string>>& rows, bool quick,
                           const std::vector<std::string>& modes) {
  const TemporaryFolder folder;
  std::ostringstream err;
  {
    BenchRecords before(folder.path, err);
    for (const auto& [mode, status] : rows) before.write(row_of(mode, status));
  }
  std::vector<BenchCase> cases;
  for (const std::string& mode : modes) cases.push_back(row_of(mode, "").result.bench_case);
  const BenchRecords after(folder.path, "here", quick, cases, err);
  EXPECT_EQ(after.kept() + after.dropped(), static_cast<int64_t>(rows.size()));
  EXPECT_EQ(after.kept(), static_cast<int64_t>(read_csv(folder.path / "bench.csv").rows.size()));
  std::vector<bool> has;
  for (const BenchCase& bench_case : cases) has.push_back(after.has(bench_case));
  return has;
}

TEST(BenchRecords, OnlyWhatIsFinishedIsNotMeasuredAgain) {
  using Found = std::vector<bool>;
  for (const char* status : {"ok", "noisy", "disturbed"}) {
    EXPECT_EQ(finished({{"inference", status}}, false, {"inference", "loader"}),
              Found({true, false}));
  }
  EXPECT_EQ(finished({{"inference", "failed"}}, false, {"inference"}), Found({false}));
  EXPECT_EQ(finished({{"inference", "quick"}}, false, {"inference"}), Found({false}));
  EXPECT_EQ(finished({{"inference", "quick"}}, true, {"inference"}), Found({true}));
  EXPECT_EQ(finished({{"inference", "disturbed; quick"}}, false, {"inference"}), Found({false}));
  EXPECT_EQ(finished({{"inference", "disturbed; quick"}}, true, {"inference"}), Found({true}));
  EXPECT_EQ(finished({{"train", "ok"}, {"train_forward", "ok"}}, false, {"train"}), Found({false}));
  EXPECT_EQ(finished({{"train", "ok"},
                      {"train_forward", "ok"},
                      {"train_backward", "noisy"},
                      {"train_optimizer", "ok"}},
                     false, {"train"}),
            Found({true}));
}

TEST(BenchRecords, RowsThatAreThereAreNotLost) {
  const TemporaryFolder folder;
  std::ostringstream err;
  BenchRecords(folder.path, err).write(row_of("inference", "ok"));
  const std::string before = contents(folder.path / "bench.csv");
  const auto refusal = [&](const auto& open) -> std::string {
    try {
      open();
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const auto resume = [&](const std::string& env) {
    return [&folder, &err, env] { BenchRecords(folder.path, env, false, {}, err); };
  };
  EXPECT_TRUE(contains(refusal([&] { BenchRecords(folder.path, err); }),
                       "holds 1 row: --resume goes on with them"));
  EXPECT_TRUE(
      contains(refusal(resume("there")), "measured in environment here, and this is there"));
  EXPECT_EQ(refusal(resume("here")), "");
  std::ofstream(folder.path / "samples.csv", std::ios::app) << "1,2\nhere,x,1,1,1,false\n";
  EXPECT_TRUE(contains(refusal(resume("here")), "expected 6 fields, found 2"));
  EXPECT_EQ(contents(folder.path / "bench.csv"), before);
}

TEST(NewRecord, ReplacesAnEarlierOneWithItsFirstRow) {
  const TemporaryFolder folder;
  std::ostringstream err;
  const auto path = folder.path / "a.csv";
  NewRecord(folder.path, "a.csv", {"x"}, err).write({int64_t{1}});
  {
    NewRecord second(folder.path, "a.csv", {"x"}, err);
    EXPECT_EQ(contents(path), "x\n1\n");
    second.write({int64_t{2}});
    second.write({int64_t{3}});
    EXPECT_EQ(contents(path), "x\n2\n3\n");
  }
  { const NewRecord empty(folder.path, "a.csv", {"x"}, err); }
  EXPECT_EQ(contents(path), "x\n2\n3\n");
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".unfinished"));
}

TEST(BenchCommand, SizesOfMemoryAreWhatPeopleWrite) {
  EXPECT_EQ(parse_bytes("512MiB"), 512 << 20);
  EXPECT_EQ(parse_bytes("2 GiB"), int64_t{2} << 30);
  EXPECT_EQ(parse_bytes("1.5GB"), 1'500'000'000);
  EXPECT_EQ(parse_bytes("1e9"), 1'000'000'000);
  EXPECT_EQ(parse_bytes("64kB"), 64'000);
  for (const char* wrong : {"", "lots", "2G", "-1", "0", "0.5", "nan", "inf", "1e30", "1GiB/s"}) {
    EXPECT_EQ(parse_bytes(wrong), std::nullopt) << wrong;
  }
}

TEST(BenchCommand, TheLargestBatchFitsAndTheNextDoesNot) {
  const TemporaryFolder folder;
  const Result result =
      bench({"lenet5", "--largest-batch", "--memory", "12MiB", "--mode", "inference,train",
             "--results", folder.path.string(), "--format", "csv"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, contents(folder.path / "largest_batch.csv"));
  const CsvFile rows = read_csv(folder.path / "largest_batch.csv");
  ASSERT_EQ(rows.rows.size(), 2u);
  for (size_t row = 0; row < rows.rows.size(); ++row) {
    EXPECT_EQ(texts(rows, "status")[row], "ok");
    EXPECT_EQ(integers(rows, "budget_bytes")[row], 12 << 20);
    EXPECT_LE(integers(rows, "peak_bytes")[row], 12 << 20);
    const int64_t largest = integers(rows, "largest_batch")[row];
    EXPECT_GT(largest, 1);
    EXPECT_GT(integers(rows, "too_large_batch")[row], largest);
    EXPECT_LE(integers(rows, "too_large_batch")[row],
              largest + std::max<int64_t>(1, largest / 100));
    EXPECT_TRUE(contains(texts(rows, "reason")[row], " takes ")) << texts(rows, "reason")[row];
  }
  EXPECT_TRUE(contains(contents(folder.path / "manifest.json"), "--largest-batch"));
}

TEST(BenchCommand, WhereNothingFitsTheRowSaysWhatItTakes) {
  const Result result =
      bench({"alexnet", "--largest-batch", "--memory", "1MiB", "--format", "csv"});
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(contains(result.err, "a batch of 1 takes 2")) << result.err;
  EXPECT_TRUE(contains(result.out, ",failed,")) << result.out;
}

TEST(BenchCommand, SweepsAreEveryCombination) {
  const Result result =
      bench({"lenet5", "resnet20", "--batch", "1-4*2", "--engine", "eager,frozen", "--dry-run"});
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 12);
  EXPECT_TRUE(contains(
      result.out, "resnet20/3x32x32/cpu/t1/b4/float32/contiguous/frozen/inference/throughput\n"));
}

size_t finished_rows(const std::filesystem::path& folder) {
  if (contents(folder / "bench.csv").empty()) return 0;
  return read_csv(folder / "bench.csv").rows.size();
}

TEST(BenchCommand, CtrlCKeepsWhatIsFinishedAndResumeGoesOn) {
  const TemporaryFolder folder;
  const std::vector<std::string> words = {
      "bench",    "lenet5", "lenet5_1998",  "--min-time", "0.4",       "--timeout",      "0.5",
      "--warmup", "0.05",   "--interleave", "1",          "--results", folder.path / "r"};
  const pid_t child = started(words, folder.path / "err");
  for (int i = 0; i < 600 && finished_rows(folder.path / "r") < 1; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_TRUE(contains(contents(folder.path / "err"), "interrupted; 1 rows are kept"));
  const std::string before = contents(folder.path / "r" / "bench.csv");
  EXPECT_EQ(finished_rows(folder.path / "r"), 1u);

  std::vector<std::string> again = words;
  EXPECT_EQ(convscope_with(again).code, 2);
  again.push_back("--resume");
  waitpid(started(again, folder.path / "err"), &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0) << contents(folder.path / "err");
  EXPECT_TRUE(contains(contents(folder.path / "err"), "1 rows are kept"));
  EXPECT_EQ(finished_rows(folder.path / "r"), 2u);
  EXPECT_EQ(convscope_with(again).err, "2 rows are there already\n");
  EXPECT_EQ(contents(folder.path / "r" / "bench.csv").find(before), 0u);
  const CsvFile samples = read_csv(folder.path / "r" / "samples.csv");
  const auto cases = texts(samples, "case");
  EXPECT_EQ(std::set<std::string>(cases.begin(), cases.end()).size(), 2u);
}

}  // namespace
}  // namespace convscope

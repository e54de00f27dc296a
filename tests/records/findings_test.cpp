// What records answer, from records whose numbers are known by hand.
#include "suite/records/findings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

struct Findings : testing::Test {
  TemporaryFolder folder;
  std::ostringstream err;

  void record(const std::string& file, const std::string& text) { put(folder.path / file, text); }

  std::vector<RecordFinding> all() {
    err.str("");
    return findings({folder.path, err}, Floor());
  }

  RecordFinding only() {
    const auto found = all();
    if (found.size() != 1) throw std::logic_error(std::to_string(found.size()) + " findings");
    return found[0];
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string costs = "model,input,params,macs,status\n";

TEST_F(Findings, CostsAreFromTheLeastToTheMost) {
  record("cost.csv", costs +
                         "b,3x8x8,200,9000,ok\na,3x8x8,100,8000,ok\nc,3x8x8,300,5000,ok\n"
                         "d,3x8x8,,,failed\ne,3x8x8,1,1,incomplete\n");
  EXPECT_EQ(only().statement,
            "3 networks need from 5000 (c) to 9000 (b) multiply-accumulates for one image, and "
            "hold from 100 (a) to 300 (c) parameters.");
  record("cost.csv", costs + "a,3x8x8,100,8000,ok\n");
  EXPECT_EQ(only().statement, "a has 100 parameters and 8000 multiply-accumulates.");
}

TEST_F(Findings, OneNetworkAtSeveralInputsIsOneNetwork) {
  record("cost.csv", costs + "a,3x8x8,100,1000,ok\na,3x9x9,100,2000,ok\n");
  const std::string statement = only().statement;
  EXPECT_EQ(statement.rfind("1 network ", 0), 0u) << statement;
  EXPECT_TRUE(has(statement, "from 1000 (a 3x8x8) to 2000 (a 3x9x9)")) << statement;
}

const std::string bench =
    "env,model,device,threads,batch,precision,layout,engine,mode,scenario,median_ms,ci_low_ms,"
    "ci_high_ms,gflop_per_s,status\n";

std::string timed(const std::string& model, const std::string& times,
                  const std::string& how = "e,cpu,1,1,float32,contiguous,eager,inference,latency",
                  const std::string& status = "ok") {
  const size_t comma = how.find(',');
  return how.substr(0, comma) + "," + model + how.substr(comma) + "," + times + "," + status + "\n";
}

TEST_F(Findings, QuickestAndSlowestHaveTheirIntervals) {
  record("bench.csv", bench + timed("mid", "5,4,6,") + timed("slow", "20,19,21,") +
                          timed("quick", "2,1.8,2.2,"));
  EXPECT_EQ(only().statement,
            "The quickest is quick (eager) with 2.0 ± 0.2 ms, the slowest slow (eager) with 20 ± 1 "
            "ms.");
  EXPECT_EQ(only().detail,
            "Medians of a batch of 1, 1 thread, with the longer side of their 95 % intervals.");
}

TEST_F(Findings, TimesMeasuredOtherwiseAreNotCompared) {
  std::string rows = bench + timed("net", "5,4,6,") + timed("quick", "4,3,5,");
  for (const char* how : {"f,cpu,1,1,float32,contiguous,eager,inference,latency",
                          "e,cuda,1,1,float32,contiguous,eager,inference,latency",
                          "e,cpu,2,1,float32,contiguous,eager,inference,latency",
                          "e,cpu,1,2,float32,contiguous,eager,inference,latency",
                          "e,cpu,1,1,bfloat16,contiguous,eager,inference,latency",
                          "e,cpu,1,1,float32,channels_last,eager,inference,latency",
                          "e,cpu,1,1,float32,contiguous,eager,train,latency",
                          "e,cpu,1,1,float32,contiguous,eager,inference,throughput"})
    rows += timed("other", "1,1,1,", how);
  record("bench.csv", rows + timed("other", ",,,") + timed("other", "inf,1,1,"));
  const std::string statement = only().statement;
  EXPECT_TRUE(has(statement, "quickest is quick")) << statement;
  EXPECT_TRUE(has(statement, "slowest net")) << statement;
}

TEST_F(Findings, TooFewRepetitionsGiveAboutATime) {
  record("bench.csv",
         bench + timed("net", "5.04,,,", "e,cpu,1,1,float32,contiguous,eager,inference,latency",
                       "noisy"));
  EXPECT_EQ(only().statement, "net takes about 5 ms (eager).");
  EXPECT_EQ(only().detail,
            "Medians of a batch of 1, 1 thread; too few repetitions for intervals; 1 of 1 cases "
            "are marked noisy or disturbed: the interval asked for was not reached.");
}

TEST_F(Findings, RankingCountsThePairsWhoseIntervalsPart) {
  // 2 ms at 1 GFLOP/s are 1 M MACs, 1 ms at 4 are 2 M, 3 ms at 2 are 3 M: only the first two are
  // the wrong way round. Ranks 1 2 3 against 2 1 3: 1 - 6 * 2 / (3 * 8) = 0.5.
  record("bench.csv",
         bench + timed("a", "2,1.9,2.1,1") + timed("b", "1,0.9,1.1,4") + timed("c", "3,2.9,3.1,2"));
  const auto found = all();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].statement,
            "Multiply-accumulates order 1 of 3 pairs of networks wrongly by time.");
  EXPECT_TRUE(has(found[1].detail, "eager engine, 3 networks")) << found[1].detail;
  EXPECT_TRUE(has(found[1].detail, "correlation is 0.50")) << found[1].detail;
  // With intervals that overlap nobody can say so.
  record("bench.csv",
         bench + timed("a", "2,0.5,2.1,1") + timed("b", "1,0.9,1.1,4") + timed("c", "3,2.9,3.1,2"));
  EXPECT_TRUE(has(all().at(1).statement, "order 0 of 3 pairs"));
}

TEST_F(Findings, EvaluationsHaveTheirIntervalsOrNone) {
  const std::string header = "model,data,images,top1,top1_low,top1_high\n";
  record("evaluation.csv", header + "failed,d,,,,\na,digits,50,90,80.04,95\nb,digits,50,70,,\n");
  const auto found = all();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].statement, "a is right on 90.0 % of the images (80.0 to 95.0 %).");
  EXPECT_EQ(found[0].detail, "50 images of digits; Wilson's 95 % interval.");
  EXPECT_EQ(found[1].statement, "b is right on 70.0 % of the images.");
  EXPECT_EQ(found[1].detail, "50 images of digits.");
}

const std::string runs = "run,model,dataset,protocol,seed,top1,top1_low,top1_high\n";

TEST_F(Findings, TrainingNamesTheBestFirstWithTheRangeOfItsSeeds) {
  record("runs.csv", runs +
                         "net-probe-1,net,d,probe,1,60,50,70\n"
                         "net-scratch-1,net,d,scratch,1,80,70,90\n"
                         "net-scratch-2,net,d,scratch,2,90,70,90\n"
                         "net-scratch-3,net,d,scratch,3,82,70,90\n");
  EXPECT_EQ(only().statement,
            "net-scratch 82.0 % (80.0 to 90.0), net-probe 60.0 % (50.0 to 70.0).");
  EXPECT_EQ(only().detail,
            "Top-1 on d, median and range of 1 to 3 seeds, of one Wilson's 95 % interval; the "
            "first is 22.0 points above the second, and their ranges do not overlap.");
}

TEST_F(Findings, OneSeedHasWilsonsIntervalAndSaysSo) {
  record("runs.csv", runs + "net-scratch-1,net,d,scratch,1,80,70,90\n");
  EXPECT_EQ(only().statement, "net-scratch 80.0 % (70.0 to 90.0).");
  EXPECT_EQ(only().detail,
            "Top-1 on d, one seed each; in brackets Wilson's 95 % interval for the test images.");
  record("runs.csv", runs + "net-a-1,net,d,a,1,80,,\nnet-b-1,net,d,b,1,70,,\n");
  EXPECT_EQ(only().statement, "net-a 80.0 %, net-b 70.0 %.");
  EXPECT_TRUE(has(only().detail, "10.0 points above the second.")) << only().detail;
}

TEST_F(Findings, EachDatasetHasItsFindingTheLastLearnedFirst) {
  record("runs.csv", runs +
                         "net-base-1,net,large,base,1,80,70,90\n"
                         "net-probe-1,net,small,probe,1,85,75,95\n"
                         "net-probe-1,net,large,probe,1,81,71,91\n");
  const auto found = all();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].statement, "net-probe 85.0 % (75.0 to 95.0).");
  EXPECT_EQ(found[1].statement, "net-probe 81.0 % (71.0 to 91.0), net-base 80.0 % (70.0 to 90.0).");
  EXPECT_TRUE(has(found[1].detail, "1.0 points above the second, and their ranges overlap"));
}

TEST_F(Findings, ManyWaysOfTrainingAreInTheTable) {
  std::string rows = runs;
  for (int i = 1; i <= 7; ++i)
    rows += "p" + std::to_string(i) + "-1,net,d,p,1," + std::to_string(90 - i) + ",50,95\n";
  record("runs.csv", rows);
  EXPECT_TRUE(has(only().statement, "p5 85.0 %")) << only().statement;
  EXPECT_FALSE(has(only().statement, "p6")) << only().statement;
  EXPECT_TRUE(has(only().detail, "2 more are in the table")) << only().detail;
}

TEST_F(Findings, TransferSaysHowManyTrialsAgree) {
  record("transfer_findings.csv",
         "name,claim,points,low,high,agrees,trials\nnet,it falls,-4.96,-6,1.5,3,4\n"
         "net,unknown,,,,0,0\n");
  EXPECT_EQ(only().statement, "net, as published in 3 of 4 trials: -5.0 points (-6.0 to +1.5).");
  EXPECT_EQ(only().detail, "Published: \"it falls\". The median of 4 trials and their range.");
}

const std::string samples = "env,case,repetition,index,ns\n";

/// `repetitions` of one sample each, all the same.
std::string measured(const std::string& model, const std::string& engine, double ns,
                     int repetitions) {
  std::ostringstream rows;
  for (int i = 1; i <= repetitions; ++i)
    rows << "e," << model << "/3x8x8/cpu/t1/b1/float32/contiguous/" << engine
         << "/inference/latency," << i << ",0," << ns << "\n";
  return rows.str();
}

TEST_F(Findings, EnginesAreComparedByTheGeometricMean) {
  // 2 and 8 times as fast: the geometric mean is 4.
  record("samples.csv", samples + measured("a", "eager", 200, 10) +
                            measured("a", "frozen", 100, 10) + measured("b", "eager", 800, 10) +
                            measured("b", "frozen", 100, 10));
  EXPECT_EQ(only().statement,
            "frozen is 4 times as fast as eager (4): the geometric mean of 2 cases, which range "
            "from 2 to 8.");
  EXPECT_TRUE(has(only().detail, "2 compared: 2 FASTER, 0 SLOWER, 0 SAME, 0 UNDECIDED"))
      << only().detail;
}

TEST_F(Findings, UndecidedIsSaidFirst) {
  record("samples.csv", samples + measured("a", "eager", 200, 2) + measured("a", "frozen", 100, 2));
  EXPECT_EQ(only().statement, "Undecided so far: frozen is 2 times as fast as eager.");
}

TEST_F(Findings, EnginesWithoutACommonCaseAreNotCompared) {
  record("samples.csv", samples + measured("a", "eager", 200, 2) + measured("b", "frozen", 100, 2));
  EXPECT_TRUE(all().empty());
  record("samples.csv", samples + measured("a", "eager", 200, 2));
  EXPECT_TRUE(all().empty());
}

TEST_F(Findings, RecordsWithoutRowsAnswerNothing) {
  record("cost.csv", costs);
  record("bench.csv", bench);
  record("runs.csv", runs);
  record("samples.csv", samples);
  record("evaluation.csv", "model,data,images,top1,top1_low,top1_high\n");
  record("transfer_findings.csv", "name,claim,points,low,high,agrees,trials\n");
  EXPECT_TRUE(all().empty());
}

TEST_F(Findings, MissingColumnsAreNamedWithTheirFile) {
  for (const char* file : {"cost.csv", "bench.csv", "runs.csv", "evaluation.csv"}) {
    record(file, "model\nnet\n");
    const std::string message = message_of<std::runtime_error>([&] { all(); });
    EXPECT_TRUE(has(message, std::string(file) + " has no column '")) << message;
    std::filesystem::remove(folder.path / file);
  }
}

TEST_F(Findings, AnyValueGivesFindingsOfOneLineOrOneClearError) {
  for (const char* value : {"", "nan", "inf", "-inf", "0", "-1", "1e308", "1e-320"}) {
    const std::string v(value), times = v + "," + v + "," + v + "," + v;
    record("cost.csv", costs + "a,3x8x8," + v + "," + v + ",ok\nb,3x8x8,1,1,ok\n");
    record("bench.csv", bench + timed("a", times) + timed("b", times) + timed("c", times));
    record("runs.csv", runs + "a-p-1,a,d,p,1," + v + "," + v + "," + v + "\n");
    record("evaluation.csv",
           "model,data,images,top1,top1_low,top1_high\na,d,1," + v + "," + v + "," + v + "\n");
    const std::string message = message_of<std::runtime_error>([&] {
      for (const RecordFinding& finding : all()) {
        EXPECT_FALSE(has(finding.statement, "nan")) << finding.statement;
        EXPECT_FALSE(has(finding.statement + finding.detail, "\n"));
      }
    });
    EXPECT_FALSE(has(message, "\n"));
    EXPECT_TRUE(message.empty() || has(message, ".csv line ")) << message;
  }
}

}  // namespace
}  // namespace convscope

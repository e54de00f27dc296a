// The figures of times, from records of a few rows.
#include <numeric>

#include "tests/records/made_figures.h"

namespace convscope {
namespace {

const std::string header =
    "env,model,input,device,threads,batch,precision,layout,engine,mode,scenario,median_ms,"
    "ci_low_ms,ci_high_ms,images_per_s,gflop_per_s,peak_share\n";

struct Row {
  std::string model = "net", median = "10", low = "8", high = "20", images = "100", rate = "2",
              engine = "eager", batch = "1", threads = "1", input = "3x8x8", env = "e",
              device = "cpu", precision = "float32", layout = "contiguous", mode = "inference",
              scenario = "latency", share = "";
};

std::string text(const Row& r) {
  std::string line;
  for (const std::string& field :
       {r.env, r.model, r.input, r.device, r.threads, r.batch, r.precision, r.layout, r.engine,
        r.mode, r.scenario, r.median, r.low, r.high, r.images, r.rate, r.share})
    line += (line.empty() ? "" : ",") + quoted(field);
  return line + "\n";
}

/// With some of its fields set.
Row row(const std::string& model,
        const std::vector<std::pair<std::string Row::*, std::string>>& fields = {}) {
  Row made;
  made.model = model;
  for (const auto& [field, value] : fields) made.*field = value;
  return made;
}

struct TimeFigures : MadeFigures {
  void bench(const std::vector<Row>& rows) {
    std::string all = header;
    for (const Row& one : rows) all += text(one);
    record("bench.csv", all);
  }

  std::string said() const { return err.str(); }
};

TEST_F(TimeFigures, LatencyStandsOverTheMacsOfItsRate) {
  // 2 GFLOP/s for 10 ms are 2e7 operations, two for each of 1e7 MACs.
  bench({row("net", {{&Row::share, "0.5"}})});
  const auto bubbles = only<Bubbles>("latency_macs");
  ASSERT_EQ(bubbles.bubbles.size(), 1u);
  EXPECT_EQ(bubbles.bubbles[0].x, 1e7);
  EXPECT_EQ(bubbles.bubbles[0].y, 10);
  EXPECT_EQ(bubbles.bubbles[0].spread->low, 8);
  EXPECT_EQ(bubbles.bubbles[0].spread->high, 20);
  // The peak is 2 / 0.5 = 4 GFLOP/s: 2 operations take 0.5 ns, which are 5e-7 ms.
  ASSERT_EQ(bubbles.guides.size(), 2u);
  EXPECT_DOUBLE_EQ(bubbles.guides[0].slope, 5e-7);
  EXPECT_EQ(bubbles.guides[0].label, "peak: 4 GFLOP/s");
  EXPECT_DOUBLE_EQ(bubbles.guides[1].slope, 5e-6);
}

TEST_F(TimeFigures, RowsMeasuredOtherwiseAreLeftOutAndSaid) {
  bench({row("a"), row("b"), row("c", {{&Row::threads, "2"}}), row("d", {{&Row::env, "f"}}),
         row("e", {{&Row::precision, "bfloat16"}}), row("f", {{&Row::device, "cuda"}}),
         row("g", {{&Row::layout, "channels_last"}}), row("h", {{&Row::mode, "train"}}),
         row("i", {{&Row::scenario, "throughput"}}), row("j", {{&Row::engine, "frozen"}}),
         row("k", {{&Row::input, "3x9x9"}}), row("l", {{&Row::rate, ""}})});
  const auto bubbles = only<Bubbles>("latency_macs").bubbles;
  ASSERT_EQ(bubbles.size(), 4u);
  EXPECT_EQ(bubbles[2].label, "j");
  EXPECT_FALSE(bubbles[2].named) << "names stand at the first engine";
  EXPECT_EQ(bubbles[3].label, "k");
  EXPECT_EQ(said(), "latency_macs: 5 rows of bench.csv measured otherwise left out\n");
}

TEST_F(TimeFigures, LatencyWithoutMacsIsSaid) {
  bench({row("net", {{&Row::rate, ""}}), row("net", {{&Row::median, "0"}})});
  expect_none("latency_macs", "no latency of a network with MACs");
}

TEST_F(TimeFigures, EnginesOfANetworkStandInOneRowTheSlowestFirst) {
  bench({row("quick", {{&Row::median, "3"}}),
         row("quick", {{&Row::engine, "frozen"}, {&Row::median, "2"}}),
         row("slow", {{&Row::median, "4"}, {&Row::low, ""}}),
         row("slow", {{&Row::engine, "frozen"}, {&Row::median, "9"}})});
  const auto dots = only<Dots>("engines");
  EXPECT_EQ(dots.series, (std::vector<std::string>{"eager", "frozen"}));
  ASSERT_EQ(dots.rows.size(), 2u);
  EXPECT_EQ(dots.rows[0].label, "slow");
  EXPECT_FALSE(dots.rows[0].dots.at(0).spread) << "half an interval is none";
  EXPECT_EQ(dots.rows[0].dots.at(1).x, 9);
  EXPECT_EQ(dots.rows[1].dots.at(0).spread->high, 20);
}

TEST_F(TimeFigures, WithOneEngineLayoutsOrPrecisionsAreCompared) {
  bench({row("net"), row("net", {{&Row::layout, "channels_last"}})});
  EXPECT_EQ(only<Dots>("engines").series,
            (std::vector<std::string>{"contiguous", "channels_last"}));
  bench({row("net"), row("net", {{&Row::precision, "bfloat16"}})});
  EXPECT_EQ(only<Dots>("engines").series, (std::vector<std::string>{"float32", "bfloat16"}));
  bench({row("net"), row("other")});
  expect_none("engines", "no two engines, layouts or precisions");
}

TEST_F(TimeFigures, NetworkAtTwoInputsHasARowForEach) {
  bench({row("net"), row("net", {{&Row::engine, "frozen"}}), row("net", {{&Row::input, "3x9x9"}}),
         row("one")});
  const auto dots = only<Dots>("engines");
  ASSERT_EQ(dots.rows.size(), 3u);
  EXPECT_EQ(dots.rows[0].label, "net 3x8x8");
  EXPECT_EQ(dots.rows[0].dots.size(), 2u);
  EXPECT_EQ(dots.rows[1].label, "net 3x9x9");
  EXPECT_EQ(dots.rows[2].label, "one");
}

TEST_F(TimeFigures, ThroughputGrowsWithTheBatchAndItsIntervalIsThatOfTheTimes) {
  // 400 images/s of 10 ms are 4 images; in 8 ms they were 500 images/s, in 20 ms 200.
  bench({row("net", {{&Row::batch, "4"}, {&Row::images, "400"}}), row("net"), row("alone"),
         row("net", {{&Row::batch, "2"}, {&Row::threads, "2"}})});
  const auto lines = only<Lines>("batch_throughput");
  ASSERT_EQ(lines.series.size(), 1u) << "a single batch is no line";
  const auto& series = lines.series[0];
  ASSERT_EQ(series.points.size(), 2u);
  EXPECT_EQ(series.points[0].x, 1) << "in the order of the batches";
  EXPECT_EQ(series.points[0].y, 100);
  EXPECT_EQ(series.points[1].x, 4);
  EXPECT_EQ(series.points[1].y, 400);
  EXPECT_DOUBLE_EQ(series.spread[1].low, 200);
  EXPECT_DOUBLE_EQ(series.spread[1].high, 500);
  EXPECT_EQ(said(), "batch_throughput: 1 row of bench.csv measured otherwise left out\n");
  expect_none("thread_throughput", "no network measured with two values of threads");
}

TEST_F(TimeFigures, BatchesAreOrderedAsNumbers) {
  bench({row("net", {{&Row::batch, "16"}}), row("net", {{&Row::batch, "8"}})});
  const auto points = only<Lines>("batch_throughput").series.at(0).points;
  EXPECT_EQ(points.at(0).x, 8);
  EXPECT_EQ(points.at(1).x, 16);
}

TEST_F(TimeFigures, ThroughputOfTwoInputsIsTwoLines) {
  bench({row("net"), row("net", {{&Row::batch, "2"}}), row("net", {{&Row::input, "3x9x9"}}),
         row("net", {{&Row::input, "3x9x9"}, {&Row::batch, "2"}})});
  const auto series = only<Lines>("batch_throughput").series;
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[1].label, "net 3x9x9");
  EXPECT_EQ(series[1].points.size(), 2u);
  EXPECT_EQ(series[1].group, "net");
}

TEST_F(TimeFigures, ThreadsHaveALineForEachEngine) {
  bench({row("net"), row("net", {{&Row::threads, "2"}, {&Row::low, ""}}),
         row("net", {{&Row::engine, "frozen"}}),
         row("net", {{&Row::engine, "frozen"}, {&Row::threads, "2"}})});
  const auto series = only<Lines>("thread_throughput").series;
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].label, "net eager");
  EXPECT_EQ(series[1].label, "net frozen");
  EXPECT_EQ(series[0].spread[1].low, 100) << "without an interval, no width";
  EXPECT_EQ(series[0].spread[1].high, 100);
}

TEST_F(TimeFigures, SettingsThatAreNoNumbersAreNamed) {
  bench({row("net", {{&Row::batch, "many"}})});
  for (const char* figure : {"latency_macs", "batch_throughput"})
    expect_error(figure, {"bench.csv", "'batch'", "many"});
  bench({row("net", {{&Row::threads, "1e999"}})});
  expect_error("thread_throughput", {"bench.csv", "'threads'", "1e999"});
  bench({row("net", {{&Row::batch, ""}}), row("net", {{&Row::batch, "0"}})});
  expect_none("batch_throughput", "no network measured with two values of batch");
}

TEST_F(TimeFigures, BenchRecordsThatAreEmptyOrLackColumns) {
  record("bench.csv", header);
  for (const char* figure : {"latency_macs", "engines", "batch_throughput", "thread_throughput"}) {
    expect_none(figure, "bench.csv has no");
  }
  record("bench.csv", "model,median_ms\nnet,1\n");
  for (const char* figure : {"latency_macs", "engines", "batch_throughput", "thread_throughput"})
    expect_error(figure, {"bench.csv", "'env'"});
}

TEST_F(TimeFigures, AnyValueGivesAFigureOrOneClearReason) {
  for (const char* value :
       {"", "nan", "inf", "-inf", "0", "-1", "1e308", "1e-320", "1e999", "text"}) {
    for (std::string Row::*field : {&Row::median, &Row::low, &Row::high, &Row::images, &Row::rate,
                                    &Row::share, &Row::batch, &Row::threads}) {
      bench({row("a", {{field, value}}), row("a", {{field, value}, {&Row::batch, "2"}}),
             row("a", {{field, value}, {&Row::threads, "2"}}), row("a", {{&Row::engine, "f"}})});
      for (const char* figure :
           {"latency_macs", "engines", "batch_throughput", "thread_throughput"})
        expect_sound(figure);
    }
  }
}

TEST_F(TimeFigures, NamesOfAnyCharactersAreDrawn) {
  std::vector<Row> rows;
  std::string samples = "env,case,repetition,index,ns\n",
              operators = "operator,input,engine,macs_ratio,time_ratio,ratio_low,ratio_high\n";
  for (const std::string& name : hostile_names()) {
    for (const char* batch : {"1", "2"}) rows.push_back(row(name, {{&Row::batch, batch}}));
    rows.push_back(row(name, {{&Row::engine, hostile_names()[0]}}));
    samples += "e," + quoted(name) + ",1,0,5\n";
    operators +=
        quoted(name) + "," + quoted(name) + "," + quoted(hostile_names()[0]) + ",0.5,0.6,0.5,0.7\n";
  }
  bench(rows);
  record("samples.csv", samples);
  record("bench_operators.csv", operators);
  const size_t all = hostile_names().size();
  EXPECT_EQ(only<Bubbles>("latency_macs").bubbles.size(), 2 * all);
  EXPECT_EQ(only<Dots>("engines").rows.size(), all);
  EXPECT_EQ(only<Lines>("batch_throughput").series.size(), all);
  EXPECT_EQ(only<Distributions>("samples").rows.size(), all);
  EXPECT_EQ(only<Bubbles>("operators").bubbles.size(), all);
}

TEST_F(TimeFigures, OfAThousandNetworksEnginesShowWhatAPageHolds) {
  std::vector<Row> rows;
  for (int i = 0; i < 1000; ++i) {
    rows.push_back(row("net" + std::to_string(i)));
    rows.push_back(row("net" + std::to_string(i), {{&Row::engine, "frozen"}}));
  }
  bench(rows);
  EXPECT_EQ(only<Dots>("engines").rows.size(), 200u);
  EXPECT_EQ(said(), "engines: shows the first 200 of 1000 rows; --model chooses others\n");
}

const std::string samples_header = "env,case,repetition,index,ns\n";

/// A row for each time, of one repetition.
std::string samples_of(const std::string& name, int repetition, const std::vector<double>& ns) {
  std::ostringstream rows;
  for (size_t i = 0; i < ns.size(); ++i)
    rows << "e," << quoted(name) << "," << repetition << "," << i << "," << ns[i] << "\n";
  return rows.str();
}

TEST_F(TimeFigures, SamplesAreSharesOfTheirMedian) {
  // The median is 100; 30 bins from 60 to 180 % are 4 % wide.
  record("samples.csv", samples_header + samples_of("net", 0, {900}) +
                            samples_of("net", 1, {100, 100, 50, 60}) +
                            samples_of("net", 2, {100, 179, 180, 500, 99}));
  const auto all = only<Distributions>("samples");
  ASSERT_EQ(all.rows.size(), 1u);
  const auto& one = all.rows[0];
  ASSERT_EQ(one.shares.size(), 30u);
  EXPECT_DOUBLE_EQ(one.below, 1.0 / 9) << "50";
  EXPECT_DOUBLE_EQ(one.above, 2.0 / 9) << "180 is the end, and 500 beyond it";
  EXPECT_DOUBLE_EQ(one.shares[0], 1.0 / 9) << "60";
  EXPECT_DOUBLE_EQ(one.shares[9], 1.0 / 9) << "99";
  EXPECT_DOUBLE_EQ(one.shares[10], 3.0 / 9) << "100 begins a bin";
  EXPECT_DOUBLE_EQ(one.shares[29], 1.0 / 9) << "179";
  EXPECT_NEAR(one.below + one.above + std::accumulate(one.shares.begin(), one.shares.end(), 0.0), 1,
              1e-12);
  EXPECT_EQ(one.median, 100);
  EXPECT_FALSE(one.interval) << "two repetitions give none";
  EXPECT_EQ(one.note, "0.0001 ms, n = 9");
}

TEST_F(TimeFigures, IntervalOfSamplesIsOfTheRepetitionsMedians) {
  std::string text = samples_header;
  for (int repetition = 1; repetition <= 6; ++repetition)
    text += samples_of("net", repetition, {97.0 + repetition, 100, 100, 97.0 + repetition});
  record("samples.csv", text);
  const auto one = only<Distributions>("samples").rows.at(0);
  // Of six medians, from 99 (the mean of 98 and 100) to 101.5, the interval is all of them.
  ASSERT_TRUE(one.interval);
  EXPECT_NEAR(one.interval->low, 99, 1e-9);
  EXPECT_NEAR(one.interval->high, 101.5, 1e-9);
}

TEST_F(TimeFigures, CasesAreNamedByWhatDiffers) {
  const auto name = [](const char* model, const char* threads, const char* batch) {
    return std::string(model) + "/3x8x8/cpu/" + threads + "/" + batch +
           "/float32/contiguous/eager/inference/latency";
  };
  record("samples.csv", samples_header + samples_of(name("neta", "t1", "b1"), 1, {5}) +
                            samples_of(name("other", "t1", "b1"), 1, {5}) +
                            samples_of(name("neta", "t2", "b8"), 1, {5}) +
                            samples_of("of another kind", 1, {5}));
  const auto rows = only<Distributions>("samples").rows;
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].label, "neta t1 b1");
  EXPECT_EQ(rows[1].label, "neta t2 b8") << "networks are together";
  EXPECT_EQ(rows[2].label, "other");
  EXPECT_EQ(rows[3].label, "of another kind");
}

TEST_F(TimeFigures, OfManyCasesTheFirstAreShown) {
  std::string text = samples_header;
  for (int i = 0; i < 1000; ++i) text += samples_of("net" + std::to_string(i), 1, {5});
  record("samples.csv", text);
  EXPECT_EQ(only<Distributions>("samples").rows.size(), 60u);
  EXPECT_EQ(said(), "samples: shows the first 60 of 1000 cases; --model chooses\n");
  models = {"net700"};
  EXPECT_EQ(only<Distributions>("samples").rows.size(), 1u);
  models = {"none"};
  expect_none("samples", "no sample");
}

TEST_F(TimeFigures, SamplesThatAreNotThereOrNoTimes) {
  record("samples.csv", samples_header);
  expect_none("samples", "no sample");
  record("samples.csv", samples_header + samples_of("net", 0, {5}));
  expect_none("samples", "no sample after the warm-up");
  record("samples.csv", "case,ns\nnet,5\n");
  EXPECT_NE(message_of<std::invalid_argument>([&] { figures("samples"); }).find("'env'"),
            std::string::npos);
  for (const char* ns : {"", "0", "-5", "nan", "inf", "1e999", "five"}) {
    record("samples.csv", samples_header + "e,net,1,0," + ns + "\n");
    const auto message = message_of<std::invalid_argument>([&] { figures("samples"); });
    EXPECT_NE(message.find("samples.csv line 2, column 'ns'"), std::string::npos) << message;
  }
}

const std::string operators_header =
    "operator,input,engine,macs_ratio,time_ratio,ratio_low,ratio_high\n";

TEST_F(TimeFigures, OperatorsStandByMacsAndTimeOfTheStandard) {
  record("bench_operators.csv", operators_header +
                                    "depthwise,8x8x8,eager,0.1,0.5,0.4,0.6\n"
                                    "standard,8x8x8,eager,1,1,,\n"
                                    "failed,8x8x8,eager,0.2,,,\n"
                                    "free,8x8x8,eager,0,0.1,0.1,0.2\n");
  const auto bubbles = only<Bubbles>("operators");
  ASSERT_EQ(bubbles.bubbles.size(), 2u);
  EXPECT_EQ(bubbles.bubbles[0].label, "depthwise");
  EXPECT_EQ(bubbles.bubbles[0].x, 0.1);
  EXPECT_EQ(bubbles.bubbles[0].y, 0.5);
  EXPECT_EQ(bubbles.bubbles[0].spread->high, 0.6);
  EXPECT_FALSE(bubbles.bubbles[1].spread);
  EXPECT_EQ(bubbles.guides.at(0).slope, 1);
}

TEST_F(TimeFigures, OperatorsOfTwoLayersSayWhich) {
  record("bench_operators.csv", operators_header +
                                    "depthwise,8x8x8,eager,0.1,0.5,0.4,0.6\n"
                                    "depthwise,9x9x9,eager,0.1,0.4,0.3,0.6\n");
  EXPECT_EQ(only<Bubbles>("operators").bubbles[1].label, "depthwise 9x9x9");
}

TEST_F(TimeFigures, OperatorsWithoutATimeAreSaid) {
  record("bench_operators.csv", operators_header);
  expect_none("operators", "no time");
  for (const char* value : {"", "nan", "inf", "-1", "0", "1e-320"}) {
    const std::string v = std::string(",") + value;
    record("bench_operators.csv",
           operators_header + "a,8,e" + v + v + v + v + "\nb,8,e,1,1" + v + v + "\n");
    EXPECT_GE(only<Bubbles>("operators").bubbles.size(), 1u) << value;
  }
  record("bench_operators.csv", "operator,input\na,8\n");
  expect_error("operators", {"bench_operators.csv", "'macs_ratio'"});
}

const std::string layers_header = "model,engine,threads,layer,op,median_ms,gflop_per_s,intensity\n";
const std::string calibration_header = "quantity,threads,value\n";

TEST_F(TimeFigures, RooflineIsOfTheFirstEngineAndThreads) {
  record("bench_layers.csv", layers_header +
                                 "net,eager,1,conv1,conv2d,3,40,8\n"
                                 "net,eager,1,relu,relu,1,0,0.1\n"
                                 "net,eager,2,conv1,conv2d,2,60,8\n"
                                 "net,frozen,1,conv1,conv2d,2,60,8\n");
  record("calibration.csv",
         calibration_header + "fma,1,200\ntriad,1,10\nonednn,1,150\nfma,2,400\n");
  const auto bubbles = only<Bubbles>("roofline");
  ASSERT_EQ(bubbles.bubbles.size(), 1u);
  EXPECT_EQ(bubbles.bubbles[0].label, "conv1");
  EXPECT_EQ(bubbles.bubbles[0].x, 8);
  EXPECT_EQ(bubbles.bubbles[0].y, 40);
  EXPECT_EQ(bubbles.bubbles[0].size, 3);
  EXPECT_EQ(bubbles.roof->slope, 10);
  ASSERT_EQ(bubbles.roof->ceilings.size(), 2u);
  EXPECT_EQ(bubbles.roof->ceilings[0].label, "FMA: 200 GFLOP/s");
  EXPECT_EQ(bubbles.roof->ceilings[1].y, 150);
  EXPECT_NE(said().find("2 rows of other engines or threads left out"), std::string::npos);
}

TEST_F(TimeFigures, RooflineWithoutLayersOrPeaksIsSaid) {
  record("bench_layers.csv", layers_header);
  record("calibration.csv", calibration_header);
  expect_none("roofline", "no layer whose rate and intensity are known");
  record("bench_layers.csv", layers_header + "net,eager,1,conv1,conv2d,3,40,8\n");
  expect_none("roofline", "not both fma and triad");
  for (const char* value : {"", "nan", "0", "-1", "inf"}) {
    record("calibration.csv", calibration_header + "fma,1," + value + "\ntriad,1,10\n");
    expect_none("roofline", "not both fma and triad");
  }
  record("calibration.csv", "quantity,threads\nfma,1\n");
  expect_error("roofline", {"calibration.csv", "'value'"});
}

}  // namespace
}  // namespace convscope

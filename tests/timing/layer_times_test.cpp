// Times of operators: what is tested is that they are of the right operators, not how long they
// are.
#include "suite/timing/layer_times.h"

#include <gtest/gtest.h>
#include <torch/nn/functional.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "architectures/catalogue.h"
#include "architectures/network.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"
#include "suite/analysis/variants.h"
#include "suite/commands/bench_layers.h"
#include "suite/commands/output.h"
#include "suite/timing/operator_times.h"
#include "suite/timing/workload.h"
#include "tests/commands/convscope_with.h"

namespace convscope {
namespace {

constexpr PassPlan once_or_twice = {2, 1, 0, 0};

BenchCase case_of(const Architecture& architecture) {
  BenchCase result;
  result.architecture = architecture;
  result.settings = architecture.settings;
  return result;
}

BenchCase small(const std::string& model) {
  BenchCase result = case_of(find_architecture(model));
  ImageShape& image = result.settings.image;
  if (image.height > 100) image.height = image.width = 96;
  return result;
}

void expect_the_costs_of_the_trace(const BenchCase& bench_case) {
  const Cost counted = cost(trace_network(bench_case.architecture, bench_case.settings));
  const LayerTimes times = time_layers(bench_case, once_or_twice);
  ASSERT_EQ(times.layers.size(), counted.layers.size());
  int64_t macs = 0, flops = 0;
  for (size_t i = 0; i < times.layers.size(); ++i) {
    const LayerTime& layer = times.layers[i];
    EXPECT_EQ(layer.layer, counted.layers[i].layer);
    EXPECT_EQ(layer.op, counted.layers[i].op);
    EXPECT_EQ(layer.ns.samples, 2u);
    EXPECT_GT(layer.ns.median, 0);
    EXPECT_EQ(layer.work.flops, layer.flops * bench_case.batch);
    macs += layer.macs;
    flops += layer.flops;
  }
  EXPECT_EQ(macs, counted.macs);
  EXPECT_EQ(flops, counted.flops);
  EXPECT_GT(times.coverage(), 0);
}

TEST(LayerTimes, AreJoinedWithTheCostsOfTheTrace) {
  for (const std::string model : {"lenet5", "resnet18", "mobilenet_v3_small", "inception_v3"}) {
    expect_the_costs_of_the_trace(small(model));
  }
}

TEST(LayerTimes, AreJoinedForBatchesAndChannelsLast) {
  BenchCase bench_case = small("resnet18");
  bench_case.batch = 2;
  bench_case.layout = "channels_last";
  bench_case.scenario = "throughput";
  expect_the_costs_of_the_trace(bench_case);
}

TEST(LayerTimes, AddUpToLessThanThePass) {
  const auto workload = make_workload(small("resnet18"));
  for (int again = 0; again < 3; ++again) {
    std::vector<CallTime> calls;
    const auto start = std::chrono::steady_clock::now();
    workload->run_watched(calls);
    const std::chrono::nanoseconds whole = std::chrono::steady_clock::now() - start;
    int64_t sum = 0;
    for (const CallTime& call : calls) sum += call.ns;
    EXPECT_GT(sum, 0);
    EXPECT_LE(sum, whole.count());
  }
}

TEST(LayerTimes, OfTheFrozenEngineAreOfItsStepsAndAddUpToTheNetworksMacs) {
  for (const std::string model : {"lenet5", "resnet18", "mobilenet_v3_small", "googlenet"}) {
    BenchCase bench_case = small(model);
    bench_case.engine = "frozen";
    const Graph graph = trace_network(bench_case.architecture, bench_case.settings);
    std::set<size_t> calls;
    for (const FrozenStep& step : make_workload(bench_case)->steps()) {
      for (const size_t call : step.calls) EXPECT_TRUE(calls.insert(call).second) << step.op;
    }
    // Another engine, which may have chosen other layouts.
    const LayerTimes times = time_layers(bench_case, once_or_twice);
    ASSERT_FALSE(times.layers.empty());
    int64_t macs = 0;
    size_t covered = 0;
    for (const LayerTime& layer : times.layers) {
      EXPECT_NE(layer.op, "");
      EXPECT_NE(layer.implementation, "") << layer.op;
      EXPECT_GT(layer.ns.median, 0) << layer.op;
      EXPECT_TRUE(layer.calls > 0 || layer.work.bytes == 0) << layer.op;
      macs += layer.macs;
      covered += layer.calls;
    }
    EXPECT_EQ(macs, cost(graph).macs) << model;
    EXPECT_EQ(covered, calls.size()) << model;
    EXPECT_LE(covered, graph.calls.size()) << model;
  }
}

/// Does something else when it computes than when it is traced.
struct Fickle : Network {
  explicit Fickle(const Settings&) {}
  torch::Tensor forward(torch::Tensor images) override {
    return images.is_meta() ? images.relu() : images.sigmoid();
  }
};

TEST(LayerTimes, PassThatDiffersFromItsTraceIsAnError) {
  const Settings settings = {{3, 8, 8}, 10, 0};
  const BenchCase bench_case = case_of({"fickle", 2026, "", "", settings, build<Fickle>()});
  try {
    time_layers(bench_case, once_or_twice);
    FAIL() << "no error";
  } catch (const std::runtime_error& error) {
    EXPECT_TRUE(contains(error.what(),
                         "fickle: operator call 0 is aten::relu in the trace and "
                         "aten::sigmoid in the pass"))
        << error.what();
  }
}

TEST(LayerTimes, OfWhatIsNotInferenceInFloat32AreRefused) {
  BenchCase bench_case = small("lenet5");
  bench_case.precision = "bfloat16";
  EXPECT_THROW(time_layers(bench_case), std::invalid_argument);
}

std::vector<BenchCase> cases_of(const std::vector<Architecture>& variants) {
  std::vector<BenchCase> cases;
  for (const Architecture& variant : variants) cases.push_back(case_of(variant));
  return cases;
}

TEST(OperatorTimes, AreOfEveryVariantWithItsRatioToTheStandardOne) {
  const auto times = time_operators(cases_of(layer_variants(8, 3, 8)), {6, 0, 3, 0});
  ASSERT_EQ(times.size(), 9u);
  for (const OperatorTime& time : times) {
    EXPECT_EQ(time.reason, "") << time.bench_case.architecture.name;
    EXPECT_EQ(time.ns.samples, 18u);
    EXPECT_GT(time.ratio, 0);
    ASSERT_TRUE(time.ratio_interval);
    EXPECT_LE(time.ratio_interval->low, time.ratio);
    EXPECT_GE(time.ratio_interval->high, time.ratio);
  }
  EXPECT_EQ(times[0].ratio, 1);
  EXPECT_EQ(times[0].ratio_interval->low, 1);
  EXPECT_EQ(times[0].ratio_interval->high, 1);
}

TEST(OperatorTimes, VariantThatDoesNotFitIsNamedAndTheOthersAreMeasured) {
  const auto variants = layer_variants(1, 1, 3'000);  // fully connected: 324 TB
  const auto times = time_operators(cases_of({variants[3], variants.back()}), {1, 0, 1, 0});
  EXPECT_EQ(times[0].reason, "");
  EXPECT_TRUE(contains(times[1].reason, "GiB")) << times[1].reason;
  EXPECT_EQ(times[1].ratio, 0);
}

/// What `bench --layers` prints of a case on a machine of 100 GFLOP/s, 10 GB/s, 1 us.
Result printed_layers(const BenchCase& bench_case, const std::string& format) {
  Command command{"bench", "", "", {}, {}, nullptr};
  command.options.add_options()("results", text_value(), "");
  add_output_options(command.options);
  po::variables_map values;
  const std::vector<std::string> arguments = {"--format", format};
  po::store(po::command_line_parser(arguments).options(command.options).run(), values);
  std::ostringstream out, err;
  const int code = print_layer_times({command, arguments, values, out, err},
                                     {PlannedCase{bench_case, 0, {}, ""}}, {{1, {100, 10, 1000}}},
                                     once_or_twice);
  return {code, out.str(), err.str()};
}

TEST(BenchLayers, PrintARowForEachOperatorAndHowMuchTheyExplain) {
  const Result result = printed_layers(small("lenet5"), "csv");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1 + 12);
  EXPECT_EQ(result.out.find("model,input,engine,threads,index,layer,op,median_ms,ci_low_ms,"
                            "ci_high_ms,macs,flops,bytes,gflop_per_s,gb_per_s,peak_share,"
                            "intensity,bound,"),
            0u)
      << result.out;
  // conv1: 6 filters of 3 x 5 x 5 at 28 x 28 places; 3 x 32 x 32 in, 6 x 28 x 28 out, 456 weights.
  EXPECT_TRUE(contains(result.out, "lenet5,3x32x32,eager,1,0,conv1,conv2d,")) << result.out;
  EXPECT_TRUE(contains(result.out, ",352800,710304,32928,")) << result.out;
  EXPECT_TRUE(contains(result.out, ",compute,")) << result.out;
  EXPECT_TRUE(contains(result.out, ",overhead,")) << result.out;
  EXPECT_TRUE(contains(result.err, "these 12 rows take ")) << result.err;
}

TEST(BenchLayers, ShowSharesInPercentToPeople) {
  const Result result = printed_layers(small("lenet5"), "md");
  EXPECT_TRUE(contains(result.out, "Of peak")) << result.out;
  EXPECT_TRUE(contains(result.out, " %")) << result.out;
}

TEST(BenchLayers, CaseThatCannotBeTimedIsRefusedOrNamed) {
  BenchCase bench_case = small("lenet5");
  bench_case.precision = "bfloat16";
  EXPECT_THROW(printed_layers(bench_case, "csv"), UsageError);
  bench_case = small("lenet5");
  bench_case.settings.image = {3, 1, 1};  // known only when it runs
  const Result result = printed_layers(bench_case, "csv");
  EXPECT_EQ(result.code, 1);
  EXPECT_TRUE(contains(result.err, "convscope: lenet5/3x1x1/")) << result.err;
}

class BenchRanking : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder);
    file << "env,model,input,device,threads,batch,precision,layout,engine,mode,scenario,"
            "median_ms,ci_low_ms,ci_high_ms,status\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void row(const std::string& model, int threads, const std::string& times) {
    file << "e," << model << ",3x224x224,cpu," << threads
         << ",1,float32,contiguous,eager,inference,latency," << times << std::endl;
  }
  Result ranking(const std::string& format = "table") const {
    return convscope_with({"bench", "--ranking", folder.string(), "--format", format});
  }

  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("convscope-ranking-" + std::to_string(getpid()));
  std::ofstream file{(std::filesystem::create_directories(folder), folder / "bench.csv")};
};

TEST_F(BenchRanking, RanksOnlyWhatWasMeasuredInTheSameWay) {
  row("alexnet", 1, "20,19.9,20.1,ok");
  row("mobilenet_v2", 1, "30,29.9,30.1,ok");
  row("resnet18", 1, "40,39.9,40.1,ok");
  row("vgg16", 1, ",,,failed");
  row("vgg11", 2, "1,1,1,ok");
  const Result result = ranking();
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(contains(result.out,
                       "cpu, threads 1, batch 1, float32, contiguous, eager, inference, "
                       "latency (3 networks)"))
      << result.out;
  EXPECT_TRUE(contains(result.out, "MACs 0.500, params")) << result.out;
  EXPECT_TRUE(contains(result.out, "MACs order 1 of 3 pairs wrongly")) << result.out;
  EXPECT_TRUE(contains(result.err, "line 5: vgg16 has no time (failed)")) << result.err;
  EXPECT_TRUE(contains(result.err, "only vgg11")) << result.err;
  EXPECT_TRUE(contains(ranking("csv").out, "mobilenet_v2,alexnet,30,20,")) << ranking("csv").out;
}

TEST_F(BenchRanking, CountsANetworkAsItsRowSays) {
  row("mobilenet_v2:width=0.5", 1, "20,19.9,20.1,ok");
  row("mobilenet_v2", 1, "10,9.9,10.1,ok");
  EXPECT_TRUE(contains(ranking().out, "mobilenet_v2:width=0.5")) << ranking().out;
}

TEST_F(BenchRanking, OfNothingComparableIsRefused) {
  row("alexnet", 1, "20,19.9,20.1,ok");
  row("alexnet", 2, "20,19.9,20.1,ok");
  EXPECT_EQ(ranking().code, 2);
}

}  // namespace
}  // namespace convscope

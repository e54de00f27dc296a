// What measuring costs: the clock around an iteration, the watch around a block, the statistics
// after it, and reading its samples back.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <random>

#include "suite/records/sample_file.h"
#include "suite/timing/sampler.h"
#include "suite/timing/statistics.h"
#include "tests/report/temporary_folder.h"

namespace {

using namespace convscope;

/// Does nothing, and times that as a real workload times an iteration.
class Nothing : public Workload {
 public:
  std::vector<std::string> parts() const override { return {"inference"}; }
  Reading run(int64_t) override {
    const auto start = std::chrono::steady_clock::now();
    const auto end = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(end);
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(end - start).count();
    measured += static_cast<double>(ns);
    ++runs;
    return {{1'000'000}};  // what the sampler is told: an iteration of 1 ms
  }
  double measured = 0, runs = 0;
};

/// All that the harness does for an iteration of 1 ms, as a share of that. `inside` is what of it
/// lies between the two readings of the clock, and so in the sample.
void sampling_1ms(benchmark::State& state) {
  Nothing nothing;
  MachineWatch watch(1);
  double samples = 0, seconds = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    samples += static_cast<double>(sample_block(nothing, watch, 0.3, 1).ns[0].size());
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  state.counters["percent_of_1ms"] = 100 * seconds / samples / 1e-3;
  state.counters["inside_percent_of_1ms"] = 100 * nothing.measured / nothing.runs / 1e6;
}
BENCHMARK(sampling_1ms);

std::vector<double> lognormal(size_t count) {
  std::mt19937 generator(1);
  std::lognormal_distribution<double> time(0, 0.02);
  std::vector<double> values(count);
  for (double& value : values) value = time(generator);
  return values;
}

void summarize_100000(benchmark::State& state) {
  const Repetitions repetitions(10, lognormal(10000));
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(summarize(repetitions));
}
BENCHMARK(summarize_100000)->Unit(benchmark::kMillisecond);

void hodges_lehmann_100(benchmark::State& state) {
  const auto a = lognormal(100);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(hodges_lehmann(a, a));
}
BENCHMARK(hodges_lehmann_100)->Unit(benchmark::kMillisecond);

/// Fifty cases of twenty repetitions. `peak_mib` is the process's, so run this one alone for it.
void read_samples_1000000(benchmark::State& state) {
  const TemporaryFolder folder;
  {
    std::ofstream file(folder.path / "samples.csv");
    file << "env,case,repetition,index,ns,disturbed\n";
    for (int row = 0; row < 1'000'000; ++row) {
      file << "cd6f69421bf6bc88,vgg16/3x224x224/cpu/t1/b" << row / 20000
           << "/float32/contiguous/eager/inference/latency," << row / 1000 % 20 << ',' << row % 1000
           << ',' << 343'000'000 + row << ",false\n";
    }
  }
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(read_samples(folder.path, std::cerr).cases.size());
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_mib"] = static_cast<double>(usage.ru_maxrss) / 1024;
}
BENCHMARK(read_samples_1000000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();

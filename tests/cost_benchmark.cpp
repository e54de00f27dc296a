// How long a cost table takes: the whole program as a user starts it, the analysis alone, and its
// growth with depth. Run it on an idle machine: build/cost_benchmark
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "architectures/catalogue.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"

namespace convscope {
namespace {

int64_t analyse(const Architecture& architecture) {
  return cost(trace_network(architecture, architecture.settings)).macs;
}

/// From the start of the process to its end, and its largest resident memory.
void whole_program(benchmark::State& state, const char* format) {
  const char* arguments[] = {CONVSCOPE_PROGRAM, "cost", "*", "--format", format, nullptr};
  double peak_mib = 0;
  for (auto _ : state) {
    posix_spawn_file_actions_t silent;
    posix_spawn_file_actions_init(&silent);
    posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    posix_spawn(&child, arguments[0], &silent, nullptr, const_cast<char**>(arguments), environ);
    posix_spawn_file_actions_destroy(&silent);
    int status = 0;
    rusage usage{};
    wait4(child, &status, 0, &usage);
    if (status != 0) {
      state.SkipWithError("the program failed");
      break;
    }
    peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  }
  state.counters["peak_MiB"] = peak_mib;
}

void catalogue_analysis(benchmark::State& state) {
  for (auto _ : state) {
    for (const Architecture& architecture : catalogue()) {
      benchmark::DoNotOptimize(analyse(architecture));
    }
  }
  state.counters["networks"] = static_cast<double>(catalogue().size());
}

void growth_with_depth(benchmark::State& state) {
  const auto& network = find_architecture("resnet" + std::to_string(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(analyse(network));
  state.SetComplexityN(state.range(0));
}

// The first has seen nothing before it, as in the program.
BENCHMARK(catalogue_analysis)
    ->Name("analysis of the catalogue, cold")
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(catalogue_analysis)->Name("analysis of the catalogue")->Unit(benchmark::kMillisecond);
BENCHMARK(growth_with_depth)
    ->Name("resnet")
    ->Arg(20)
    ->Arg(56)
    ->Arg(110)
    ->Arg(1202)
    ->Unit(benchmark::kMillisecond)
    ->Complexity(benchmark::oN);
BENCHMARK_CAPTURE(whole_program, table, "table")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(whole_program, csv, "csv")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(whole_program, json, "json")->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace convscope

BENCHMARK_MAIN();

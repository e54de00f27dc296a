// What pictures of a network's insides cost, beside the passes they are made of. Ratios of one run:
//   build/interpretation_benchmark --benchmark_repetitions=10
//     --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>
#include <torch/autograd.h>
#include <torch/utils.h>

#include "architectures/catalogue.h"
#include "architectures/network.h"
#include "suite/interpretation/attribution.h"
#include "suite/interpretation/saliency.h"
#include "suite/interpretation/unit_gradients.h"

namespace {

using namespace convscope;

const LoadedNetwork& resnet50() {
  static const LoadedNetwork network = [] {
    at::set_num_threads(1);
    const Architecture& architecture = find_architecture("resnet50");
    return initial_network(architecture, architecture.settings, 1);
  }();
  return network;
}

torch::Tensor photograph_of_noise() {
  torch::manual_seed(2);
  return torch::randn({1, 3, 224, 224});
}

void forward_and_backward(benchmark::State& state) {
  const torch::Tensor image = photograph_of_noise();
  for (auto _ : state) {
    benchmark::DoNotOptimize(logit_gradient(*resnet50().network, image, 0));
  }
}

void grad_cam_of_one_photograph(benchmark::State& state) {
  const torch::Tensor image = photograph_of_noise();
  const size_t call = last_map_call(resnet50().graph);
  for (auto _ : state) {
    benchmark::DoNotOptimize(grad_cam(*resnet50().network, image, 0, call));
  }
}

/// One image through all 54 layers: one forward pass, and a backward pass from each.
void effective_fields_of_all_layers(benchmark::State& state) {
  const auto layers = map_layers(resnet50().graph);
  const auto image = noise_images(resnet50().settings.image, 1, 1, 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(unit_gradients(resnet50(), layers, image, 1, 1, 0));
  }
}

BENCHMARK(forward_and_backward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(grad_cam_of_one_photograph)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(effective_fields_of_all_layers)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();

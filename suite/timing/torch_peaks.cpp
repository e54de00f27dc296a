#include "suite/timing/torch_peaks.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "suite/inference/threads.h"

namespace convscope {
namespace {

/// Of square matrices: 4 MiB each, 2.1 GFLOP, 10 ms or so on one core. Larger ones were no faster.
constexpr int64_t side = 1024;
constexpr double product_gflop = 2e-9 * side * side * side;

/// Seconds of each try, without those of the first, which makes primitives and touches memory.
std::vector<double> timed(int tries, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (int i = 0; i <= tries; ++i) {
    const auto begin = Clock::now();
    work();
    const auto end = Clock::now();
    if (i > 0) seconds.push_back(std::chrono::duration<double>(end - begin).count());
  }
  return seconds;
}

Peak product_rate(const std::function<void()>& product) {
  constexpr int tries = 40;
  std::vector<double> rates = timed(tries, product);
  for (double& value : rates) value = product_gflop / value;
  return highest(rates);
}

/// Microseconds of one call, each try the mean of many: the clock takes a part of a microsecond.
Peak call_time(int calls, const std::function<void()>& call) {
  constexpr int tries = 40;
  std::vector<double> times = timed(tries, [&] {
    for (int i = 0; i < calls; ++i) call();
  });
  for (double& value : times) value = 1e6 * value / calls;
  return lowest(times);
}

}  // namespace

Peak blas_peak(int threads) {
  const c10::InferenceMode no_gradients;
  use_threads(threads);
  const at::Tensor a = at::rand({side, side}), b = at::rand({side, side});
  at::Tensor result = at::empty({side, side});
  return product_rate([&] { at::mm_out(result, a, b); });
}

Peak onednn_peak(int threads) {
  if (!at::hasMKLDNN()) return {};
  const c10::InferenceMode no_gradients;
  use_threads(threads);
  // 1024 pixels with 1024 channels each, by a matrix of 1024 x 1024.
  const at::Tensor image = at::rand({1, side, side / 32, 32}).to_mkldnn();
  // LibTorch 1.13.1 divides by what a stride of one number, its own default, does not hold.
  const at::Tensor weight = at::mkldnn_reorder_conv2d_weight(
      at::rand({side, side, 1, 1}).to_mkldnn(), {0, 0}, {1, 1}, {1, 1}, 1);
  return product_rate([&] { at::conv2d(image, weight); });
}

Peak operator_launch(int threads) {
  const c10::InferenceMode no_gradients;
  use_threads(threads);
  at::Tensor element = at::ones({1});
  return call_time(5000, [&] { at::relu_(element); });
}

Peak convolution_launch(int threads) {
  const c10::InferenceMode no_gradients;
  use_threads(threads);
  const at::Tensor image = at::ones({1, 1, 1, 1}), weight = at::ones({1, 1, 1, 1});
  return call_time(500, [&] { at::conv2d(image, weight); });
}

}  // namespace convscope

#include "suite/interpretation/downsampled.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "suite/analysis/ops.h"

namespace convscope {
namespace {

using Numbers = std::vector<int64_t>;

/// Of a call with a stride, what its substitutes need. Arguments are of the call that is answered,
/// whose batch may be another than the graph's.
struct Strided {
  std::string op;
  std::vector<SlidingWindow> slides;
  Numbers size;  ///< of the result's sides
  bool ceil_mode;

  Numbers each(int64_t SlidingWindow::*part) const {
    Numbers numbers;
    for (const SlidingWindow& window : slides) numbers.push_back(window.*part);
    return numbers;
  }
};

Strided strided_of(const Graph& graph, const Call& call) {
  const Site site(graph, call);
  const Shape& map = site.out();
  return {call.op, windows(site), {map[map.size() - 2], map.back()}, site.flag("ceil_mode", false)};
}

/// The middle of each window; where that is outside of the map, the nearest element.
torch::Tensor middles(const torch::Tensor& maps, const Strided& call) {
  torch::Tensor result = maps;
  for (size_t side = 0; side < call.slides.size(); ++side) {
    const SlidingWindow& window = call.slides[side];
    const auto dimension = static_cast<int64_t>(side) + 2;
    const int64_t first = (window.extent() - 1) / 2 - window.padding;
    const torch::Tensor places =
        (at::arange(call.size[side]) * window.stride + first).clamp(0, maps.size(dimension) - 1);
    result = result.index_select(dimension, places);
  }
  return result;
}

torch::Tensor dense(const torch::jit::Stack& arguments, const Strided& call) {
  const torch::Tensor maps = arguments.at(0).toTensor();
  const Numbers ones(call.slides.size(), 1);
  const Numbers padding = call.each(&SlidingWindow::padding);
  const Numbers kernel = call.each(&SlidingWindow::kernel);
  if (call.op == "aten::max_pool2d") {
    return torch::max_pool2d(maps, kernel, ones, padding, call.each(&SlidingWindow::dilation));
  }
  if (call.op == "aten::avg_pool2d") {
    return torch::avg_pool2d(maps, kernel, ones, padding, false, arguments.at(5).toBool(),
                             arguments.at(6).toOptional<int64_t>());
  }
  return torch::conv2d(maps, arguments.at(1).toTensor(),
                       arguments.at(2).isNone() ? torch::Tensor() : arguments.at(2).toTensor(),
                       ones, padding, call.each(&SlidingWindow::dilation), arguments.at(6).toInt());
}

torch::Tensor answer(const torch::jit::Stack& arguments, const Strided& call,
                     Downsampling downsampling) {
  const torch::Tensor maps = arguments.at(0).toTensor();
  const Numbers kernel = call.each(&SlidingWindow::kernel),
                stride = call.each(&SlidingWindow::stride),
                padding = call.each(&SlidingWindow::padding);
  switch (downsampling) {
    case Downsampling::max:
      return torch::max_pool2d(maps, kernel, stride, padding, 1, call.ceil_mode);
    case Downsampling::average:
      for (const SlidingWindow& window : call.slides) {
        if (window.dilation == 1) continue;
        throw std::invalid_argument(
            "average pooling has no windows with gaps, which this network's "
            "max pooling has");
      }
      return torch::avg_pool2d(maps, kernel, stride, padding, call.ceil_mode,
                               /*count_include_pad=*/false);
    case Downsampling::strided:
      return middles(maps, call);
    default:
      return blurred_maps(dense(arguments, call), stride, call.size);
  }
}

/// The filter along one side for each channel alone.
torch::Tensor blurred_side(const torch::Tensor& maps, int64_t dimension, int64_t stride,
                           int64_t size) {
  const auto filter = binomial_filter(stride);
  const auto taps = static_cast<int64_t>(filter.size());
  const int64_t before = stride - 1, length = maps.size(dimension);
  const int64_t after = std::max<int64_t>((size - 1) * stride + taps - before - length, 0);
  Numbers padding(4, 0);
  const size_t first = dimension == 3 ? 0 : 2;
  padding[first] = before;
  padding[first + 1] = after;
  // A map that is too small to be reflected goes on as it ends.
  const bool reflects = before < length && after < length;
  torch::Tensor padded = maps;
  if (before > 0 || after > 0) {
    padded =
        reflects ? torch::reflection_pad2d(maps, padding) : torch::replication_pad2d(maps, padding);
  }
  // A sum of slices: with a few taps, faster than a convolution that has one kernel per channel.
  torch::Tensor sum;
  for (int64_t tap = 0; tap < taps; ++tap) {
    const torch::Tensor part = padded.slice(dimension, tap, tap + (size - 1) * stride + 1, stride);
    const double weight = filter[static_cast<size_t>(tap)];
    sum = sum.defined() ? sum.add_(part, weight) : part * weight;
  }
  return sum;
}

}  // namespace

torch::Tensor blurred_maps(const torch::Tensor& maps, const std::vector<int64_t>& stride,
                           const std::vector<int64_t>& size) {
  return blurred_side(blurred_side(maps, 2, stride.at(0), size.at(0)), 3, stride.at(1), size.at(1));
}

decltype(ObserveOptions::exchange) exchange_of(const Graph& graph, Downsampling downsampling) {
  if (downsampling == Downsampling::as_built) return {};
  std::map<size_t, Strided> calls;
  for (const size_t call : exchanged_calls(graph, downsampling)) {
    calls.emplace(call, strided_of(graph, graph.calls[call]));
  }
  return [calls = std::move(calls), downsampling](
             size_t call, const torch::jit::Stack& arguments) -> std::optional<torch::Tensor> {
    const auto found = calls.find(call);
    if (found == calls.end()) return std::nullopt;
    return answer(arguments, found->second, downsampling);
  };
}

}  // namespace convscope

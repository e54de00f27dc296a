#include "suite/interpretation/downsampling.h"

#include <algorithm>
#include <utility>

#include "suite/analysis/ops.h"

namespace convscope {
namespace {

bool has_stride(const Site& site) {
  const std::string& op = site.call().op;
  if (op != "aten::conv2d" && op != "aten::max_pool2d" && op != "aten::avg_pool2d") return false;
  const auto slides = windows(site);
  return std::any_of(slides.begin(), slides.end(),
                     [](const SlidingWindow& window) { return window.stride > 1; });
}

/// One position is left, as of pooling over the whole map: a stride says nothing.
bool is_global(const Site& site) {
  const Shape& map = site.out();
  return map[map.size() - 2] == 1 && map.back() == 1;
}

void set(Call& call, const std::string& name, const std::vector<int64_t>& value) {
  for (auto& [attribute, old] : call.attributes) {
    if (attribute == name) old = value;
  }
}

}  // namespace

std::string to_string(Downsampling downsampling) {
  switch (downsampling) {
    case Downsampling::as_built:
      return "as-built";
    case Downsampling::max:
      return "max";
    case Downsampling::average:
      return "average";
    case Downsampling::strided:
      return "strided";
    case Downsampling::blurred:
      return "blurred";
  }
  return "";
}

const std::vector<Downsampling>& all_downsamplings() {
  static const std::vector<Downsampling> all = {Downsampling::as_built, Downsampling::max,
                                                Downsampling::average, Downsampling::strided,
                                                Downsampling::blurred};
  return all;
}

std::vector<size_t> exchanged_calls(const Graph& graph, Downsampling downsampling) {
  std::vector<size_t> found;
  for (size_t i = 0; i < graph.calls.size(); ++i) {
    const Site site(graph, graph.calls[i]);
    if (!has_stride(site) || is_global(site)) continue;
    const bool max = site.call().op == "aten::max_pool2d",
               average = site.call().op == "aten::avg_pool2d";
    if ((downsampling == Downsampling::max && average) ||
        (downsampling == Downsampling::average && max) ||
        (downsampling == Downsampling::strided && (max || average)) ||
        downsampling == Downsampling::blurred) {
      found.push_back(i);
    }
  }
  return found;
}

std::vector<Downsampling> downsamplings(const Graph& graph) {
  std::vector<Downsampling> found;
  for (const Downsampling one : all_downsamplings()) {
    if (one == Downsampling::as_built || !exchanged_calls(graph, one).empty()) found.push_back(one);
  }
  return found;
}

Graph blurred_graph(const Graph& graph) {
  Graph blurred = graph;
  blurred.calls.clear();
  const std::vector<size_t> exchanged = exchanged_calls(graph, Downsampling::blurred);
  for (size_t i = 0; i < graph.calls.size(); ++i) {
    Call call = graph.calls[i];
    if (!std::binary_search(exchanged.begin(), exchanged.end(), i)) {
      blurred.calls.push_back(std::move(call));
      continue;
    }
    const Site site(graph, graph.calls[i]);
    Call blur{"aten::avg_pool2d",
              call.layer,
              {static_cast<int>(blurred.values.size())},
              call.outputs,
              {}};
    std::vector<int64_t> strides, taps, padding;
    Shape dense = site.out();
    const auto slides = windows(site);
    for (size_t side = 0; side < slides.size(); ++side) {
      const SlidingWindow& window = slides[side];
      strides.push_back(window.stride);
      taps.push_back(2 * window.stride - 1);
      padding.push_back(window.stride - 1);
      dense[side + 2] = site.in()[side + 2] + 2 * window.padding - window.extent() + 1;
    }
    blur.attributes = {{"kernel_size", taps}, {"stride", strides}, {"padding", padding}};
    blurred.values.push_back({dense});
    call.outputs = blur.inputs;
    set(call, "stride", std::vector<int64_t>(slides.size(), 1));
    blurred.calls.push_back(std::move(call));
    blurred.calls.push_back(std::move(blur));
  }
  return blurred;
}

std::vector<double> binomial_filter(int64_t stride) {
  std::vector<double> taps = {1};
  for (int64_t i = 0; i < 2 * (stride - 1); ++i) {
    taps.push_back(0);
    for (size_t k = taps.size(); k-- > 0;) taps[k] = (taps[k] + (k > 0 ? taps[k - 1] : 0)) / 2;
  }
  return taps;
}

}  // namespace convscope

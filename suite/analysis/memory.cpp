#include "suite/analysis/memory.h"

#include <unordered_map>
#include <unordered_set>

namespace convscope {
namespace {

struct Lifetime {
  int64_t bytes;
  int first, last;  ///< calls
};

/// By storage; weights are not among them.
std::unordered_map<int, Lifetime> lifetimes_of(const Graph& graph) {
  std::unordered_set<int> weights;
  for (const Value& value : graph.values) {
    if (value.parameter >= 0) weights.insert(value.storage);
  }
  std::unordered_map<int, Lifetime> lifetimes;
  const auto touch = [&](int index, int call) {
    if (index < 0) return;
    const Value& value = graph.values[static_cast<size_t>(index)];
    if (weights.count(value.storage)) return;
    const int64_t bytes = element_count(value.shape) * value.element_bytes;
    lifetimes.emplace(value.storage, Lifetime{bytes, call, call}).first->second.last = call;
  };
  const int end = static_cast<int>(graph.calls.size());
  for (const int input : graph.inputs) touch(input, 0);
  for (int i = 0; i < end; ++i) {
    for (const int input : graph.calls[static_cast<size_t>(i)].inputs) touch(input, i);
    for (const int output : graph.calls[static_cast<size_t>(i)].outputs) touch(output, i);
  }
  for (const int output : graph.outputs) touch(output, end - 1);
  return lifetimes;
}

}  // namespace

PeakMemory peak_activation_memory(const Graph& graph) {
  const int end = static_cast<int>(graph.calls.size());
  std::vector<int64_t> change(static_cast<size_t>(end) + 1, 0);
  for (const auto& [storage, life] : lifetimes_of(graph)) {
    change[static_cast<size_t>(life.first)] += life.bytes;
    change[static_cast<size_t>(life.last) + 1] -= life.bytes;
  }
  PeakMemory peak;
  int64_t live = 0;
  for (int i = 0; i < end; ++i) {
    live += change[static_cast<size_t>(i)];
    if (live > peak.bytes) peak = {live, i};
  }
  return peak;
}

int64_t all_activation_memory(const Graph& graph) {
  int64_t bytes = 0;
  for (const auto& [storage, life] : lifetimes_of(graph)) bytes += life.bytes;
  return bytes;
}

}  // namespace convscope

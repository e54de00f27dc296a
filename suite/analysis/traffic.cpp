#include "suite/analysis/traffic.h"

#include <algorithm>
#include <unordered_set>

#include "suite/analysis/ops.h"

namespace convscope {
namespace {

/// The storages of parameters and buffers.
std::unordered_set<int> weight_storages(const Graph& graph) {
  std::unordered_set<int> weights;
  for (const Value& value : graph.values) {
    if (value.parameter >= 0) weights.insert(value.storage);
  }
  return weights;
}

int64_t bytes_of(const Value& value) { return element_count(value.shape) * value.element_bytes; }

/// An operator that returns what it was given under another shape.
bool is_view(const Graph& graph, const Call& call) {
  const Op* op = find_operator(call.op);
  if (!op || op->kind != Kind::movement || call.inputs.empty() || call.inputs[0] < 0) return false;
  const int storage = graph.values[static_cast<size_t>(call.inputs[0])].storage;
  for (const int output : call.outputs) {
    if (output < 0 || graph.values[static_cast<size_t>(output)].storage != storage) return false;
  }
  return true;
}

}  // namespace

int64_t bytes_moved(const Graph& graph, const std::vector<size_t>& calls, int64_t batch) {
  const auto view = [&](size_t call) { return is_view(graph, graph.calls.at(call)); };
  if (std::all_of(calls.begin(), calls.end(), view)) return 0;
  const std::unordered_set<int> weights = weight_storages(graph);
  const std::unordered_set<size_t> inside(calls.begin(), calls.end());
  std::unordered_set<int> made, read, read_elsewhere(graph.outputs.begin(), graph.outputs.end());
  for (size_t number = 0; number < graph.calls.size(); ++number) {
    const Call& call = graph.calls[number];
    if (!inside.count(number)) {
      read_elsewhere.insert(call.inputs.begin(), call.inputs.end());
      continue;
    }
    made.insert(call.outputs.begin(), call.outputs.end());
    const Op* op = find_operator(call.op);
    const bool folded = calls.size() > 1 && op && op->kind == Kind::normalization;
    for (const int input : call.inputs) {
      if (input < 0) continue;
      const bool weight = weights.count(graph.values[static_cast<size_t>(input)].storage) > 0;
      if (!folded || !weight) read.insert(input);
    }
  }
  int64_t bytes = 0;
  const auto move = [&](int index) {
    const Value& value = graph.values[static_cast<size_t>(index)];
    bytes += bytes_of(value) * (weights.count(value.storage) ? 1 : batch);
  };
  for (const int input : read) {
    if (!made.count(input)) move(input);
  }
  for (const int output : made) {
    if (output >= 0 && (read_elsewhere.count(output) || !read.count(output))) move(output);
  }
  return bytes;
}

}  // namespace convscope

#include "suite/analysis/memory.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "suite/analysis/ops.h"

namespace convscope {
namespace {

struct Lifetime {
  int64_t bytes;
  int first, last;  ///< calls
};

/// The storages of parameters and buffers.
std::unordered_set<int> weights_of(const Graph& graph) {
  std::unordered_set<int> weights;
  for (const Value& value : graph.values) {
    if (value.parameter >= 0) weights.insert(value.storage);
  }
  return weights;
}

int64_t bytes_of(const Value& value) { return element_count(value.shape) * value.element_bytes; }

/// By storage; weights are not among them.
std::unordered_map<int, Lifetime> lifetimes_of(const Graph& graph) {
  const std::unordered_set<int> weights = weights_of(graph);
  std::unordered_map<int, Lifetime> lifetimes;
  const auto touch = [&](int index, int call) {
    if (index < 0) return;
    const Value& value = graph.values[static_cast<size_t>(index)];
    if (weights.count(value.storage)) return;
    lifetimes.emplace(value.storage, Lifetime{bytes_of(value), call, call}).first->second.last =
        call;
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

/// What lives during each call.
std::vector<int64_t> live_bytes(const std::unordered_map<int, Lifetime>& lifetimes, size_t calls) {
  std::vector<int64_t> live(calls + 1, 0);
  for (const auto& [storage, life] : lifetimes) {
    live[static_cast<size_t>(life.first)] += life.bytes;
    live[static_cast<size_t>(life.last) + 1] -= life.bytes;
  }
  for (size_t i = 1; i < live.size(); ++i) live[i] += live[i - 1];
  live.pop_back();
  return live;
}

std::string plain_name(const Call& call) {
  return call.op.back() == '_' ? call.op.substr(0, call.op.size() - 1) : call.op;
}

bool is_max_pool(const Call& call) { return call.op.rfind("aten::max_pool", 0) == 0; }

int64_t output_bytes(const Graph& graph, const Call& call) {
  int64_t bytes = 0;
  for (const int output : call.outputs) {
    if (output >= 0) bytes += bytes_of(graph.values[static_cast<size_t>(output)]);
  }
  return bytes;
}

/// Where max pooling found its maxima: an int64 for each.
int64_t index_bytes(const Graph& graph, const Call& call) {
  if (!is_max_pool(call)) return 0;
  return 8 * element_count(graph.values[static_cast<size_t>(call.outputs.at(0))].shape);
}

/// What the derivative of an operator needs to be kept.
struct Needs {
  bool inputs, result;
};

Needs needs_of(const Call& call) {
  static const std::unordered_set<std::string> by_result = {
      "aten::relu", "aten::sigmoid", "aten::tanh",  "aten::softmax",   "aten::log_softmax",
      "aten::exp",  "aten::sqrt",    "aten::rsqrt", "aten::reciprocal"};
  static const std::unordered_set<std::string> by_nothing = {"aten::add", "aten::sub", "aten::rsub",
                                                             "aten::neg"};
  const std::string name = plain_name(call);
  if (by_result.count(name)) return {false, true};
  if (by_nothing.count(name)) return {false, false};
  const Op* op = find_operator(call.op);
  if (!op) return {true, true};
  const bool linear_in_its_input =
      op->kind == Kind::movement || op->kind == Kind::reduction || op->kind == Kind::interpolation;
  if (linear_in_its_input) return {false, false};
  return {true, false};
}

}  // namespace

PeakMemory peak_activation_memory(const Graph& graph) {
  const std::vector<int64_t> live = live_bytes(lifetimes_of(graph), graph.calls.size());
  const auto largest = std::max_element(live.begin(), live.end());
  if (largest == live.end()) return {};
  return {*largest, static_cast<int>(largest - live.begin())};
}

int64_t eager_activation_memory(const Graph& graph, bool channels_last) {
  auto lifetimes = lifetimes_of(graph);
  const int end = static_cast<int>(graph.calls.size()) - 1;
  for (const int input : graph.inputs) {
    lifetimes.at(graph.values[static_cast<size_t>(input)].storage).last = end;
  }
  const std::vector<int64_t> live = live_bytes(lifetimes, graph.calls.size());
  int64_t peak = 0;
  for (size_t i = 0; i < live.size(); ++i) {
    const Call& call = graph.calls[i];
    int64_t aside = index_bytes(graph, call);
    const Op* op = find_operator(call.op);
    if (op && op->kind == Kind::convolution && !channels_last) {
      aside += bytes_of(graph.values[static_cast<size_t>(call.inputs.at(0))]) +
               output_bytes(graph, call);
    }
    peak = std::max(peak, live[i] + aside);
  }
  return peak;
}

int64_t training_activation_memory(const Graph& graph) {
  const std::unordered_set<int> weights = weights_of(graph);
  std::unordered_set<int> kept;
  int64_t bytes = 0;
  const auto keep = [&](int index) {
    if (index < 0) return;
    const Value& value = graph.values[static_cast<size_t>(index)];
    if (!weights.count(value.storage) && kept.insert(value.storage).second) {
      bytes += bytes_of(value);
    }
  };
  for (const int input : graph.inputs) keep(input);
  int64_t peak = 0;
  // The way back passes the calls in reverse, with what those before have kept and the gradients of
  // what a call made and was given.
  for (const Call& call : graph.calls) {
    const Needs needs = needs_of(call);
    const bool in_place = call.op.back() == '_';
    if (needs.inputs && in_place) bytes += output_bytes(graph, call);
    int64_t gradients = 0;
    const auto add_gradient = [&](int index) {
      if (index < 0) return;
      const Value& value = graph.values[static_cast<size_t>(index)];
      if (!weights.count(value.storage)) gradients += bytes_of(value);
    };
    for (const int output : call.outputs) add_gradient(output);
    for (const int input : call.inputs) {
      if (needs.inputs && !in_place) keep(input);
      add_gradient(input);
    }
    if (needs.result) {
      for (const int output : call.outputs) keep(output);
    }
    bytes += index_bytes(graph, call);
    peak = std::max(peak, bytes + gradients);
  }
  return peak;
}

}  // namespace convscope

#include "suite/analysis/fold.h"

#include <algorithm>
#include <map>
#include <set>

#include "suite/analysis/ops.h"

namespace convscope {
namespace {

/// Drops the parameters and buffers of `layers` and renumbers the rest.
void remove_parameters(Graph& graph, const std::set<std::string>& layers) {
  std::vector<Parameter> kept;
  std::vector<int> renumbered;
  for (const Parameter& parameter : graph.parameters) {
    const std::string layer = parameter.name.substr(0, parameter.name.rfind('.'));
    const bool removed = layers.count(layer) > 0;
    renumbered.push_back(removed ? -1 : static_cast<int>(kept.size()));
    if (!removed) kept.push_back(parameter);
  }
  graph.parameters = std::move(kept);
  for (Value& value : graph.values) {
    if (value.parameter >= 0) value.parameter = renumbered[static_cast<size_t>(value.parameter)];
  }
}

}  // namespace

Graph fold_batch_norm(const Graph& original) {
  Graph graph = original;
  std::map<int, int> readers;
  std::map<int, Call*> maker;
  for (Call& call : graph.calls) {
    for (const int input : call.inputs) ++readers[input];
    for (const int output : call.outputs) maker[output] = &call;
  }
  for (const int output : graph.outputs) ++readers[output];

  int next_storage = 0;
  for (const Value& value : graph.values) next_storage = std::max(next_storage, value.storage + 1);
  std::set<std::string> folded;
  std::set<const Call*> removed;
  for (Call& call : graph.calls) {
    if (call.op != "aten::batch_norm" || Site(graph, call).flag("training", false)) continue;
    const int between = call.inputs.at(0);
    const auto before = maker.find(between);
    if (before == maker.end() || readers[between] != 1) continue;
    Call& layer = *before->second;
    const Op* op = find_operator(layer.op);
    const bool takes_bias = op && (op->kind == Kind::convolution || layer.op == "aten::linear");
    if (!takes_bias || layer.inputs.size() < 3) continue;
    if (layer.inputs[2] < 0) {
      const int64_t channels = graph.values[static_cast<size_t>(between)].shape.at(1);
      layer.inputs[2] = static_cast<int>(graph.values.size());
      graph.values.push_back(
          {{channels}, 4, next_storage++, static_cast<int>(graph.parameters.size())});
      graph.parameters.push_back({layer.layer + ".bias", {channels}, 4, true});
    }
    layer.outputs = call.outputs;
    for (const int output : call.outputs) maker[output] = &layer;
    removed.insert(&call);
    folded.insert(call.layer);
  }
  std::vector<Call> calls;
  for (const Call& call : graph.calls) {
    if (!removed.count(&call)) calls.push_back(call);
  }
  graph.calls = std::move(calls);
  remove_parameters(graph, folded);
  return graph;
}

}  // namespace convscope

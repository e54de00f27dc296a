#include "suite/analysis/fold.h"

#include <algorithm>
#include <map>
#include <set>

#include "suite/analysis/ops.h"

namespace convscope {
namespace {

/// Drops the parameters that `removed` alone read, and the counters beside them, and renumbers the
/// rest.
void remove_parameters(Graph& graph, const std::vector<Call>& removed) {
  std::set<int> kept_values, dropped;
  for (const Call& call : graph.calls) kept_values.insert(call.inputs.begin(), call.inputs.end());
  std::set<std::string> counters;
  for (const Call& call : removed) {
    for (const int input : call.inputs) {
      if (input < 0 || kept_values.count(input)) continue;
      const int parameter = graph.values[static_cast<size_t>(input)].parameter;
      if (parameter < 0) continue;
      dropped.insert(parameter);
      const std::string& name = graph.parameters[static_cast<size_t>(parameter)].name;
      if (name.size() > 12 && name.compare(name.size() - 12, 12, "running_mean") == 0) {
        counters.insert(name.substr(0, name.size() - 12) + "num_batches_tracked");
      }
    }
  }
  std::vector<Parameter> kept;
  std::vector<int> renumbered;
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const bool drop =
        dropped.count(static_cast<int>(i)) || counters.count(graph.parameters[i].name);
    renumbered.push_back(drop ? -1 : static_cast<int>(kept.size()));
    if (!drop) kept.push_back(graph.parameters[i]);
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
  std::set<const Call*> folded;
  for (Call& call : graph.calls) {
    if (call.op != "aten::batch_norm" || Site(graph, call).flag("training", false)) continue;
    const int between = call.inputs.at(0);
    const auto before = maker.find(between);
    if (before == maker.end() || readers[between] != 1) continue;
    Call& layer = *before->second;
    const Op* op = find_operator(layer.op);
    const bool has_bias = layer.op == "aten::addmm";
    const bool takes_bias = op && layer.inputs.size() > 2 &&
                            (op->kind == Kind::convolution || layer.op == "aten::linear");
    // Two uses of one weight cannot be scaled each in its own way.
    if (!(has_bias || takes_bias) || readers[layer.inputs[1]] != 1) continue;
    if (!has_bias && layer.inputs[2] < 0) {
      const int64_t channels = graph.values[static_cast<size_t>(between)].shape.at(1);
      layer.inputs[2] = static_cast<int>(graph.values.size());
      graph.values.push_back(
          {{channels}, 4, next_storage++, static_cast<int>(graph.parameters.size())});
      graph.parameters.push_back({layer.layer + ".bias", {channels}, 4, true});
    }
    layer.outputs = call.outputs;
    for (const int output : call.outputs) maker[output] = &layer;
    folded.insert(&call);
  }
  std::vector<Call> calls, removed;
  for (const Call& call : graph.calls) (folded.count(&call) ? removed : calls).push_back(call);
  graph.calls = std::move(calls);
  remove_parameters(graph, removed);
  return graph;
}

}  // namespace convscope

#include "suite/analysis/cost.h"

#include <algorithm>

#include "suite/analysis/memory.h"
#include "suite/analysis/ops.h"
#include "suite/analysis/receptive_field.h"

namespace convscope {
namespace {

Shape without_batch(const Shape& shape) {
  return shape.size() < 2 ? shape : Shape(shape.begin() + 1, shape.end());
}

/// Which parameter lies in which storage, so that a view of a weight is known as that weight.
std::map<int, int> parameters_by_storage(const Graph& graph) {
  std::map<int, int> result;
  for (const Value& value : graph.values) {
    if (value.parameter >= 0) result.emplace(value.storage, value.parameter);
  }
  return result;
}

}  // namespace

Cost cost(const Graph& graph) {
  Cost total;
  const ReceptiveFields fields = receptive_fields(graph);
  const std::map<int, int> parameter_in = parameters_by_storage(graph);
  std::vector<bool> counted(graph.parameters.size(), false);

  for (size_t number = 0; number < graph.calls.size(); ++number) {
    const Call& call = graph.calls[number];
    const Site site(graph, call);
    const Op* op = find_operator(call.op);
    LayerCost layer{};
    layer.call = number;
    layer.index = static_cast<int64_t>(total.layers.size());
    layer.layer = call.layer;
    layer.op = call.op.rfind("aten::", 0) == 0 ? call.op.substr(6) : call.op;
    const auto is_computed = [&](int input) {
      return input >= 0 && !parameter_in.count(graph.values[static_cast<size_t>(input)].storage);
    };
    // A view alone is not a use: the weight belongs to the operator that reads the view.
    const bool uses = !op || op->kind != Kind::movement ||
                      std::any_of(call.inputs.begin(), call.inputs.end(), is_computed);
    bool from_weight = false, computed = false;
    for (const int input : call.inputs) {
      if (input < 0) continue;
      const Value& value = graph.values[static_cast<size_t>(input)];
      const auto found = parameter_in.find(value.storage);
      if (found == parameter_in.end()) {
        if (!computed) layer.in_shape = without_batch(value.shape);
        computed = true;
        continue;
      }
      from_weight = true;
      const auto index = static_cast<size_t>(found->second);
      const Parameter& parameter = graph.parameters[index];
      if (!uses || counted[index] || !parameter.trainable) continue;
      counted[index] = true;
      layer.params += element_count(parameter.shape);
    }
    if (!computed && op && op->kind == Kind::movement)
      continue;  // rearranges weights, not features
    if (!call.outputs.empty() && call.outputs[0] >= 0) {
      layer.out_shape = without_batch(site.out());
      const Fields& seen = fields.of_value[static_cast<size_t>(call.outputs[0])];
      if (seen.spatial()) layer.field = seen.sides;
      layer.depth = seen.depth;
    }
    if (!op) {
      ++total.unknown[call.op];
    } else {
      const Kind kind = op->kind == Kind::matmul && from_weight ? Kind::linear : op->kind;
      layer.kind = to_string(kind);
      layer.windows = windows(site);
      layer.macs = op->macs ? op->macs(site) : 0;
      layer.flops = op->flops(site);
      if (kind == Kind::convolution) layer.groups = site.integer("groups", 1);
      if (kind == Kind::convolution || kind == Kind::linear || kind == Kind::matmul) {
        layer.activations = element_count(site.out());
      }
      total.conv_layers += kind == Kind::convolution;
      total.linear_layers += kind == Kind::linear;
      total.norm_layers += kind == Kind::normalization;
      if (kind == Kind::convolution) total.conv_params += layer.params;
      if (kind == Kind::linear) total.linear_params += layer.params;
      if (kind == Kind::normalization) total.norm_params += layer.params;
    }
    total.macs += layer.macs;
    total.flops += layer.flops;
    total.activations += layer.activations;
    total.layers.push_back(std::move(layer));
  }

  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const Parameter& parameter = graph.parameters[i];
    const int64_t elements = element_count(parameter.shape);
    (parameter.trainable ? total.params : total.buffers) += elements;
    if (parameter.trainable && !counted[i]) total.unused_params += elements;
    total.weight_bytes += elements * parameter.element_bytes;
  }
  const PeakMemory peak = peak_activation_memory(graph);
  total.peak_activation_bytes = peak.bytes;
  if (!graph.outputs.empty()) {
    const auto output = static_cast<size_t>(graph.outputs[0]);
    total.output = without_batch(graph.values[output].shape);
    total.field = fields.of_value[output].sides;
    total.aligned = fields.of_value[output].aligned;
    total.depth = fields.of_value[output].depth;
  }
  total.gates = fields.gates;
  total.beyond = fields.beyond;
  return total;
}

std::string unknown_operators(const Cost& cost) {
  std::string text;
  for (const auto& [op, count] : cost.unknown) {
    text += (text.empty() ? "" : ", ") + (count > 1 ? std::to_string(count) + "x " : "") + op;
  }
  return text;
}

}  // namespace convscope

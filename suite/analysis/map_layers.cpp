#include "suite/analysis/map_layers.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "suite/analysis/graph_layers.h"
#include "suite/analysis/ops.h"
#include "suite/analysis/receptive_field.h"

namespace convscope {
namespace {

/// Results with a height and a width that run along the image's.
std::optional<MapLayer> as_map_layer(const Graph& graph, const ReceptiveFields& fields,
                                     const std::string& name, size_t call) {
  const std::vector<int>& outputs = graph.calls[call].outputs;
  if (outputs.size() != 1 || outputs[0] < 0) return {};
  const auto value = static_cast<size_t>(outputs[0]);
  const Fields& seen = fields.of_value[value];
  if (seen.side_of.size() != 4 || seen.side_of[2] != 0 || seen.side_of[3] != 1) return {};
  return MapLayer{name,      graph.calls[call].op, call, graph.values[value].shape, seen.sides,
                  seen.depth};
}

/// The layer of a call, or the one before it and the operator.
std::string name_of(const Graph& graph, size_t call) {
  size_t before = call;
  while (before > 0 && graph.calls[before].layer.empty()) --before;
  const std::string& layer = graph.calls[before].layer;
  if (before == call) return layer;
  return layer + "+" + graph.calls[call].op.substr(graph.calls[call].op.rfind(':') + 1);
}

}  // namespace

std::vector<MapLayer> map_layers(const Graph& graph) {
  const ReceptiveFields fields = receptive_fields(graph);
  std::vector<MapLayer> layers;
  for (size_t i = 0; i < graph.calls.size(); ++i) {
    const Op* op = find_operator(graph.calls[i].op);
    if (!op || (op->kind != Kind::convolution && op->kind != Kind::pooling)) continue;
    const auto layer = as_map_layer(graph, fields, name_of(graph, i), i);
    if (!layer) continue;
    layers.erase(std::remove_if(layers.begin(), layers.end(),
                                [&](const MapLayer& one) { return one.name == layer->name; }),
                 layers.end());
    layers.push_back(*layer);
  }
  return layers;
}

MapLayer map_layer(const Graph& graph, const std::string& layer) {
  std::string others;
  for (const MapLayer& other : map_layers(graph)) {
    if (other.name == layer) return other;
    others += (others.empty() ? "" : ", ") + other.name;
  }
  const size_t call = last_call_of(graph, layer);
  if (const auto found = as_map_layer(graph, receptive_fields(graph), layer, call)) return *found;
  throw std::invalid_argument("'" + layer + "' computes no feature maps; these do: " + others);
}

}  // namespace convscope

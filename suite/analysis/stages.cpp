#include "suite/analysis/stages.h"

#include <stdexcept>
#include <unordered_set>

#include "architectures/network.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"
#include "suite/analysis/trace.h"

namespace convscope {
namespace {

std::string module_of(const std::string& tensor) {
  const size_t dot = tensor.rfind('.');
  return dot == std::string::npos ? "" : tensor.substr(0, dot);
}

/// The modules whose tensors calls `begin` to `end` are given.
std::unordered_set<std::string> modules_of(const Graph& graph, size_t begin, size_t end) {
  std::unordered_set<std::string> modules;
  for (size_t i = begin; i < end; ++i) {
    for (const int input : graph.calls[i].inputs) {
      if (input < 0) continue;
      const int parameter = graph.values[static_cast<size_t>(input)].parameter;
      if (parameter < 0) continue;
      modules.insert(module_of(graph.parameters[static_cast<size_t>(parameter)].name));
    }
  }
  return modules;
}

/// Without the batch.
Shape output_of(const Graph& graph) {
  const Shape& shape = graph.values.at(static_cast<size_t>(graph.outputs.at(0))).shape;
  return {shape.begin() + 1, shape.end()};
}

}  // namespace

std::vector<NetworkStage> stages_of(const Architecture& architecture, const Settings& settings) {
  const Cost all = cost(trace_network(architecture, settings));  // its errors name the layer
  const WithoutMemory on;
  const auto network = std::dynamic_pointer_cast<StagedNetwork>(architecture.build(settings));
  if (!network) {
    throw std::invalid_argument(architecture.name + " is not divided into stages");
  }
  network->eval();
  const std::vector<Stage> parts = network->stages();
  const Shape image = {settings.image.channels, settings.image.height, settings.image.width};
  std::vector<NetworkStage> stages;
  size_t begin = 0;
  for (size_t part = 0; part < parts.size(); ++part) {
    const auto pass = [&](torch::Tensor x) {
      for (size_t i = 0; i <= part; ++i) x = parts[i].forward(std::move(x));
      return x;
    };
    const Graph graph = trace(*network, pass, image);
    const size_t end = graph.calls.size();
    NetworkStage stage;
    stage.name = parts[part].name;
    stage.output = output_of(graph);
    const auto modules = modules_of(graph, begin, end);
    for (const Parameter& tensor : graph.parameters) {
      if (!modules.count(module_of(tensor.name))) continue;
      stage.tensors.push_back(tensor.name);
      if (tensor.trainable) stage.params += element_count(tensor.shape);
    }
    for (const LayerCost& layer : all.layers) {
      if (layer.call >= begin && layer.call < end) stage.macs += layer.macs;
    }
    stages.push_back(std::move(stage));
    begin = end;
  }
  return stages;
}

}  // namespace convscope

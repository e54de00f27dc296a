// What a layer of a network computes on real images. LibTorch's C++ modules have no hooks, so the
// layer's last operator call is intercepted instead.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "architectures/network.h"
#include "suite/analysis/graph.h"

namespace convscope {

/// The layers of a traced network by name, each once, in execution order; around them the modules
/// that they are in ("layer1" after the last layer of "layer1").
std::vector<std::string> layer_names(const Graph& graph);

/// The place in `graph.calls` of the last call of a layer or of what is in it. Throws
/// std::invalid_argument that suggests the nearest name.
size_t last_call_of(const Graph& graph, const std::string& layer);

/// Runs `network` on `images` as far as that call of its graph, and returns a copy of its result.
torch::Tensor activation(Network& network, const torch::Tensor& images, const Graph& graph,
                         size_t call);

}  // namespace convscope

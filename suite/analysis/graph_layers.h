// The layers of a traced network by name.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "suite/analysis/graph.h"

namespace convscope {

/// Its layers, each once, in execution order; around them the modules that they are in ("layer1"
/// after the last layer of "layer1").
std::vector<std::string> layer_names(const Graph& graph);

/// The place in `graph.calls` of the last call, with one result, of a layer or of what is in it.
/// Throws std::invalid_argument that suggests the nearest name and lists all.
size_t last_call_of(const Graph& graph, const std::string& layer);

}  // namespace convscope

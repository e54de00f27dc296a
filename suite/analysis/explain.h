// The arithmetic of one layer as a person would write it.
#pragma once

#include <string>

#include "suite/analysis/graph.h"

namespace convscope {

/// Output size, parameters, MACs, FLOPs and receptive field of every call of this layer, one line
/// each. Throws std::invalid_argument that suggests the nearest layer if there is none of that
/// name.
std::string explain(const Graph& graph, const std::string& layer);

/// "36,864".
std::string grouped_digits(int64_t number);

}  // namespace convscope

// The layers of a network whose results are feature maps, and what each of their features sees.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "suite/analysis/fields.h"
#include "suite/analysis/graph.h"

namespace convscope {

/// A layer that computes feature maps.
struct MapLayer {
  std::string name;
  std::string op;            ///< "aten::conv2d"
  size_t call;               ///< in Graph::calls
  Shape shape;               ///< of its maps, with the batch: N x C x height x width
  std::vector<Field> sides;  ///< along height and width
  int depth;                 ///< convolutions and linear layers on the longest path to it
};

/// Every layer that convolves or pools to feature maps, by its last such call. A call that no
/// module makes is named by the layer before it: "conv1+max_pool2d".
std::vector<MapLayer> map_layers(const Graph& graph);

/// One of map_layers(), or the last call of another layer or of what is in it. Throws
/// std::invalid_argument if there is none of that name, or if it computes no feature maps.
MapLayer map_layer(const Graph& graph, const std::string& layer);

}  // namespace convscope

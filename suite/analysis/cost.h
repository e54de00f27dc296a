// Parameters, operations, activations and receptive field of a forward pass, in all and by layer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "suite/analysis/fields.h"
#include "suite/analysis/graph.h"

namespace convscope {

/// One operator call. Shapes leave the batch out; the window is empty where nothing slides.
struct LayerCost {
  int64_t index;  ///< row number, from 0
  size_t call;    ///< in Graph::calls
  std::string layer, op, kind;
  Shape in_shape, out_shape;
  std::vector<SlidingWindow> windows;
  int64_t groups;            ///< of a convolution, else 0
  int64_t params;            ///< trainable, counted where they are first used
  int64_t macs, flops;       ///< product.md's meaning: macs of products alone, flops of everything
  int64_t activations;       ///< result elements of convolutions, linear layers and matrix products
  std::vector<Field> field;  ///< empty once all positions are mixed
  int depth;                 ///< convolutions and linear layers up to here on the longest path
};

struct Cost {
  std::vector<LayerCost> layers;
  int64_t params = 0, conv_params = 0, linear_params = 0, norm_params = 0;
  int64_t unused_params = 0;  ///< of `params`, those that this pass did not use
  int64_t buffers = 0;        ///< elements
  int64_t macs = 0, flops = 0, activations = 0;
  int64_t weight_bytes = 0;           ///< parameters and buffers, as a weights file holds them
  int64_t peak_activation_bytes = 0;  ///< see memory.h
  std::vector<Field> field;           ///< of the last feature map
  bool aligned = true;
  int64_t conv_layers = 0, linear_layers = 0, norm_layers = 0;
  int depth = 0;
  Shape output;
  std::map<std::string, int> unknown;  ///< operators without a row, and how often they occurred
  std::vector<std::string> gates;      ///< layers whose gates the receptive field leaves out
  std::vector<std::string> beyond;     ///< layers that see more than `field` says

  bool complete() const { return unknown.empty(); }
};

/// The cost of one forward pass over the graph's own shapes. An operator without a row counts as
/// nothing and is named in `unknown`. Throws std::logic_error for a row that misreads its
/// arguments.
Cost cost(const Graph& graph);

/// "2x aten::fft_fft2, aten::sort": what makes a cost incomplete.
std::string unknown_operators(const Cost& cost);

}  // namespace convscope

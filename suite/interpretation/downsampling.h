// Where a network makes its maps smaller, and what else could stand there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/analysis/graph.h"

namespace convscope {

/// Of pooling and convolutions with a stride, everything but their weights may be exchanged.
enum class Downsampling {
  as_built,
  max,      ///< average pooling becomes max pooling with the same window
  average,  ///< the other way round
  strided,  ///< of pooling only the stride is left: the element in the middle of each window
  /// With stride 1, and a binomial filter before every s-th element is taken, as in Zhang 2019,
  /// "Making convolutional networks shift-invariant again". He trains with it and has it behind
  /// the ReLU of a strided convolution; here it stands before, in the convolution's place.
  blurred,
};

/// "as-built".
std::string to_string(Downsampling downsampling);

/// All, in that order.
const std::vector<Downsampling>& all_downsamplings();

/// The places in Graph::calls of those that each may stand for. Pooling over the whole map is none
/// of them, nor are slices with a step (ResNet's shortcuts without weights), which stay.
std::vector<size_t> exchanged_calls(const Graph& graph, Downsampling downsampling);

/// Those by which the network becomes another, after as_built.
std::vector<Downsampling> downsamplings(const Graph& graph);

/// The graph with every blur as a call of its own, for the fields of its values, which keep their
/// places.
Graph blurred_graph(const Graph& graph);

/// 2 * stride - 1 numbers whose sum is 1, row 2 * (stride - 1) of Pascal's triangle: 1/4, 1/2, 1/4
/// for a stride of 2.
std::vector<double> binomial_filter(int64_t stride);

}  // namespace convscope

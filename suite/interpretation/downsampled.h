// Other ways of making maps smaller, for observe() to answer a network's calls with.
#pragma once

#include <torch/types.h>

#include <vector>

#include "suite/inference/observe.h"
#include "suite/interpretation/downsampling.h"

namespace convscope {

/// ObserveOptions::exchange for a network of this graph; nothing for as_built. Results have the
/// shape that the call's own would have.
decltype(ObserveOptions::exchange) exchange_of(const Graph& graph, Downsampling downsampling);

/// Maps (N x C x height x width) through the binomial filter of each side's stride, and of the
/// result every stride-th element, `size` of them from the first on. Beyond their ends, maps are
/// reflected.
torch::Tensor blurred_maps(const torch::Tensor& maps, const std::vector<int64_t>& stride,
                           const std::vector<int64_t>& size);

}  // namespace convscope

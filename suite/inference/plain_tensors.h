// The border to plain numbers: images as tensors, and results as vectors.
#pragma once

#include <torch/types.h>

#include <vector>

#include "suite/inference/loaded_network.h"

namespace convscope {

/// `count` images of the network's size, of the type of its parameters.
torch::Tensor image_batch(const LoadedNetwork& network, const std::vector<float>& values,
                          int64_t count);

/// All elements, row by row.
std::vector<float> plain_values(const torch::Tensor& tensor);

}  // namespace convscope

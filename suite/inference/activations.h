// What a layer of a network computes on images, as plain numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "suite/inference/loaded_network.h"

namespace convscope {

/// What a layer computed for a batch.
struct Activations {
  std::vector<int64_t> shape;  ///< the batch first
  std::vector<float> values;
};

/// The result of call number `call` of the network's graph for `count` images of its size, before
/// an in-place operation of another layer overwrites it. What follows is not run.
Activations activations(const LoadedNetwork& network, const std::vector<float>& images,
                        int64_t count, size_t call);

}  // namespace convscope

// How much memory the activations of a forward pass need.
#pragma once

#include <cstdint>

#include "suite/analysis/graph.h"

namespace convscope {

struct PeakMemory {
  int64_t bytes = 0;
  int call = -1;  ///< the call during which the peak is reached
};

/// The largest sum of live tensors, weights not counted. A tensor lives from the call that makes it
/// to the last one that reads it, so this is what a runtime needs that frees at the earliest
/// moment; the image lives to its last reader, the result to the end. Views share, and in-place
/// operators reuse, the memory of what they were given.
PeakMemory peak_activation_memory(const Graph& graph);

/// What the same pass needs if every tensor lives to its end, as training keeps them for the way
/// back, in bytes.
int64_t all_activation_memory(const Graph& graph);

}  // namespace convscope

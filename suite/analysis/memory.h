// How much memory the activations of a forward pass need, and how much of it each call touches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

/// The least that these calls read and write if they run as one: each tensor that comes from
/// elsewhere and each that is wanted elsewhere, once. What the pass computed counts for `batch`
/// images, weights are read once for all. Views move nothing; an in-place operator reads and
/// writes. Of several calls, normalisation has its weights folded into the others'.
int64_t bytes_moved(const Graph& graph, const std::vector<size_t>& calls, int64_t batch = 1);

}  // namespace convscope

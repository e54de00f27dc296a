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

/// The same as LibTorch's eager engine on a CPU does it, in bytes: the caller keeps the image, max
/// pooling notes where its maxima were, and where maps are not `channels_last` a convolution has
/// them a second time, as oneDNN wants them.
int64_t eager_activation_memory(const Graph& graph, bool channels_last);

/// What a training step of LibTorch's keeps of the forward pass until its way back has come by, and
/// the gradients at hand then, at its peak, in bytes. By what the derivative of each operator
/// needs: a convolution or normalisation its input, ReLU its result, an addition nothing; what is
/// needed and written over in place is copied before. Weights and their gradients are not in it.
int64_t training_activation_memory(const Graph& graph);

}  // namespace convscope

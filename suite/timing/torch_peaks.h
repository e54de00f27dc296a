// What LibTorch reaches on this machine at most, and what it takes to start an operator: the
// ceilings that are nearer than the processor's own.
#pragma once

#include "suite/timing/peaks.h"

namespace convscope {

/// GFLOP/s in float32 of a product of square matrices, 2 for each multiply-accumulate. at::mm
/// calls the BLAS that LibTorch was built with. A BLAS with threads of its own has one here, as
/// everywhere in this program (threads.h), so that more `threads` do not make it faster.
Peak blas_peak(int threads);

/// The same product as a convolution of 1x1 in oneDNN's own layout, which is what a frozen network
/// computes with. 0 where LibTorch has no oneDNN.
Peak onednn_peak(int threads);

/// Microseconds that an eager call takes when there is next to nothing to compute: ReLU in place of
/// one element, which is dispatcher and loop alone; and a convolution of an image of 1x1, which
/// also chooses an algorithm, makes its primitive and allocates.
Peak operator_launch(int threads);
Peak convolution_launch(int threads);

}  // namespace convscope

// Elementwise operators in oneDNN's terms.
#pragma once

#include <vector>

#include "suite/inference/onednn_convolution.h"
#include "suite/inference/tape.h"

namespace convscope {

/// What the call does to each element of its first argument, one after the other; empty where
/// oneDNN has no such function.
std::vector<PostOp> activation_of(const TapeCall& call);

}  // namespace convscope

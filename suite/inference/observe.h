// A forward pass whose intermediate results can be kept, differentiated and exchanged. LibTorch's
// C++ modules have no hooks, so the operator calls are intercepted instead.
#pragma once

#include <ATen/core/stack.h>
#include <torch/types.h>

#include <functional>
#include <optional>
#include <vector>

#include "architectures/network.h"

namespace convscope {

struct ObserveOptions {
  bool to_the_end = true;  ///< without this, the pass ends at the last call that is kept
  /// Gradients end at what is kept: nothing below it is recorded for them.
  bool from_kept = false;
  /// Of a ReLU only what is above 0 comes back of a gradient (Springenberg et al. 2015, "Striving
  /// for simplicity").
  bool guided = false;
  /// The result of a call instead of the operator's own, from its arguments; or nothing.
  std::function<std::optional<torch::Tensor>(size_t call, const torch::jit::Stack& arguments)>
      exchange = {};
};

struct Observed {
  std::vector<torch::Tensor> kept;  ///< in the order asked for; later calls do not write into them
  torch::Tensor result;             ///< of the network; undefined if the pass ended before
};

/// Runs `network` on `images` (N x C x H x W) and keeps the results of `calls`, which are places in
/// Graph::calls of a trace() of it. Where gradients are enabled, those of the result by what is
/// kept can be taken. Throws std::invalid_argument where the network writes into a part of what is
/// kept.
Observed observe(Network& network, const torch::Tensor& images, const std::vector<size_t>& calls,
                 const ObserveOptions& options = {});

}  // namespace convscope

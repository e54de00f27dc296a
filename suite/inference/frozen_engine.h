// What computes a frozen network: oneDNN called directly, or LibTorch's own frozen form.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "architectures/network.h"
#include "suite/inference/frozen_step.h"

namespace convscope {

class FrozenEngine {
 public:
  virtual ~FrozenEngine() = default;
  virtual torch::Tensor forward(const torch::Tensor& images, std::vector<int64_t>* step_ns) = 0;
  virtual std::vector<FrozenStep> steps() const = 0;
};

struct FrozenForm {
  std::unique_ptr<FrozenEngine> engine;
  torch::Tensor expected;  ///< what the network computed of the example
};

/// Both trace `network`, which must be in evaluation mode, on `example`.
FrozenForm freeze_with_onednn(Network& network, const torch::Tensor& example);
FrozenForm freeze_with_libtorch(Network& network, const torch::Tensor& example);

}  // namespace convscope

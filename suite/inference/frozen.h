// A network as one list of steps with constant weights, for inference on a CPU.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "architectures/network.h"
#include "suite/inference/frozen_step.h"

namespace convscope {

class FrozenEngine;

class Frozen {
 public:
  /// Traces `network`, which must be in evaluation mode, on `example` (N x C x H x W), folds batch
  /// normalisation and activations into convolutions and lays weights out as oneDNN wants them, for
  /// as many threads as there are now. The weights are copied where they change. Throws
  /// std::exception where the pass cannot be traced: it writes into a part of a tensor.
  Frozen(Network& network, const torch::Tensor& example);
  ~Frozen();

  /// What the network itself computed of the example while it was traced.
  const torch::Tensor& expected() const { return expected_; }

  /// What forward() does, in order. Empty where LibTorch's own frozen form runs, which does not
  /// tell its steps.
  std::vector<FrozenStep> steps() const;

  /// For batches of the example's shape only. Throws std::exception where oneDNN does not have an
  /// operator in the form that the network needs.
  torch::Tensor forward(const torch::Tensor& images) { return forward(images, nullptr); }

  /// The same; `step_ns` gets the time of each of steps().
  torch::Tensor forward(const torch::Tensor& images, std::vector<int64_t>* step_ns);

 private:
  torch::Tensor expected_;
  std::unique_ptr<FrozenEngine> engine_;
};

}  // namespace convscope

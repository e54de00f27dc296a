// A network as one graph of operators with constant weights, for inference on a CPU.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "architectures/network.h"
#include "suite/inference/frozen_step.h"

namespace convscope {

class Frozen {
 public:
  /// Traces `network`, which must be in evaluation mode, on `example` (N x C x H x W), folds batch
  /// normalisation into convolutions and lays weights out as oneDNN wants them. The weights are
  /// copied where they change.
  Frozen(Network& network, const torch::Tensor& example);
  ~Frozen();

  /// What the network itself computed of the example while it was traced.
  const torch::Tensor& expected() const { return expected_; }

  /// The operators of the graph: "aten::relu_", one for each call.
  std::vector<std::string> operators() const;

  /// For batches of the example's shape only: some networks have it in their graph. Throws
  /// std::exception where oneDNN does not have an operator in the form that the network needs.
  torch::Tensor forward(const torch::Tensor& images) { return forward(images, nullptr); }

  /// What forward() does, in order. Empty where LibTorch's own frozen form runs, which does not
  /// tell its steps.
  std::vector<FrozenStep> steps() const;

  /// The same forward pass; `step_ns` gets the time of each of steps().
  torch::Tensor forward(const torch::Tensor& images, std::vector<int64_t>* step_ns);

 private:
  struct Function;
  torch::Tensor expected_;
  std::unique_ptr<Function> function_;
};

}  // namespace convscope

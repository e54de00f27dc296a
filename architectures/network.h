// The one base class of every network: what an instrument may ask of it.
#pragma once

#include <torch/nn.h>

#include <vector>

#include "architectures/architecture.h"

namespace convscope {

/// The logits of a head that exists only to help training, and its weight in the loss.
struct AuxiliaryLogits {
  torch::Tensor logits;  ///< N x classes
  double loss_weight;
};

struct Network : torch::nn::Module {
  /// N x channels x height x width -> N x classes.
  virtual torch::Tensor forward(torch::Tensor images) = 0;

  /// Filled by `forward` in training mode by networks that were built with auxiliary heads.
  std::vector<AuxiliaryLogits> auxiliary;
};

/// The function that builds a `Net` from its own arguments and the settings.
template <class Net, class... Arguments>
std::function<std::shared_ptr<Network>(const Settings&)> build(Arguments... arguments) {
  return [=](const Settings& settings) { return std::make_shared<Net>(settings, arguments...); };
}

}  // namespace convscope

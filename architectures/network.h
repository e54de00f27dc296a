// The one base class of every network: what an instrument may ask of it.
#pragma once

#include <torch/nn.h>

#include <functional>
#include <string>
#include <vector>

#include "architectures/architecture.h"

namespace convscope {

/// The logits of a head that exists only to help training, and its weight in the loss.
struct AuxiliaryLogits {
  torch::Tensor logits;  ///< N x classes
  double loss_weight;
};

struct Network : torch::nn::Module {
  /// N x channels x height x width -> N x classes; of a dense network, N x classes x height x
  /// width.
  virtual torch::Tensor forward(torch::Tensor images) = 0;

  /// Filled by `forward` in training mode by networks that were built with auxiliary heads.
  std::vector<AuxiliaryLogits> auxiliary;
};

/// A part of a network that a batch passes as a whole, as one tensor from one tensor.
struct Stage {
  std::string name;  ///< "stem", "layer1", "head"
  std::function<torch::Tensor(torch::Tensor)> forward;
};

/// A network whose depth has places to cut at: what is frozen, or taken from another network, is
/// the stages below one.
struct StagedNetwork : Network {
  /// From the images to the logits. The last one, "head", is what another number of classes
  /// replaces; the one before it gives the features that the head takes.
  virtual std::vector<Stage> stages() = 0;

  torch::Tensor forward(torch::Tensor images) final {
    auxiliary.clear();
    for (const Stage& stage : stages()) images = stage.forward(std::move(images));
    return images;
  }
};

/// The function that builds a `Net` from its own arguments and the settings.
template <class Net, class... Arguments>
std::function<std::shared_ptr<Network>(const Settings&)> build(Arguments... arguments) {
  return [=](const Settings& settings) { return std::make_shared<Net>(settings, arguments...); };
}

}  // namespace convscope

// What the frozen stages of a network make of images: computed once, by the fast inference form.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>

#include "architectures/network.h"
#include "suite/data/loader.h"
#include "suite/inference/frozen.h"

namespace convscope {

/// Runs a network in evaluation mode on batches of one size, frozen if that computes the same.
class Runner {
 public:
  /// `freeze`: whether there are enough batches for freezing to pay.
  Runner(Network& network, int64_t batch, bool freeze);
  ~Runner();
  torch::Tensor forward(const torch::Tensor& images);

 private:
  Network& network_;
  int64_t batch_;
  bool freeze_;
  std::unique_ptr<Frozen> frozen_;
};

/// The images of a batch, whose memory it shares: N x C x H x W.
torch::Tensor images_of(Batch& batch);
torch::Tensor labels_of(const Batch& batch);

struct Features {
  torch::Tensor values;  ///< N x ..., in the order of the dataset
  torch::Tensor labels;  ///< N
};

/// What the first `stages` stages, in evaluation mode, make of all images.
Features features_of(const std::shared_ptr<StagedNetwork>& network, size_t stages,
                     const Dataset& dataset, const LoaderOptions& options,
                     const std::function<void(int64_t done)>& progress);

}  // namespace convscope

// A picture as numbers without bounds that an optimiser may change, and what keeps it from
// becoming what no photograph is.
#pragma once

#include <torch/types.h>

#include "suite/data/random.h"
#include "suite/interpretation/dream.h"

namespace convscope {

class DreamCanvas {
 public:
  /// Nearly grey, with noise from `random`.
  DreamCanvas(const ImageShape& shape, const DreamOptions& options, Random& random);

  /// channels x height x width, of which the sigmoid is the picture.
  torch::Tensor values() const;

  /// A Gaussian blur of the values, as the options say. The same in both domains: it multiplies
  /// each cosine.
  void blur();

  torch::Tensor parameters;  ///< what the optimiser changes

 private:
  torch::Tensor to_cosines(const torch::Tensor& values) const;
  torch::Tensor from_cosines(const torch::Tensor& coefficients) const;

  bool frequency_;
  torch::Tensor rows_, columns_, spectrum_, blur_;
  torch::Tensor colours_;  // undefined: the channels are not mixed
};

/// What the options' total variation and decay add to the loss for the values of a canvas; a scalar
/// tensor. They act before the sigmoid, on what the picture would be if it were as steep everywhere
/// as at grey: after it, black and white would satisfy them as well.
torch::Tensor penalty(const torch::Tensor& values, const DreamOptions& options);

}  // namespace convscope

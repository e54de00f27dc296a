// Pairs of images as one: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019).
#pragma once

#include <torch/types.h>

#include "suite/training/recipe.h"

namespace convscope {

/// A batch and what each of its images is of: `share` of its own label, the rest of `others`.
struct MixedBatch {
  torch::Tensor images;
  torch::Tensor labels, others;  ///< N; others is undefined where nothing was mixed
  double share = 1;
};

/// Mixes each image of N x C x H x W with another one of the batch, as the recipe says. Chance is
/// LibTorch's default generator.
MixedBatch mixed(const Recipe& recipe, torch::Tensor images, torch::Tensor labels);

}  // namespace convscope

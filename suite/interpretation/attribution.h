// Which pixels a network's answer rests on, by the methods that papers compare. Of tensors, so that
// they can be checked in double precision; saliency.h is the border to plain numbers.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "architectures/network.h"

namespace convscope {

/// The gradient of each image's logit of `class_index` by its pixels, as large as the images (N x C
/// x H x W). Simonyan, Vedaldi, Zisserman 2014, "Deep inside convolutional networks"; `guided`:
/// Springenberg et al. 2015.
torch::Tensor logit_gradient(Network& network, const torch::Tensor& images, int64_t class_index,
                             bool guided = false);

struct IntegratedGradients {
  torch::Tensor attributions;  ///< as large as the image
  /// How far their sum is from what it should be, the logit of the image less that of the baseline,
  /// as a share of that.
  double gap;
  int64_t intervals;  ///< of the path, by whose ends the integral was found
};

/// The gradient along the straight line from `baseline` to `image` (1 x C x H x W each), times
/// their difference: Sundararajan, Taly, Yan 2017, "Axiomatic attribution for deep networks". The
/// trapezoidal rule: what it misses in an interval is known from the logits at its ends, and the
/// intervals that miss most are halved until the gap is no more than `largest_gap`, with no
/// interval that would have to cancel much, or there are `most`. `together` images run at a time;
/// the gradients of all points are kept.
IntegratedGradients integrated_gradients(Network& network, const torch::Tensor& image,
                                         const torch::Tensor& baseline, int64_t class_index,
                                         double largest_gap, int64_t most, int64_t together);

/// The mean gradient of copies with independent normal noise of this deviation: Smilkov et al.
/// 2017, "SmoothGrad". 1 x C x H x W; chance depends on `seed` alone.
torch::Tensor smooth_gradient(Network& network, const torch::Tensor& image, int64_t class_index,
                              double deviation, int64_t copies, uint64_t seed, int64_t together);

/// For each image the part above 0 of the sum of the maps that call number `call` of the network's
/// graph gives, each weighted by the mean of the logit's gradient over its positions, N x h x w:
/// Selvaraju et al. 2017, "Grad-CAM". One forward pass, and a backward pass as far as that call.
torch::Tensor grad_cam(Network& network, const torch::Tensor& images, int64_t class_index,
                       size_t call);

/// How much lower the logit is where a square of `side` pixels is replaced by `baseline`, for each
/// pixel the mean over the squares that cover it, H x W; squares lie `stride` apart, and the last
/// one in each direction at the image's edge. Zeiler, Fergus 2014, "Visualizing and understanding
/// convolutional networks".
torch::Tensor occlusion(Network& network, const torch::Tensor& image, const torch::Tensor& baseline,
                        int64_t class_index, int64_t side, int64_t stride, int64_t together);

}  // namespace convscope

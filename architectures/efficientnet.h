// What EfficientNet and EfficientNetV2 share: the body, and the block of the first, which the
// second keeps for its upper stages.
#pragma once

#include <vector>

#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {

/// How a block's path from `in` to `out` channels looks, and the constants of its normalisation.
struct EfficientNetPath {
  int64_t in, out, expansion, kernel, stride;
  double norm_eps, norm_momentum;

  /// Convolution, batch normalisation, SiLU.
  std::shared_ptr<Chain> convolution(torch::nn::Conv2dOptions options) const;
  /// From the wide inside of the block to the channels that leave it, without activation.
  std::shared_ptr<Chain> projection() const;
};

/// Fills a block's path.
using EfficientNetBlockKind = void (*)(torch::nn::Sequential& path, const EfficientNetPath&);

/// 1x1 convolution to more channels, depthwise convolution, squeeze-and-excitation, projection.
void mbconv(torch::nn::Sequential& path, const EfficientNetPath& shape);

/// A row of either paper's table. The first of the blocks has the stride.
struct EfficientNetRow {
  EfficientNetBlockKind kind;
  int64_t expansion, kernel, stride, channels, blocks;
};

/// Where the networks of both papers differ.
struct EfficientNetForm {
  int64_t first;  ///< channels of the first convolution
  std::vector<EfficientNetRow> rows;
  int64_t last;  ///< channels of the last convolution
  double dropout;
  double norm_eps, norm_momentum;
};

struct EfficientNet : StagedNetwork {
  torch::nn::Sequential features;
  torch::nn::AdaptiveAvgPool2d avgpool;
  torch::nn::Sequential classifier;

  EfficientNet(const Settings& to, const EfficientNetForm& form);
  std::vector<Stage> stages() override;
};

/// How many times deeper, wider and finer than B0 a network of about 2^phi times its work is: the
/// paper's equation 3 with the constants of its section 4.
struct CompoundScale {
  double depth, width, resolution;
};
CompoundScale compound_scale(double phi);

}  // namespace convscope

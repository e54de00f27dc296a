// ResNet's body, from the image to the last feature maps: what a classifier reads, and a detector
// or a segmenter, too.
#pragma once

#include <torch/nn.h>

#include <array>

namespace convscope {

/// Where a bottleneck halves the image: the paper in its first 1x1 convolution, torchvision (v1.5,
/// as in Torch's re-implementation of 2016) in its 3x3, which costs 6 % more and is more accurate.
enum class StrideIn { first_1x1, middle_3x3 };

enum class ResNetBlock { basic, bottleneck };

struct ResNetForm {
  ResNetBlock block;
  std::array<int, 4> depths;  ///< blocks in each of the four layers
  StrideIn stride_in = StrideIn::middle_3x3;
  int64_t groups = 1, base_width = 64;  ///< of bottlenecks: the 3x3 of the first layer has
                                        ///< `groups` groups of `base_width` channels
  int64_t output_stride = 32;  ///< 16 or 8: the layers that would halve beyond it dilate instead
};

/// A part, not a module: its layers are children of `owner`, under torchvision's names, and the
/// owner initialises them (he_normal_convolutions_).
struct ResNetBody {
  int64_t channels = 64;  ///< of the last feature maps
  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::ReLU relu;
  torch::nn::MaxPool2d maxpool;
  torch::nn::Sequential layer1, layer2, layer3, layer4;

  ResNetBody(torch::nn::Module& owner, int64_t image_channels, const ResNetForm& form);

  /// The image, a quarter as high and wide: what `layer1` takes.
  torch::Tensor stem(const torch::Tensor& images);

 private:
  torch::nn::Sequential layer(const ResNetForm& form, size_t number);
};

}  // namespace convscope

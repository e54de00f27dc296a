// Layers and initialisations that two papers or more are made of.
#pragma once

#include <torch/nn.h>

#include <initializer_list>
#include <string>

#include "architectures/architecture.h"

namespace convscope {

/// One step of a sliding window along one side of an image.
struct Window {
  int64_t kernel, stride = 1, padding = 0;
};

/// The pixels that are left of one side of an image after these windows, at least 1: for a
/// classifier whose width depends on the image. An image that is too small is reported by the layer
/// that it does not fit into, not here.
int64_t side_after(std::initializer_list<Window> windows, int64_t pixels);

/// Throws std::invalid_argument for an image that is too small for a head which only training runs.
void check_image(const std::string& network, const ImageShape& image, int64_t smallest_side);

/// Throws std::invalid_argument for a width multiplier that is not above 0.
void check_width(const std::string& network, double width);

/// The multiple of `divisor` nearest to `channels`, at most a tenth below it (MobileNet V2 and V3).
int64_t make_divisible(double channels, int64_t divisor = 8);

torch::nn::ReLU in_place_relu();

/// Over the last dimension, as in torchvision's vision transformers and ConvNeXts.
torch::nn::LayerNormOptions layer_norm(int64_t channels);

/// Over five neighbouring channels, with Caffe's constants: k is 1 where AlexNet's paper says 2.
torch::nn::LocalResponseNorm local_response_norm();

/// Every `stride`-th pixel of `x`, and zeros for the new channels, one half before and one half
/// after: ResNet's shortcut without parameters (option A).
torch::Tensor padded_shortcut(torch::Tensor x, int64_t stride, int64_t new_channels);

/// A Sequential that can stand in another.
struct Chain : torch::nn::SequentialImpl {
  torch::Tensor forward(const torch::Tensor& x) { return SequentialImpl::forward(x); }
};

/// The members from place `begin` up to `end`.
torch::Tensor forward_part(torch::nn::Sequential& layers, size_t begin, size_t end,
                           torch::Tensor x);

/// Convolution without bias whose padding keeps the size, batch normalisation, and `activation`
/// (none by default): the MobileNets and EfficientNets.
std::shared_ptr<Chain> conv_norm_act(torch::nn::Conv2dOptions convolution,
                                     torch::nn::AnyModule activation = {}, double norm_eps = 1e-5,
                                     double norm_momentum = 0.1);

/// Convolution, batch normalisation or else a bias, ReLU (GoogLeNet and Inception v3).
struct ConvNormRelu : torch::nn::Module {
  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d bn{nullptr};

  explicit ConvNormRelu(torch::nn::Conv2dOptions convolution, bool normalised = true);
  torch::Tensor forward(const torch::Tensor& x);
};

/// torch::nn's is not in place.
struct SiLU : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) { return torch::silu_(x); }
};

/// Multiplies each channel by what it and all others contain on average.
/// Hu, Shen, Sun, "Squeeze-and-excitation networks", 2017.
struct SqueezeExcitation : torch::nn::Module {
  torch::nn::AdaptiveAvgPool2d avgpool;
  torch::nn::Conv2d fc1, fc2;
  torch::nn::AnyModule activation, gate;

  SqueezeExcitation(int64_t channels, int64_t squeezed, torch::nn::AnyModule between,
                    torch::nn::AnyModule last);
  torch::Tensor forward(const torch::Tensor& x);
};

/// In training, leaves out what a residual block computes of some images of a batch, and makes up
/// for it in the others. Huang, Sun, Liu, Sedra, Weinberger, "Deep networks with stochastic depth",
/// 2016.
struct StochasticDepth : torch::nn::Module {
  double probability;  ///< that it is left out

  explicit StochasticDepth(double left_out) : probability(left_out) {}
  torch::Tensor forward(const torch::Tensor& x);
};

/// Every convolution below `module` from a normal of variance 2 / (outputs x kernel size), biases
/// zero. He et al., "Delving deep into rectifiers", 2015; torchvision's choice for most networks.
void he_normal_convolutions_(torch::nn::Module& module);

/// Every fully connected layer below `module` from a normal of this deviation, biases zero.
void normal_linears_(torch::nn::Module& module, double deviation);

/// Every fully connected layer below `module` evenly from -bound to bound, biases zero.
void uniform_linears_(torch::nn::Module& module, double bound);

/// The weights, not the biases, of every convolution and fully connected layer below `module` from
/// a normal of this deviation. (torchvision's is cut off at 2 and -2, a long way outside.)
void normal_weights_(torch::nn::Module& module, double deviation);

/// The biases of every convolution and fully connected layer below `module` 0.
void zero_biases_(torch::nn::Module& module);

}  // namespace convscope

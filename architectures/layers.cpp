#include "architectures/layers.h"

#include <algorithm>
#include <stdexcept>

namespace convscope {

using namespace torch::nn;

int64_t side_after(std::initializer_list<Window> windows, int64_t pixels) {
  for (const Window& window : windows) {
    pixels = (pixels + 2 * window.padding - window.kernel) / window.stride + 1;
  }
  return std::max<int64_t>(pixels, 1);
}

void check_image(const std::string& network, const ImageShape& image, int64_t smallest_side) {
  if (std::min(image.height, image.width) >= smallest_side) return;
  throw std::invalid_argument(c10::str(network, " takes images of at least ", smallest_side, "x",
                                       smallest_side, " pixels, not ", image.height, "x",
                                       image.width));
}

void check_width(const std::string& network, double width) {
  if (width > 0) return;
  throw std::invalid_argument(c10::str(network, " takes a width multiplier above 0, not ", width));
}

int64_t make_divisible(double channels, int64_t divisor) {
  const auto nearest = static_cast<int64_t>(channels + static_cast<double>(divisor) / 2);
  const int64_t rounded = std::max(divisor, nearest / divisor * divisor);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + divisor : rounded;
}

ReLU in_place_relu() { return ReLU(ReLUOptions().inplace(true)); }

LayerNormOptions layer_norm(int64_t channels) { return LayerNormOptions({channels}).eps(1e-6); }

LocalResponseNorm local_response_norm() {
  return LocalResponseNorm(LocalResponseNormOptions(5).alpha(1e-4).beta(0.75).k(1));
}

torch::Tensor padded_shortcut(torch::Tensor x, int64_t stride, int64_t new_channels) {
  if (stride != 1) x = x.slice(2, 0, x.size(2), stride).slice(3, 0, x.size(3), stride);
  if (new_channels == 0) return x;
  return torch::constant_pad_nd(x, {0, 0, 0, 0, new_channels / 2, new_channels / 2});
}

torch::Tensor forward_part(torch::nn::Sequential& layers, size_t begin, size_t end,
                           torch::Tensor x) {
  auto layer = layers->begin() + static_cast<std::ptrdiff_t>(begin);
  for (size_t i = begin; i < end; ++i, ++layer) x = layer->forward(std::move(x));
  return x;
}

std::shared_ptr<Chain> conv_norm_act(Conv2dOptions convolution, AnyModule activation,
                                     double norm_eps, double norm_momentum) {
  convolution.padding((convolution.kernel_size()->at(0) - 1) / 2).bias(false);
  auto norm = BatchNorm2dOptions(convolution.out_channels());
  norm.eps(norm_eps).momentum(norm_momentum);
  auto layers = std::make_shared<Chain>();
  layers->push_back(Conv2d(convolution));
  layers->push_back(BatchNorm2d(norm));
  if (!activation.is_empty()) layers->push_back(std::move(activation));
  return layers;
}

ConvNormRelu::ConvNormRelu(Conv2dOptions convolution, bool normalised)
    : conv(register_module("conv", Conv2d(convolution.bias(!normalised)))) {
  if (normalised) {
    const auto norm = BatchNorm2dOptions(convolution.out_channels()).eps(0.001);
    bn = register_module("bn", BatchNorm2d(norm));
  }
}

torch::Tensor ConvNormRelu::forward(const torch::Tensor& x) {
  const torch::Tensor y = conv(x);
  return (bn.is_empty() ? y : bn(y)).relu_();
}

SqueezeExcitation::SqueezeExcitation(int64_t channels, int64_t squeezed, AnyModule between,
                                     AnyModule last)
    : avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
      fc1(register_module("fc1", Conv2d(channels, squeezed, 1))),
      fc2(register_module("fc2", Conv2d(squeezed, channels, 1))),
      activation(std::move(between)),
      gate(std::move(last)) {
  register_module("activation", activation.ptr());
  register_module("scale_activation", gate.ptr());
}

torch::Tensor SqueezeExcitation::forward(const torch::Tensor& x) {
  const torch::Tensor squeezed = activation.forward(fc1(avgpool(x)));
  return x * gate.forward(fc2(squeezed));
}

torch::Tensor StochasticDepth::forward(const torch::Tensor& x) {
  if (!is_training() || probability == 0) return x;
  std::vector<int64_t> one_number_per_image(static_cast<size_t>(x.dim()), 1);
  one_number_per_image[0] = x.size(0);
  const double kept = 1 - probability;
  return x * torch::empty(one_number_per_image, x.options()).bernoulli_(kept).div_(kept);
}

void he_normal_convolutions_(Module& module) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* conv = child->as<Conv2d>()) {
      init::kaiming_normal_(conv->weight, 0, torch::kFanOut, torch::kReLU);
      if (conv->bias.defined()) init::zeros_(conv->bias);
    }
  }
}

void normal_linears_(Module& module, double deviation) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* linear = child->as<Linear>()) {
      init::normal_(linear->weight, 0, deviation);
      init::zeros_(linear->bias);
    }
  }
}

void uniform_linears_(Module& module, double bound) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* linear = child->as<Linear>()) {
      init::uniform_(linear->weight, -bound, bound);
      init::zeros_(linear->bias);
    }
  }
}

void normal_weights_(Module& module, double deviation) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    if (auto* conv = child->as<Conv2d>()) init::normal_(conv->weight, 0, deviation);
    if (auto* linear = child->as<Linear>()) init::normal_(linear->weight, 0, deviation);
  }
}

void zero_biases_(Module& module) {
  for (const auto& child : module.modules(/*include_self=*/false)) {
    auto* conv = child->as<Conv2d>();
    auto* linear = child->as<Linear>();
    if (conv && conv->bias.defined()) init::zeros_(conv->bias);
    if (linear && linear->bias.defined()) init::zeros_(linear->bias);
  }
}

}  // namespace convscope

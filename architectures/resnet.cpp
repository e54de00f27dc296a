// ResNet for ImageNet: blocks that add what they compute to what they were given.
// He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015.
#include <array>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

using Depths = std::array<int, 4>;  ///< blocks in each of the four stages

/// Where a bottleneck halves the image: the paper in its first 1x1 convolution, torchvision (v1.5,
/// as in Torch's re-implementation of 2016) in its 3x3, which costs 6 % more and is more accurate.
enum class StrideIn { first_1x1, middle_3x3 };

Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1) {
  return Conv2d(Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

struct BasicBlock : Module {
  static constexpr int64_t expansion = 1;
  Conv2d conv1;
  BatchNorm2d bn1;
  ReLU relu;
  Conv2d conv2;
  BatchNorm2d bn2;
  Sequential downsample;

  BasicBlock(int64_t in, int64_t channels, int64_t stride, StrideIn, Sequential shortcut)
      : conv1(register_module("conv1", convolution(in, channels, 3, stride))),
        bn1(register_module("bn1", BatchNorm2d(channels))),
        relu(register_module("relu", ReLU(ReLUOptions().inplace(true)))),
        conv2(register_module("conv2", convolution(channels, channels, 3))),
        bn2(register_module("bn2", BatchNorm2d(channels))),
        downsample(shortcut.is_empty() ? shortcut : register_module("downsample", shortcut)) {}

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = relu(bn1(conv1(x)));
    y = bn2(conv2(y));
    return relu(y += downsample.is_empty() ? x : downsample->forward(x));
  }
};

struct Bottleneck : Module {
  static constexpr int64_t expansion = 4;
  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  Conv2d conv3;
  BatchNorm2d bn3;
  ReLU relu;
  Sequential downsample;

  Bottleneck(int64_t in, int64_t channels, int64_t stride, StrideIn where, Sequential shortcut)
      : conv1(register_module(
            "conv1", convolution(in, channels, 1, where == StrideIn::first_1x1 ? stride : 1))),
        bn1(register_module("bn1", BatchNorm2d(channels))),
        conv2(register_module("conv2", convolution(channels, channels, 3,
                                                   where == StrideIn::middle_3x3 ? stride : 1))),
        bn2(register_module("bn2", BatchNorm2d(channels))),
        conv3(register_module("conv3", convolution(channels, expansion * channels, 1))),
        bn3(register_module("bn3", BatchNorm2d(expansion * channels))),
        relu(register_module("relu", ReLU(ReLUOptions().inplace(true)))),
        downsample(shortcut.is_empty() ? shortcut : register_module("downsample", shortcut)) {}

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = relu(bn1(conv1(x)));
    y = relu(bn2(conv2(y)));
    y = bn3(conv3(y));
    return relu(y += downsample.is_empty() ? x : downsample->forward(x));
  }
};

template <class Block>
struct ResNet : StagedNetwork {
  StrideIn stride_in;
  int64_t channels = 64;
  Conv2d conv1;
  BatchNorm2d bn1;
  ReLU relu;
  MaxPool2d maxpool;
  Sequential layer1, layer2, layer3, layer4;
  AdaptiveAvgPool2d avgpool;
  Linear fc;

  ResNet(const Settings& to, Depths depths, StrideIn where)
      : stride_in(where),
        conv1(register_module(
            "conv1",
            Conv2d(Conv2dOptions(to.image.channels, 64, 7).stride(2).padding(3).bias(false)))),
        bn1(register_module("bn1", BatchNorm2d(64))),
        relu(register_module("relu", ReLU(ReLUOptions().inplace(true)))),
        maxpool(register_module("maxpool", MaxPool2d(MaxPool2dOptions(3).stride(2).padding(1)))),
        layer1(register_module("layer1", stage(depths[0], 64, 1))),
        layer2(register_module("layer2", stage(depths[1], 128, 2))),
        layer3(register_module("layer3", stage(depths[2], 256, 2))),
        layer4(register_module("layer4", stage(depths[3], 512, 2))),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        fc(register_module("fc", Linear(channels, to.classes))) {
    he_normal_convolutions_(*this);
  }

  std::vector<Stage> stages() override {
    return {{"stem", [this](torch::Tensor x) { return maxpool(relu(bn1(conv1(x)))); }},
            {"layer1", [this](torch::Tensor x) { return layer1->forward(x); }},
            {"layer2", [this](torch::Tensor x) { return layer2->forward(x); }},
            {"layer3", [this](torch::Tensor x) { return layer3->forward(x); }},
            {"layer4", [this](torch::Tensor x) { return avgpool(layer4->forward(x)).flatten(1); }},
            {"head", [this](torch::Tensor x) { return fc(x); }}};
  }

  Sequential stage(int blocks, int64_t width, int64_t stride) {
    Sequential layers;
    for (int block = 0; block < blocks; ++block, stride = 1) {
      const int64_t out = width * Block::expansion;
      Sequential shortcut{nullptr};
      if (stride != 1 || channels != out) {
        shortcut = Sequential(convolution(channels, out, 1, stride), BatchNorm2d(out));
      }
      layers->push_back(std::make_shared<Block>(channels, width, stride, stride_in, shortcut));
      channels = out;
    }
    return layers;
  }
};

}  // namespace

std::vector<Architecture> families::resnet() {
  const std::string paper = "He et al. 2015";
  constexpr auto v1 = StrideIn::first_1x1, v1_5 = StrideIn::middle_3x3;
  return {
      {"resnet18", 2015, paper, "torchvision", imagenet,
       build<ResNet<BasicBlock>>(Depths{2, 2, 2, 2}, v1_5)},
      {"resnet34", 2015, paper, "torchvision", imagenet,
       build<ResNet<BasicBlock>>(Depths{3, 4, 6, 3}, v1_5)},
      {"resnet50", 2015, paper, "v1.5, torchvision", imagenet,
       build<ResNet<Bottleneck>>(Depths{3, 4, 6, 3}, v1_5)},
      {"resnet50_v1",
       2015,
       paper,
       "v1, paper",
       imagenet,
       build<ResNet<Bottleneck>>(Depths{3, 4, 6, 3}, v1),
       {"ImageNet-1K", 75.3, "the paper's authors, deep-residual-networks, one crop"}},
      {"resnet101", 2015, paper, "v1.5, torchvision", imagenet,
       build<ResNet<Bottleneck>>(Depths{3, 4, 23, 3}, v1_5)},
      {"resnet152", 2015, paper, "v1.5, torchvision", imagenet,
       build<ResNet<Bottleneck>>(Depths{3, 8, 36, 3}, v1_5)},
  };
}

}  // namespace convscope

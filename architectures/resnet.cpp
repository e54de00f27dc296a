// ResNet for ImageNet: blocks that add what they compute to what they were given.
// He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015; and the papers that
// changed numbers in it, not its plan:
// Xie, Girshick, Dollar, Tu, He, "Aggregated residual transformations for deep neural networks",
// 2016 (ResNeXt: the 3x3 in groups);
// Zagoruyko, Komodakis, "Wide residual networks", 2016 (the 3x3 wider);
// Yu, Koltun, Funkhouser, "Dilated residual networks", 2017, and Chen, Papandreou, Schroff, Adam,
// "Rethinking atrous convolution for semantic image segmentation", 2017 (dilation for stride: maps
// stay large, and see as far).
#include "architectures/resnet.h"

#include <algorithm>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1,
                   int64_t dilation = 1, int64_t groups = 1) {
  const int64_t padding = dilation * (kernel / 2);
  return Conv2d(Conv2dOptions(in, out, kernel)
                    .stride(stride)
                    .padding(padding)
                    .dilation(dilation)
                    .groups(groups)
                    .bias(false));
}

/// Where a block stands: what it is given, and how its 3x3 convolution is spread.
struct BlockPlace {
  int64_t in, channels, stride, dilation;
};

struct BasicBlock : Module {
  static constexpr int64_t expansion = 1;
  Conv2d conv1;
  BatchNorm2d bn1;
  ReLU relu;
  Conv2d conv2;
  BatchNorm2d bn2;
  Sequential downsample;

  BasicBlock(const BlockPlace& at, Sequential shortcut)
      : conv1(register_module("conv1", convolution(at.in, at.channels, 3, at.stride))),
        bn1(register_module("bn1", BatchNorm2d(at.channels))),
        relu(register_module("relu", in_place_relu())),
        conv2(register_module("conv2", convolution(at.channels, at.channels, 3))),
        bn2(register_module("bn2", BatchNorm2d(at.channels))),
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

  Bottleneck(const ResNetForm& form, const BlockPlace& at, Sequential shortcut)
      : Bottleneck(at, at.channels * form.base_width / 64 * form.groups, form.groups,
                   form.stride_in == StrideIn::first_1x1, shortcut) {}

  Bottleneck(const BlockPlace& at, int64_t width, int64_t groups, bool stride_first,
             Sequential shortcut)
      : conv1(register_module("conv1", convolution(at.in, width, 1, stride_first ? at.stride : 1))),
        bn1(register_module("bn1", BatchNorm2d(width))),
        conv2(register_module("conv2", convolution(width, width, 3, stride_first ? 1 : at.stride,
                                                   at.dilation, groups))),
        bn2(register_module("bn2", BatchNorm2d(width))),
        conv3(register_module("conv3", convolution(width, expansion * at.channels, 1))),
        bn3(register_module("bn3", BatchNorm2d(expansion * at.channels))),
        relu(register_module("relu", in_place_relu())),
        downsample(shortcut.is_empty() ? shortcut : register_module("downsample", shortcut)) {}

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = relu(bn1(conv1(x)));
    y = relu(bn2(conv2(y)));
    y = bn3(conv3(y));
    return relu(y += downsample.is_empty() ? x : downsample->forward(x));
  }
};

struct ResNet : StagedNetwork {
  ResNetBody body;
  AdaptiveAvgPool2d avgpool;
  Linear fc;

  ResNet(const Settings& to, const ResNetForm& form)
      : body(*this, to.image.channels, form),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        fc(register_module("fc", Linear(body.channels, to.classes))) {
    he_normal_convolutions_(*this);
  }

  std::vector<Stage> stages() override {
    return {
        {"stem", [this](torch::Tensor x) { return body.stem(x); }},
        {"layer1", [this](torch::Tensor x) { return body.layer1->forward(x); }},
        {"layer2", [this](torch::Tensor x) { return body.layer2->forward(x); }},
        {"layer3", [this](torch::Tensor x) { return body.layer3->forward(x); }},
        {"layer4", [this](torch::Tensor x) { return avgpool(body.layer4->forward(x)).flatten(1); }},
        {"head", [this](torch::Tensor x) { return fc(x); }}};
  }
};

}  // namespace

ResNetBody::ResNetBody(Module& owner, int64_t image_channels, const ResNetForm& form)
    : conv1(owner.register_module("conv1", convolution(image_channels, 64, 7, 2))),
      bn1(owner.register_module("bn1", BatchNorm2d(64))),
      relu(owner.register_module("relu", in_place_relu())),
      maxpool(
          owner.register_module("maxpool", MaxPool2d(MaxPool2dOptions(3).stride(2).padding(1)))),
      layer1(owner.register_module("layer1", layer(form, 0))),
      layer2(owner.register_module("layer2", layer(form, 1))),
      layer3(owner.register_module("layer3", layer(form, 2))),
      layer4(owner.register_module("layer4", layer(form, 3))) {}

torch::Tensor ResNetBody::stem(const torch::Tensor& images) {
  return maxpool(relu(bn1(conv1(images))));
}

Sequential ResNetBody::layer(const ResNetForm& form, size_t number) {
  const bool basic = form.block == ResNetBlock::basic;
  const int64_t width = int64_t{64} << number;
  const int64_t out = width * (basic ? BasicBlock::expansion : Bottleneck::expansion);
  // What the stride would be behind this layer, and what of it is left to dilation. The first block
  // looks at the maps of the layer before and is dilated as that one is.
  const int64_t halved = int64_t{4} << number;
  const int64_t left = std::max<int64_t>(1, halved / form.output_stride);
  int64_t dilation = std::max<int64_t>(1, left / 2);
  int64_t stride = number == 0 || left > 1 ? 1 : 2;
  Sequential blocks;
  for (int block = 0; block < form.depths[number]; ++block) {
    Sequential shortcut{nullptr};
    if (stride != 1 || channels != out) {
      shortcut = Sequential(convolution(channels, out, 1, stride), BatchNorm2d(out));
    }
    const BlockPlace at = {channels, width, stride, dilation};
    if (basic) {
      blocks->push_back(BasicBlock(at, shortcut));
    } else {
      blocks->push_back(Bottleneck(form, at, shortcut));
    }
    channels = out;
    stride = 1;
    dilation = left;
  }
  return blocks;
}

std::vector<Architecture> families::resnet() {
  const std::string he = "He et al. 2015", xie = "Xie et al. 2016", variant = "torchvision";
  const std::string zagoruyko = "Zagoruyko and Komodakis 2016", yu = "Yu et al. 2017";
  constexpr auto basic = ResNetBlock::basic, bottleneck = ResNetBlock::bottleneck;
  constexpr auto v1 = StrideIn::first_1x1, v1_5 = StrideIn::middle_3x3;
  constexpr std::array<int, 4> of_50 = {3, 4, 6, 3}, of_101 = {3, 4, 23, 3};
  return {
      {"resnet18", 2015, he, variant, imagenet, build<ResNet>(ResNetForm{basic, {2, 2, 2, 2}})},
      {"resnet34", 2015, he, variant, imagenet, build<ResNet>(ResNetForm{basic, of_50})},
      {"resnet50", 2015, he, "v1.5, torchvision", imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_50})},
      {"resnet50_v1",
       2015,
       he,
       "v1, paper",
       imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_50, v1}),
       {"ImageNet-1K", 75.3, "the paper's authors, deep-residual-networks, one crop"}},
      {"resnet101", 2015, he, "v1.5, torchvision", imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_101})},
      {"resnet152", 2015, he, "v1.5, torchvision", imagenet,
       build<ResNet>(ResNetForm{bottleneck, {3, 8, 36, 3}})},
      {"resnext50_32x4d", 2016, xie, variant, imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_50, v1_5, 32, 4})},
      {"resnext101_32x8d", 2016, xie, variant, imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_101, v1_5, 32, 8})},
      {"resnext101_64x4d", 2016, xie, variant, imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_101, v1_5, 64, 4})},
      {"wide_resnet50_2", 2016, zagoruyko, variant, imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_50, v1_5, 1, 128})},
      {"wide_resnet101_2", 2016, zagoruyko, variant, imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_101, v1_5, 1, 128})},
      {"resnet50_os16", 2017, yu, "torchvision: layer4 dilates", imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_50, v1_5, 1, 64, 16})},
      {"resnet50_os8", 2017, yu, "torchvision: layer3 and layer4 dilate", imagenet,
       build<ResNet>(ResNetForm{bottleneck, of_50, v1_5, 1, 64, 8})},
  };
}

}  // namespace convscope

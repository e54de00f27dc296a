// ResNet whose shortcuts meet nothing on their way: normalisation and activation come before each
// convolution, so that what is added is added to what went in, a thousand layers deep.
// He, Zhang, Ren, Sun, "Identity mappings in deep residual networks", 2016. For CIFAR-10 as in the
// authors' resnet-1k-layers, which halves the image in the first 1x1 convolution of a bottleneck;
// for ImageNet as in fb.resnet.torch, which trained the paper's ResNet-200 and halves in the 3x3.
// The activation of the first block follows the first convolution, for the shortcut starts behind
// it.
#include <string>
#include <vector>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"
#include "architectures/resnet.h"

namespace convscope {
namespace {

using namespace torch::nn;

struct PreactForm {
  ResNetBlock block;
  std::vector<int> depths;  ///< blocks in each layer
  StrideIn stride_in;
  bool for_imagenet;  ///< begins by halving twice; else there are thin layers for small images
};

struct PreactBlock : Module {
  int64_t stride, new_channels;
  BatchNorm2d bn1{nullptr};
  Conv2d conv1{nullptr};
  BatchNorm2d bn2{nullptr};
  Conv2d conv2{nullptr};
  BatchNorm2d bn3{nullptr};
  Conv2d conv3{nullptr};
  Conv2d downsample{nullptr};

  /// `activated`: what it is given is already.
  PreactBlock(const PreactForm& form, int64_t in, int64_t width, int64_t by, bool activated)
      : stride(by) {
    const bool bottleneck = form.block == ResNetBlock::bottleneck;
    const bool first = !bottleneck || form.stride_in == StrideIn::first_1x1;
    const int64_t out = bottleneck ? 4 * width : width;
    new_channels = out - in;
    if (!activated) bn1 = register_module("bn1", BatchNorm2d(in));
    conv1 = add("conv1", in, width, bottleneck ? 1 : 3, first ? stride : 1);
    bn2 = register_module("bn2", BatchNorm2d(width));
    conv2 = add("conv2", width, width, 3, first ? 1 : stride);
    if (!bottleneck) return;
    bn3 = register_module("bn3", BatchNorm2d(width));
    conv3 = add("conv3", width, out, 1, 1);
    if (new_channels != 0) downsample = add("downsample", in, out, 1, stride);
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor active = bn1.is_empty() ? x : bn1(x).relu_();
    torch::Tensor y = conv2(bn2(conv1(active)).relu_());
    if (!conv3.is_empty()) y = conv3(bn3(y).relu_());
    if (!downsample.is_empty()) return y += downsample(active);
    return y += padded_shortcut(x, stride, new_channels);
  }

  Conv2d add(const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t by) {
    const auto options = Conv2dOptions(in, out, kernel).stride(by).padding(kernel / 2).bias(false);
    return register_module(name, Conv2d(options));
  }
};

struct PreactResNet : StagedNetwork {
  int64_t channels;
  Conv2d conv1{nullptr};
  BatchNorm2d bn1;
  MaxPool2d maxpool{nullptr};
  std::vector<Sequential> layers;
  BatchNorm2d bn{nullptr};
  Linear fc{nullptr};

  PreactResNet(const Settings& to, const PreactForm& form)
      : channels(form.for_imagenet ? 64 : 16),
        conv1(register_module("conv1", first_convolution(to.image.channels, form))),
        bn1(register_module("bn1", BatchNorm2d(channels))) {
    if (form.for_imagenet) {
      maxpool = register_module("maxpool", MaxPool2d(MaxPool2dOptions(3).stride(2).padding(1)));
    }
    int64_t width = channels;
    for (const int depth : form.depths) {
      const std::string name = "layer" + std::to_string(layers.size() + 1);
      layers.push_back(register_module(name, layer(form, depth, width)));
      width *= 2;
    }
    bn = register_module("bn", BatchNorm2d(channels));
    fc = register_module("fc", Linear(channels, to.classes));
    he_normal_convolutions_(*this);
    init::zeros_(fc->bias);
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all;
    all.push_back({"stem", [this](torch::Tensor x) {
                     x = bn1(conv1(x)).relu_();
                     return maxpool.is_empty() ? x : maxpool(x);
                   }});
    for (size_t i = 0; i < layers.size(); ++i) {
      const bool last = i + 1 == layers.size();
      all.push_back({"layer" + std::to_string(i + 1), [this, i, last](torch::Tensor x) {
                       x = layers[i]->forward(x);
                       if (!last) return x;
                       return torch::adaptive_avg_pool2d(bn(x).relu_(), {1, 1}).flatten(1);
                     }});
    }
    all.push_back({"head", [this](torch::Tensor x) { return fc(x); }});
    return all;
  }

  Conv2d first_convolution(int64_t image_channels, const PreactForm& form) const {
    if (form.for_imagenet) {
      return Conv2d(Conv2dOptions(image_channels, channels, 7).stride(2).padding(3).bias(false));
    }
    return Conv2d(Conv2dOptions(image_channels, channels, 3).padding(1).bias(false));
  }

  Sequential layer(const PreactForm& form, int depth, int64_t width) {
    Sequential blocks;
    for (int block = 0; block < depth; ++block) {
      const bool first = layers.empty() && block == 0;
      const int64_t stride = block == 0 && !layers.empty() ? 2 : 1;
      blocks->push_back(PreactBlock(form, channels, width, stride, /*activated=*/first));
      channels = form.block == ResNetBlock::bottleneck ? 4 * width : width;
    }
    return blocks;
  }
};

}  // namespace

std::vector<Architecture> families::preact_resnet() {
  const std::string paper = "He et al. 2016";
  const Settings cifar = {{3, 32, 32}, 10, 0};
  const auto row = [&](int depth, const std::string& variant, const Settings& settings,
                       const PreactForm& form, const PublishedAccuracy& stated = {}) {
    return Architecture{"preact_resnet" + std::to_string(depth),
                        2016,
                        paper,
                        variant,
                        settings,
                        build<PreactResNet>(form),
                        stated};
  };
  const auto for_imagenet = [&](int depth, const std::vector<int>& depths,
                                const PublishedAccuracy& stated = {}) {
    return row(depth, "fb.resnet.torch's stride", imagenet,
               {ResNetBlock::bottleneck, depths, StrideIn::middle_3x3, true}, stated);
  };
  const auto for_cifar = [&](int depth, double top1) {
    const int blocks = (depth - 2) / 9;  // of three layers, in three stages, between two layers
    return row(depth, "CIFAR-10, bottlenecks", cifar,
               {ResNetBlock::bottleneck, {blocks, blocks, blocks}, StrideIn::first_1x1, false},
               {"CIFAR-10", top1, "He et al. 2016, table 3"});
  };
  return {
      for_imagenet(50, {3, 4, 6, 3}),
      for_imagenet(101, {3, 4, 23, 3}),
      for_imagenet(152, {3, 8, 36, 3}),
      for_imagenet(200, {3, 24, 36, 3}, {"ImageNet-1K", 78.34, "fb.resnet.torch, one crop"}),
      row(110, "CIFAR-10, option A", cifar,
          {ResNetBlock::basic, {18, 18, 18}, StrideIn::middle_3x3, false},
          {"CIFAR-10", 93.63, "He et al. 2016, table 3"}),
      for_cifar(164, 94.54),
      for_cifar(1001, 95.08),
  };
}

}  // namespace convscope

// ResNet for CIFAR-10: the same idea in three narrow stages, to see how deep it goes. Shortcuts
// have no parameters (the paper's option A). He, Zhang, Ren, Sun, "Deep residual learning for image
// recognition", 2015, section 4.2.
#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

Conv2d conv3x3(int64_t in, int64_t out, int64_t stride) {
  return Conv2d(Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false));
}

struct CifarBlock : Module {
  int64_t stride, new_channels;
  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;

  CifarBlock(int64_t in, int64_t out, int64_t by)
      : stride(by),
        new_channels(out - in),
        conv1(register_module("conv1", conv3x3(in, out, by))),
        bn1(register_module("bn1", BatchNorm2d(out))),
        conv2(register_module("conv2", conv3x3(out, out, 1))),
        bn2(register_module("bn2", BatchNorm2d(out))) {}

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = bn1(conv1(x)).relu_();
    y = bn2(conv2(y));
    return (y += padded_shortcut(x, stride, new_channels)).relu_();
  }
};

struct CifarResNet : StagedNetwork {
  Conv2d conv1;
  BatchNorm2d bn1;
  Sequential layer1, layer2, layer3;
  AdaptiveAvgPool2d avgpool;
  Linear linear;

  CifarResNet(const Settings& to, int depth)
      : conv1(register_module("conv1", conv3x3(to.image.channels, 16, 1))),
        bn1(register_module("bn1", BatchNorm2d(16))),
        layer1(register_module("layer1", stage(depth, 16, 16, 1))),
        layer2(register_module("layer2", stage(depth, 16, 32, 2))),
        layer3(register_module("layer3", stage(depth, 32, 64, 2))),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        linear(register_module("linear", Linear(64, to.classes))) {
    he_normal_convolutions_(*this);
    init::kaiming_normal_(linear->weight);
  }

  std::vector<Stage> stages() override {
    return {{"stem", [this](torch::Tensor x) { return bn1(conv1(x)).relu_(); }},
            {"layer1", [this](torch::Tensor x) { return layer1->forward(x); }},
            {"layer2", [this](torch::Tensor x) { return layer2->forward(x); }},
            {"layer3", [this](torch::Tensor x) { return avgpool(layer3->forward(x)).flatten(1); }},
            {"head", [this](torch::Tensor x) { return linear(x); }}};
  }

  static Sequential stage(int depth, int64_t in, int64_t out, int64_t stride) {
    const int blocks = (depth - 2) / 6;  // of two layers, in three stages, between two layers
    Sequential layers(CifarBlock(in, out, stride));
    for (int block = 1; block < blocks; ++block) layers->push_back(CifarBlock(out, out, 1));
    return layers;
  }
};

}  // namespace

std::vector<Architecture> families::resnet_cifar() {
  const std::string paper = "He et al. 2015", variant = "CIFAR-10, option A";
  const Settings cifar = {{3, 32, 32}, 10, 0};
  return {
      {"resnet20", 2015, paper, variant, cifar, build<CifarResNet>(20)},
      {"resnet32", 2015, paper, variant, cifar, build<CifarResNet>(32)},
      {"resnet44", 2015, paper, variant, cifar, build<CifarResNet>(44)},
      {"resnet56", 2015, paper, variant, cifar, build<CifarResNet>(56)},
      {"resnet110", 2015, paper, variant, cifar, build<CifarResNet>(110)},
      {"resnet1202", 2015, paper, variant, cifar, build<CifarResNet>(1202)},
  };
}

}  // namespace convscope

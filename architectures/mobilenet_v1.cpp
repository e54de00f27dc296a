// MobileNet: convolutions taken apart into one per channel (depthwise) and one per pixel
// (pointwise), and one number that makes the whole network thinner.
// Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
// applications", 2017.
#include <algorithm>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

struct SeparableRow {
  int64_t channels, stride;
};

/// Layers are called as in github.com/biubug6/Pytorch_Retinaface, which publishes weights.
struct MobileNetV1 : StagedNetwork {
  double width;
  int64_t channels;
  Sequential stage1, stage2, stage3;
  AdaptiveAvgPool2d avg;
  Linear fc;

  explicit MobileNetV1(const Settings& to)
      : width(to.width),
        channels(thinned(32)),
        stage1(register_module("stage1", stage(stem(to.image.channels),
                                               {{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}}))),
        stage2(register_module(
            "stage2",
            stage(Sequential(), {{512, 2}, {512, 1}, {512, 1}, {512, 1}, {512, 1}, {512, 1}}))),
        stage3(register_module("stage3", stage(Sequential(), {{1024, 2}, {1024, 1}}))),
        avg(register_module("avg", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        fc(register_module("fc", Linear(channels, to.classes))) {
    check_width("mobilenet_v1", width);
    he_normal_convolutions_(*this);  // as MobileNet V2: the paper does not say
    normal_linears_(*this, 0.01);
  }

  std::vector<Stage> stages() override {
    return {{"stage1", [this](torch::Tensor x) { return stage1->forward(x); }},
            {"stage2", [this](torch::Tensor x) { return stage2->forward(x); }},
            {"stage3", [this](torch::Tensor x) { return avg(stage3->forward(x)).flatten(1); }},
            {"head", [this](torch::Tensor x) { return fc(x); }}};
  }

  Sequential stem(int64_t image_channels) const {
    Sequential layers;
    layers->push_back(conv_norm_act(Conv2dOptions(image_channels, channels, 3).stride(2),
                                    AnyModule(in_place_relu())));
    return layers;
  }

  Sequential stage(Sequential layers, std::initializer_list<SeparableRow> rows) {
    for (const SeparableRow& row : rows) {
      const int64_t out = thinned(row.channels);
      layers->push_back(separable(channels, out, row.stride));
      channels = out;
    }
    return layers;
  }

  int64_t thinned(int64_t full) const {
    return std::max<int64_t>(8, static_cast<int64_t>(width * static_cast<double>(full)));
  }

  static std::shared_ptr<Chain> separable(int64_t in, int64_t out, int64_t stride) {
    auto layers = conv_norm_act(Conv2dOptions(in, in, 3).stride(stride).groups(in),
                                AnyModule(in_place_relu()));
    layers->extend(*conv_norm_act(Conv2dOptions(in, out, 1), AnyModule(in_place_relu())));
    return layers;
  }
};

}  // namespace

std::vector<Architecture> families::mobilenet_v1() {
  const std::string paper = "Howard et al. 2017";
  const auto at_width = [](double width) { return Settings{{3, 224, 224}, 1000, width}; };
  const auto stated = [](double top1) {
    return PublishedAccuracy{"ImageNet-1K", top1, "Howard et al. 2017, table 6"};
  };
  return {
      {"mobilenet_v1", 2017, paper, "paper", at_width(1), build<MobileNetV1>(), stated(70.6)},
      {"mobilenet_v1_x0_75", 2017, paper, "paper", at_width(0.75), build<MobileNetV1>(),
       stated(68.4)},
      {"mobilenet_v1_x0_5", 2017, paper, "paper", at_width(0.5), build<MobileNetV1>(),
       stated(63.7)},
      {"mobilenet_v1_x0_25", 2017, paper, "paper", at_width(0.25), build<MobileNetV1>(),
       stated(50.6)},
  };
}

}  // namespace convscope

// SPP-net: a classifier that takes images of any size, because its last pooling has as many bins
// for each of them.
// He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks for visual
// recognition", 2014.
#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// The bins along each side of the image at each level of the pyramid, in the order in which the
/// authors' model (github.com/ShaoqingRen/SPP_net, Zeiler_conv5.prototxt) joins them.
constexpr int64_t pyramid[] = {1, 2, 3, 6};

int64_t bins() {
  int64_t count = 0;
  for (const int64_t side : pyramid) count += side * side;
  return count;
}

/// Each pixel divided by how bright the 3x3 pixels around it are on average: the paper says "LRN",
/// the authors' model has Caffe's form within one channel.
struct NormWithinChannel : Module {
  torch::Tensor forward(const torch::Tensor& x) {
    return x * (1 + 5e-5 * torch::avg_pool2d(x.square(), 3, 1, 1)).pow(-0.75);
  }
};

/// ZF-5 of the paper's table 1, whose paddings are chosen "to produce the expected output": the
/// authors' model has these.
struct SppNet : StagedNetwork {
  Conv2d conv1;
  std::shared_ptr<NormWithinChannel> norm1;
  MaxPool2d pool1;
  Conv2d conv2;
  std::shared_ptr<NormWithinChannel> norm2;
  MaxPool2d pool2;
  Conv2d conv3, conv4, conv5;
  Linear fc6;
  Dropout drop6;
  Linear fc7;
  Dropout drop7;
  Linear fc8;

  explicit SppNet(const Settings& to)
      : conv1(register_module(
            "conv1", Conv2d(Conv2dOptions(to.image.channels, 96, 7).stride(2).padding(1)))),
        norm1(register_module("norm1", std::make_shared<NormWithinChannel>())),
        pool1(register_module("pool1", pool())),
        conv2(register_module("conv2", Conv2d(Conv2dOptions(96, 256, 5).stride(2)))),
        norm2(register_module("norm2", std::make_shared<NormWithinChannel>())),
        pool2(register_module("pool2", pool())),
        conv3(register_module("conv3", Conv2d(Conv2dOptions(256, 384, 3).padding(1)))),
        conv4(register_module("conv4", Conv2d(Conv2dOptions(384, 384, 3).padding(1)))),
        conv5(register_module("conv5", Conv2d(Conv2dOptions(384, 256, 3).padding(1)))),
        fc6(register_module("fc6", Linear(256 * bins(), 4096))),
        drop6(register_module("drop6", Dropout(0.5))),
        fc7(register_module("fc7", Linear(4096, 4096))),
        drop7(register_module("drop7", Dropout(0.5))),
        fc8(register_module("fc8", Linear(4096, to.classes))) {
    normal_weights_(*this, 0.01);
    for (const auto& bias : {conv1->bias, conv3->bias}) init::zeros_(bias);
    for (const auto& bias :
         {conv2->bias, conv4->bias, conv5->bias, fc6->bias, fc7->bias, fc8->bias}) {
      init::ones_(bias);
    }
  }

  std::vector<Stage> stages() override {
    return {{"conv1", [this](torch::Tensor x) { return pool1(norm1->forward(conv1(x).relu_())); }},
            {"conv2", [this](torch::Tensor x) { return pool2(norm2->forward(conv2(x).relu_())); }},
            {"conv3", [this](torch::Tensor x) { return conv3(x).relu_(); }},
            {"conv4", [this](torch::Tensor x) { return conv4(x).relu_(); }},
            {"conv5", [this](torch::Tensor x) { return pyramid_pooled(conv5(x).relu_()); }},
            {"fc6", [this](torch::Tensor x) { return drop6(fc6(x).relu_()); }},
            {"fc7", [this](torch::Tensor x) { return drop7(fc7(x).relu_()); }},
            {"head", [this](torch::Tensor x) { return fc8(x); }}};
  }

  /// Caffe rounds up: with it 224 pixels give the paper's maps of 55x55 and 13x13.
  static MaxPool2d pool() { return MaxPool2d(MaxPool2dOptions(3).stride(2).ceil_mode(true)); }

  /// Bin i of n covers [floor(i / n * w), ceil((i + 1) / n * w)) (the paper's appendix A).
  static torch::Tensor pyramid_pooled(const torch::Tensor& x) {
    std::vector<torch::Tensor> levels;
    for (const int64_t side : pyramid) {
      levels.push_back(std::get<0>(torch::adaptive_max_pool2d(x, {side, side})).flatten(1));
    }
    return torch::cat(levels, 1);
  }
};

}  // namespace

std::vector<Architecture> families::spp_net() {
  return {
      {"spp_net",
       2014,
       "He et al. 2014",
       "ZF-5, pyramid of 6x6, 3x3, 2x2 and 1x1 bins",
       imagenet,
       build<SppNet>(),
       {"ImageNet-1K", 65.02, "He et al. 2014, table 2: trained at one size, ten views"}},
  };
}

}  // namespace convscope

// AlexNet: a deep convolutional network, ReLU and dropout, on a million photographs and two GPUs.
// Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks",
// 2012.
#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

MaxPool2d overlapping_pool() { return MaxPool2d(MaxPool2dOptions(3).stride(2)); }

/// One tower, narrower and without normalisation, as in Krizhevsky, "One weird trick for
/// parallelizing convolutional neural networks", 2014.
struct AlexNet : StagedNetwork {
  Sequential features;
  AdaptiveAvgPool2d avgpool;
  Sequential classifier;

  explicit AlexNet(const Settings& to)
      : features(register_module(
            "features",
            Sequential(Conv2d(Conv2dOptions(to.image.channels, 64, 11).stride(4).padding(2)),
                       in_place_relu(), overlapping_pool(),  //
                       Conv2d(Conv2dOptions(64, 192, 5).padding(2)), in_place_relu(),
                       overlapping_pool(),                                              //
                       Conv2d(Conv2dOptions(192, 384, 3).padding(1)), in_place_relu(),  //
                       Conv2d(Conv2dOptions(384, 256, 3).padding(1)), in_place_relu(),  //
                       Conv2d(Conv2dOptions(256, 256, 3).padding(1)), in_place_relu(),
                       overlapping_pool()))),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({6, 6})))),
        classifier(register_module(
            "classifier", Sequential(Dropout(0.5), Linear(256 * 6 * 6, 4096), in_place_relu(),  //
                                     Dropout(0.5), Linear(4096, 4096), in_place_relu(),         //
                                     Linear(4096, to.classes)))) {}

  std::vector<Stage> stages() override {
    const auto convolution = [this](size_t begin, size_t end) {
      return [this, begin, end](torch::Tensor x) { return forward_part(features, begin, end, x); };
    };
    const auto dense = [this](size_t begin, size_t end) {
      return
          [this, begin, end](torch::Tensor x) { return forward_part(classifier, begin, end, x); };
    };
    return {
        {"conv1", convolution(0, 3)},
        {"conv2", convolution(3, 6)},
        {"conv3", convolution(6, 8)},
        {"conv4", convolution(8, 10)},
        {"conv5",
         [this](torch::Tensor x) { return avgpool(forward_part(features, 10, 13, x)).flatten(1); }},
        {"fc6", dense(0, 3)},
        {"fc7", dense(3, 6)},
        {"head", dense(6, 7)}};
  }
};

/// The paper's. Each GPU held half of the maps, and conv2, conv4 and conv5 saw only their own half:
/// two groups. Layers are called as in Caffe's reproduction.
struct AlexNet2012 : StagedNetwork {
  Conv2d conv1;
  LocalResponseNorm norm1;
  MaxPool2d pool1;
  Conv2d conv2;
  LocalResponseNorm norm2;
  MaxPool2d pool2;
  Conv2d conv3, conv4, conv5;
  MaxPool2d pool5;
  Linear fc6;
  Dropout drop6;
  Linear fc7;
  Dropout drop7;
  Linear fc8;

  AlexNet2012(const Settings& to, int64_t groups)
      : conv1(register_module("conv1", Conv2d(Conv2dOptions(to.image.channels, 96, 11).stride(4)))),
        norm1(register_module("norm1", local_response_norm())),
        pool1(register_module("pool1", overlapping_pool())),
        conv2(
            register_module("conv2", Conv2d(Conv2dOptions(96, 256, 5).padding(2).groups(groups)))),
        norm2(register_module("norm2", local_response_norm())),
        pool2(register_module("pool2", overlapping_pool())),
        conv3(register_module("conv3", Conv2d(Conv2dOptions(256, 384, 3).padding(1)))),
        conv4(
            register_module("conv4", Conv2d(Conv2dOptions(384, 384, 3).padding(1).groups(groups)))),
        conv5(
            register_module("conv5", Conv2d(Conv2dOptions(384, 256, 3).padding(1).groups(groups)))),
        pool5(register_module("pool5", overlapping_pool())),
        fc6(register_module("fc6",
                            Linear(256 * side(to.image.height) * side(to.image.width), 4096))),
        drop6(register_module("drop6", Dropout(0.5))),
        fc7(register_module("fc7", Linear(4096, 4096))),
        drop7(register_module("drop7", Dropout(0.5))),
        fc8(register_module("fc8", Linear(4096, to.classes))) {
    normal_weights_(*this, 0.01);
    // Ones give the ReLUs something positive to begin with.
    for (const auto& bias : {conv2->bias, conv4->bias, conv5->bias, fc6->bias, fc7->bias}) {
      init::ones_(bias);
    }
    for (const auto& bias : {conv1->bias, conv3->bias, fc8->bias}) init::zeros_(bias);
  }

  std::vector<Stage> stages() override {
    return {{"conv1", [this](torch::Tensor x) { return pool1(norm1(conv1(x).relu_())); }},
            {"conv2", [this](torch::Tensor x) { return pool2(norm2(conv2(x).relu_())); }},
            {"conv3", [this](torch::Tensor x) { return conv3(x).relu_(); }},
            {"conv4", [this](torch::Tensor x) { return conv4(x).relu_(); }},
            {"conv5", [this](torch::Tensor x) { return pool5(conv5(x).relu_()).flatten(1); }},
            {"fc6", [this](torch::Tensor x) { return drop6(fc6(x).relu_()); }},
            {"fc7", [this](torch::Tensor x) { return drop7(fc7(x).relu_()); }},
            {"head", [this](torch::Tensor x) { return fc8(x); }}};
  }

  static int64_t side(int64_t pixels) {
    return side_after({{11, 4}, {3, 2}, {5, 1, 2}, {3, 2}, {3, 1, 1}, {3, 2}}, pixels);
  }
};

}  // namespace

std::vector<Architecture> families::alexnet() {
  const std::string paper = "Krizhevsky et al. 2012";
  const Settings paper_input = {{3, 227, 227}, 1000, 0};  // 224, as the paper says, gives no 55x55
  return {
      {"alexnet_2012",
       2012,
       paper,
       "paper: two groups, local response normalisation",
       paper_input,
       build<AlexNet2012>(2),
       {"ImageNet-1K", 59.3, "Krizhevsky et al. 2012, table 2: one network"}},
      {"alexnet_2012_ungrouped", 2012, paper, "the paper's sizes, its groups forgotten",
       paper_input, build<AlexNet2012>(1)},
      {"alexnet", 2014, "Krizhevsky 2014", "torchvision: one tower", imagenet, build<AlexNet>()},
  };
}

}  // namespace convscope

// MobileNet V2: inverted residuals. Shortcuts join thin layers without activation; between them
// the block is wide, where a depthwise convolution is cheap.
// Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: inverted residuals and linear bottlenecks",
// 2018.
#include <algorithm>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

std::shared_ptr<Chain> conv_norm_relu6(Conv2dOptions options) {
  return conv_norm_act(options, AnyModule(ReLU6(ReLU6Options().inplace(true))));
}

struct InvertedResidual : Module {
  bool has_shortcut;
  Sequential conv;

  InvertedResidual(int64_t in, int64_t out, int64_t stride, int64_t expansion)
      : has_shortcut(stride == 1 && in == out), conv(register_module("conv", Sequential())) {
    const int64_t wide = in * expansion;
    if (expansion != 1) conv->push_back(conv_norm_relu6(Conv2dOptions(in, wide, 1)));
    conv->push_back(conv_norm_relu6(Conv2dOptions(wide, wide, 3).stride(stride).groups(wide)));
    conv->push_back(Conv2d(Conv2dOptions(wide, out, 1).bias(false)));
    conv->push_back(BatchNorm2d(out));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return has_shortcut ? x + conv->forward(x) : conv->forward(x);
  }
};

/// A row of the paper's Table 2: t, c, n, s.
struct InvertedResidualRow {
  int64_t expansion, channels, blocks, stride;
};
constexpr InvertedResidualRow inverted_residual_rows[] = {
    {1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2},  {6, 64, 4, 2},
    {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1},
};

struct MobileNetV2 : StagedNetwork {
  int64_t last;
  std::vector<size_t> halved;  ///< where each stage begins, by halving the image, and the end
  Sequential features, classifier;

  explicit MobileNetV2(const Settings& to)
      : last(make_divisible(1280 * std::max(1.0, to.width))),
        features(register_module("features", layers(to.image.channels, to.width))),
        classifier(
            register_module("classifier", Sequential(Dropout(0.2), Linear(last, to.classes)))) {
    check_width("mobilenet_v2", to.width);
    he_normal_convolutions_(*this);
    normal_linears_(*this, 0.01);
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all;
    for (size_t stage = 0; stage + 1 < halved.size(); ++stage) {
      const size_t begin = halved[stage], end = halved[stage + 1];
      all.push_back({stage == 0 ? "stem" : "stage" + std::to_string(stage), [=](torch::Tensor x) {
                       x = forward_part(features, begin, end, x);
                       if (end < features->size()) return x;
                       return torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1);
                     }});
    }
    all.push_back({"head", [this](torch::Tensor x) { return classifier->forward(x); }});
    return all;
  }

  Sequential layers(int64_t image_channels, double width) {
    int64_t channels = make_divisible(32 * width);
    Sequential all;
    halved = {0};
    all->push_back(conv_norm_relu6(Conv2dOptions(image_channels, channels, 3).stride(2)));
    for (const InvertedResidualRow& row : inverted_residual_rows) {
      const int64_t out = make_divisible(static_cast<double>(row.channels) * width);
      for (int64_t block = 0; block < row.blocks; ++block) {
        const int64_t stride = block == 0 ? row.stride : 1;
        if (stride == 2) halved.push_back(all->size());
        all->push_back(InvertedResidual(channels, out, stride, row.expansion));
        channels = out;
      }
    }
    all->push_back(conv_norm_relu6(Conv2dOptions(channels, last, 1)));
    halved.push_back(all->size());
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::mobilenet_v2() {
  return {
      {"mobilenet_v2",
       2018,
       "Sandler et al. 2018",
       "torchvision",
       {{3, 224, 224}, 1000, 1},
       build<MobileNetV2>()},
  };
}

}  // namespace convscope

// MobileNet V3: MobileNet V2's blocks with squeeze-and-excitation and hard swish, arranged by
// architecture search. Howard et al., "Searching for MobileNetV3", 2019.
#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

// LibTorch's C++ frontend has the functions, but no modules.
struct HardSwish : Module {
  torch::Tensor forward(torch::Tensor x) { return torch::hardswish_(x); }
};

struct HardSigmoid : Module {
  torch::Tensor forward(const torch::Tensor& x) { return torch::hardsigmoid(x); }
};

/// How the paper's tables call the activations.
enum class Nonlinearity { RE, HS };

AnyModule activation(Nonlinearity kind) {
  return kind == Nonlinearity::HS ? AnyModule(HardSwish()) : AnyModule(in_place_relu());
}

std::shared_ptr<Chain> conv_norm_v3(Conv2dOptions options, AnyModule then = {}) {
  return conv_norm_act(options, std::move(then), /*norm_eps=*/0.001, /*norm_momentum=*/0.01);
}

/// A row of the paper's Tables 1 and 2, whose word for the block this is.
struct BneckRow {
  int64_t kernel, expanded, out;
  bool squeeze;
  Nonlinearity nonlinearity;
  int64_t stride;
};

struct Bneck : Module {
  bool has_shortcut;
  Sequential block;

  Bneck(int64_t in, const BneckRow& row)
      : has_shortcut(row.stride == 1 && in == row.out),
        block(register_module("block", Sequential())) {
    const auto [kernel, wide, out, squeeze, nonlinearity, stride] = row;
    if (wide != in) {
      block->push_back(conv_norm_v3(Conv2dOptions(in, wide, 1), activation(nonlinearity)));
    }
    block->push_back(conv_norm_v3(Conv2dOptions(wide, wide, kernel).stride(stride).groups(wide),
                                  activation(nonlinearity)));
    if (squeeze) {
      const int64_t quarter = wide / 4;
      const int64_t squeezed = make_divisible(static_cast<double>(quarter));
      block->push_back(
          SqueezeExcitation(wide, squeezed, AnyModule(ReLU()), AnyModule(HardSigmoid())));
    }
    block->push_back(conv_norm_v3(Conv2dOptions(wide, out, 1)));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = block->forward(x);
    return has_shortcut ? y += x : y;
  }
};

struct MobileNetV3 : StagedNetwork {
  double width;
  int64_t channels;
  std::vector<size_t> halved;  ///< where each stage begins, by halving the image, and the end
  Sequential features;
  AdaptiveAvgPool2d avgpool;
  Sequential classifier;

  MobileNetV3(const Settings& to, const std::vector<BneckRow>& rows, int64_t last)
      : width(to.width),
        channels(thinned(16)),
        features(register_module("features", layers(to.image.channels, rows))),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        classifier(
            register_module("classifier", Sequential(Linear(channels, thinned(last)), HardSwish(),
                                                     Dropout(DropoutOptions(0.2).inplace(true)),
                                                     Linear(thinned(last), to.classes)))) {
    check_width("mobilenet_v3", width);
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
                       return forward_part(classifier, 0, 2, avgpool(x).flatten(1));
                     }});
    }
    all.push_back({"head", [this](torch::Tensor x) { return forward_part(classifier, 2, 4, x); }});
    return all;
  }

  Sequential layers(int64_t image_channels, const std::vector<BneckRow>& rows) {
    Sequential all;
    all->push_back(
        conv_norm_v3(Conv2dOptions(image_channels, channels, 3).stride(2), AnyModule(HardSwish())));
    halved = {0};
    for (BneckRow row : rows) {
      if (row.stride == 2) halved.push_back(all->size());
      row.expanded = thinned(row.expanded);
      row.out = thinned(row.out);
      all->push_back(Bneck(channels, row));
      channels = row.out;
    }
    all->push_back(conv_norm_v3(Conv2dOptions(channels, 6 * channels, 1), AnyModule(HardSwish())));
    halved.push_back(all->size());
    channels *= 6;
    return all;
  }

  int64_t thinned(int64_t full) const { return make_divisible(static_cast<double>(full) * width); }
};

}  // namespace

std::vector<Architecture> families::mobilenet_v3() {
  const std::string paper = "Howard et al. 2019", variant = "torchvision";
  const Settings full_width = {{3, 224, 224}, 1000, 1};
  constexpr auto re = Nonlinearity::RE, hs = Nonlinearity::HS;  // as the paper's tables call them
  const std::vector<BneckRow> large = {
      {3, 16, 16, false, re, 1},  {3, 64, 24, false, re, 2},  {3, 72, 24, false, re, 1},
      {5, 72, 40, true, re, 2},   {5, 120, 40, true, re, 1},  {5, 120, 40, true, re, 1},
      {3, 240, 80, false, hs, 2}, {3, 200, 80, false, hs, 1}, {3, 184, 80, false, hs, 1},
      {3, 184, 80, false, hs, 1}, {3, 480, 112, true, hs, 1}, {3, 672, 112, true, hs, 1},
      {5, 672, 160, true, hs, 2}, {5, 960, 160, true, hs, 1}, {5, 960, 160, true, hs, 1},
  };
  const std::vector<BneckRow> small = {
      {3, 16, 16, true, re, 2},  {3, 72, 24, false, re, 2}, {3, 88, 24, false, re, 1},
      {5, 96, 40, true, hs, 2},  {5, 240, 40, true, hs, 1}, {5, 240, 40, true, hs, 1},
      {5, 120, 48, true, hs, 1}, {5, 144, 48, true, hs, 1}, {5, 288, 96, true, hs, 2},
      {5, 576, 96, true, hs, 1}, {5, 576, 96, true, hs, 1},
  };
  return {
      {"mobilenet_v3_large", 2019, paper, variant, full_width, build<MobileNetV3>(large, 1280)},
      {"mobilenet_v3_small", 2019, paper, variant, full_width, build<MobileNetV3>(small, 1024)},
  };
}

}  // namespace convscope

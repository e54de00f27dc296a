// ConvNeXt: a ResNet brought step by step to what vision transformers do (patches, wide depthwise
// convolutions, layer normalisation, few activations), without attention.
// Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022.
#include <algorithm>
#include <array>
#include <utility>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

struct Permute : Module {
  std::vector<int64_t> dims;

  explicit Permute(std::vector<int64_t> dimensions) : dims(std::move(dimensions)) {}
  torch::Tensor forward(const torch::Tensor& x) { return x.permute(dims); }
};

/// Normalises the channels of each position.
struct LayerNorm2d : LayerNormImpl {
  explicit LayerNorm2d(int64_t channels) : LayerNormImpl(layer_norm(channels)) {}

  torch::Tensor forward(const torch::Tensor& x) {
    return LayerNormImpl::forward(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
  }
};

struct CNBlock : Module {
  torch::Tensor layer_scale;
  Sequential block;
  std::shared_ptr<StochasticDepth> stochastic_depth;

  CNBlock(int64_t channels, double left_out)
      : layer_scale(register_parameter("layer_scale", torch::full({channels, 1, 1}, 1e-6))),
        block(register_module(
            "block",
            Sequential(Conv2d(Conv2dOptions(channels, channels, 7).padding(3).groups(channels)),
                       Permute({0, 2, 3, 1}), LayerNorm(layer_norm(channels)),
                       Linear(channels, 4 * channels), GELU(), Linear(4 * channels, channels),
                       Permute({0, 3, 1, 2})))),
        stochastic_depth(
            register_module("stochastic_depth", std::make_shared<StochasticDepth>(left_out))) {}

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = stochastic_depth->forward(block->forward(x) * layer_scale);
    return y += x;
  }
};

/// The paper's C of the first stage, which the later ones double, and B; and with what probability
/// torchvision leaves out the last block, which the first ones approach 0 from.
struct ConvNeXtSize {
  int64_t channels;
  std::array<int, 4> blocks;
  double left_out;
};

struct ConvNeXt : StagedNetwork {
  int64_t channels;
  Sequential features;
  AdaptiveAvgPool2d avgpool;
  Sequential classifier;

  ConvNeXt(const Settings& to, const ConvNeXtSize& form)
      : channels(form.channels),
        features(register_module("features", layers(to.image.channels, form))),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        classifier(register_module("classifier", Sequential(LayerNorm2d(channels), Flatten(),
                                                            Linear(channels, to.classes)))) {
    normal_weights_(*this, 0.02);
    zero_biases_(*this);
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all = {
        {"stem", [this](torch::Tensor x) { return forward_part(features, 0, 1, x); }}};
    // A convolution that halves the image belongs to the blocks behind it.
    for (size_t begin = 1; begin < features->size();) {
      const size_t end = begin == 1 ? 2 : begin + 2;
      all.push_back({"stage" + std::to_string(all.size()), [=](torch::Tensor x) {
                       x = forward_part(features, begin, end, x);
                       if (end < features->size()) return x;
                       return forward_part(classifier, 0, 2, avgpool(x));
                     }});
      begin = end;
    }
    all.push_back({"head", [this](torch::Tensor x) { return forward_part(classifier, 2, 3, x); }});
    return all;
  }

  Sequential layers(int64_t image_channels, const ConvNeXtSize& form) {
    const auto patches = std::make_shared<Chain>();
    patches->push_back(Conv2d(Conv2dOptions(image_channels, channels, 4).stride(4)));
    patches->push_back(LayerNorm2d(channels));
    Sequential all;
    all->push_back(patches);
    int all_blocks = 0, block = 0;
    for (const int blocks : form.blocks) all_blocks += blocks;
    for (const int blocks : form.blocks) {
      if (block > 0) {
        const auto halving = std::make_shared<Chain>();
        halving->push_back(LayerNorm2d(channels));
        halving->push_back(Conv2d(Conv2dOptions(channels, 2 * channels, 2).stride(2)));
        all->push_back(halving);
        channels *= 2;
      }
      const auto stage = std::make_shared<Chain>();
      for (const int end = block + blocks; block < end; ++block) {
        stage->push_back(CNBlock(channels, form.left_out * block / (all_blocks - 1)));
      }
      all->push_back(stage);
    }
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::convnext() {
  const std::string paper = "Liu et al. 2022";
  return {
      {"convnext_tiny", 2022, paper, "torchvision", imagenet,
       build<ConvNeXt>(ConvNeXtSize{96, {3, 3, 9, 3}, 0.1})},
      {"convnext_small", 2022, paper, "torchvision", imagenet,
       build<ConvNeXt>(ConvNeXtSize{96, {3, 3, 27, 3}, 0.4})},
      {"convnext_base", 2022, paper, "torchvision", imagenet,
       build<ConvNeXt>(ConvNeXtSize{128, {3, 3, 27, 3}, 0.5})},
      {"convnext_large", 2022, paper, "torchvision", imagenet,
       build<ConvNeXt>(ConvNeXtSize{192, {3, 3, 27, 3}, 0.5})},
  };
}

}  // namespace convscope

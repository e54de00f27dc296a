// DenseNet: each layer sees what all layers before it in its block computed, and adds a few
// channels of its own. Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional
// networks", 2016.
#include <array>
#include <string>
#include <vector>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

Conv2d unbiased(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1) {
  return Conv2d(Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// A thin 3x3 convolution on a bottleneck, which is 4 times as wide as it in the paper.
struct DenseLayer : Module {
  BatchNorm2d norm1;
  ReLU relu1;
  Conv2d conv1;
  BatchNorm2d norm2;
  ReLU relu2;
  Conv2d conv2;

  DenseLayer(int64_t in, int64_t growth)
      : norm1(register_module("norm1", BatchNorm2d(in))),
        relu1(register_module("relu1", in_place_relu())),
        conv1(register_module("conv1", unbiased(in, 4 * growth, 1))),
        norm2(register_module("norm2", BatchNorm2d(4 * growth))),
        relu2(register_module("relu2", in_place_relu())),
        conv2(register_module("conv2", unbiased(4 * growth, growth, 3))) {}

  torch::Tensor forward(const torch::Tensor& all) {
    return conv2(relu2(norm2(conv1(relu1(norm1(all))))));
  }
};

struct DenseBlock : Module {
  std::vector<std::shared_ptr<DenseLayer>> layers;

  DenseBlock(int count, int64_t in, int64_t growth) {
    for (int layer = 0; layer < count; ++layer, in += growth) {
      layers.push_back(register_module("denselayer" + std::to_string(layer + 1),
                                       std::make_shared<DenseLayer>(in, growth)));
    }
  }

  torch::Tensor forward(const torch::Tensor& x) {
    std::vector<torch::Tensor> all = {x};
    for (const auto& layer : layers) all.push_back(layer->forward(torch::cat(all, 1)));
    return torch::cat(all, 1);
  }
};

std::shared_ptr<Chain> transition(int64_t in, int64_t out) {
  auto layers = std::make_shared<Chain>();
  layers->push_back("norm", BatchNorm2d(in));
  layers->push_back("relu", in_place_relu());
  layers->push_back("conv", unbiased(in, out, 1));
  layers->push_back("pool", AvgPool2d(AvgPool2dOptions(2).stride(2)));
  return layers;
}

/// A column of the paper's Table 1: layers in each block, the growth rate k; and what the first
/// convolution gives, 2 k.
struct DenseNetForm {
  std::array<int, 4> depths;
  int64_t growth = 32;
};

struct DenseNet : StagedNetwork {
  int64_t channels;
  std::vector<size_t> ends = {0};  ///< where each stage ends: the stem, and each block
  Sequential features;
  Linear classifier;

  DenseNet(const Settings& to, const DenseNetForm& form)
      : channels(2 * form.growth),
        features(register_module("features", layers(to.image.channels, form))),
        classifier(register_module("classifier", Linear(channels, to.classes))) {
    for (const auto& module : modules(/*include_self=*/false)) {
      if (auto* convolution = module->as<Conv2d>()) init::kaiming_normal_(convolution->weight);
    }
    init::zeros_(classifier->bias);
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all;
    for (size_t stage = 0; stage + 1 < ends.size(); ++stage) {
      const size_t begin = ends[stage], end = ends[stage + 1];
      const std::string name = stage == 0 ? "stem" : "denseblock" + std::to_string(stage);
      all.push_back({name, [=](torch::Tensor x) {
                       x = forward_part(features, begin, end, x);
                       if (end < features->size()) return x;
                       return torch::adaptive_avg_pool2d(x.relu_(), {1, 1}).flatten(1);
                     }});
    }
    all.push_back({"head", [this](torch::Tensor x) { return classifier(x); }});
    return all;
  }

  Sequential layers(int64_t image_channels, const DenseNetForm& form) {
    Sequential all;
    all->push_back("conv0", unbiased(image_channels, channels, 7, 2));
    all->push_back("norm0", BatchNorm2d(channels));
    all->push_back("relu0", in_place_relu());
    all->push_back("pool0", MaxPool2d(MaxPool2dOptions(3).stride(2).padding(1)));
    ends.push_back(all->size());
    for (size_t block = 0; block < form.depths.size(); ++block) {
      const std::string number = std::to_string(block + 1);
      all->push_back("denseblock" + number, DenseBlock(form.depths[block], channels, form.growth));
      channels += form.depths[block] * form.growth;
      if (block + 1 < form.depths.size()) {
        all->push_back("transition" + number, transition(channels, channels / 2));
        channels /= 2;
      } else {
        all->push_back("norm5", BatchNorm2d(channels));
      }
      ends.push_back(all->size());
    }
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::densenet() {
  const std::string paper = "Huang et al. 2016", variant = "torchvision";
  return {
      {"densenet121", 2016, paper, variant, imagenet,
       build<DenseNet>(DenseNetForm{{6, 12, 24, 16}})},
      {"densenet161", 2016, paper, variant, imagenet,
       build<DenseNet>(DenseNetForm{{6, 12, 36, 24}, 48})},
      {"densenet169", 2016, paper, variant, imagenet,
       build<DenseNet>(DenseNetForm{{6, 12, 32, 32}})},
      {"densenet201", 2016, paper, variant, imagenet,
       build<DenseNet>(DenseNetForm{{6, 12, 48, 32}})},
  };
}

}  // namespace convscope

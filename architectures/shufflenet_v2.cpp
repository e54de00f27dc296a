// ShuffleNet V2: each block computes on one half of the channels, hands on the other, and shuffles
// both, so that every layer has as many channels in as out, which is the least to move for its
// work. Ma, Zhang, Zheng, Sun, "ShuffleNet V2: practical guidelines for efficient CNN architecture
// design", 2018.
#include <array>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// So that the halves of the channels take turns.
torch::Tensor shuffled(const torch::Tensor& x) {
  const int64_t images = x.size(0), height = x.size(2), width = x.size(3);
  return x.view({images, 2, x.size(1) / 2, height, width})
      .transpose(1, 2)
      .contiguous()
      .view({images, -1, height, width});
}

/// The paper's Fig. 3 (c), and (d) where the image is halved: there both branches see all channels.
struct ShuffleUnit : Module {
  Sequential branch1, branch2;

  ShuffleUnit(int64_t in, int64_t out, int64_t stride)
      : branch1(stride == 1 ? Sequential() : register_module("branch1", Sequential())),
        branch2(register_module("branch2", Sequential())) {
    const int64_t half = out / 2, seen = stride == 1 ? in / 2 : in;
    if (stride != 1) {
      branch1->extend(*depthwise(in, stride));
      branch1->extend(*pointwise(in, half));
    }
    branch2->extend(*pointwise(seen, half));
    branch2->extend(*depthwise(half, stride));
    branch2->extend(*pointwise(half, half));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    if (!branch1->is_empty()) {
      return shuffled(torch::cat({branch1->forward(x), branch2->forward(x)}, 1));
    }
    const std::vector<torch::Tensor> halves = x.chunk(2, 1);
    return shuffled(torch::cat({halves[0], branch2->forward(halves[1])}, 1));
  }

  static std::shared_ptr<Chain> pointwise(int64_t in, int64_t out) {
    return conv_norm_act(Conv2dOptions(in, out, 1), AnyModule(in_place_relu()));
  }

  static std::shared_ptr<Chain> depthwise(int64_t channels, int64_t stride) {
    return conv_norm_act(Conv2dOptions(channels, channels, 3).stride(stride).groups(channels));
  }
};

/// A column of the paper's Table 5: the channels of stages 2 to 4 and of Conv5.
using ShuffleChannels = std::array<int64_t, 4>;

struct ShuffleNetV2 : StagedNetwork {
  std::shared_ptr<Chain> conv1;
  MaxPool2d maxpool;
  Sequential stage2, stage3, stage4;
  std::shared_ptr<Chain> conv5;
  Linear fc;

  ShuffleNetV2(const Settings& to, ShuffleChannels channels)
      : conv1(register_module("conv1",
                              conv_norm_act(Conv2dOptions(to.image.channels, 24, 3).stride(2),
                                            AnyModule(in_place_relu())))),
        maxpool(register_module("maxpool", MaxPool2d(MaxPool2dOptions(3).stride(2).padding(1)))),
        stage2(register_module("stage2", stage(24, channels[0], 4))),
        stage3(register_module("stage3", stage(channels[0], channels[1], 8))),
        stage4(register_module("stage4", stage(channels[1], channels[2], 4))),
        conv5(register_module("conv5", ShuffleUnit::pointwise(channels[2], channels[3]))),
        fc(register_module("fc", Linear(channels[3], to.classes))) {}

  std::vector<Stage> stages() override {
    return {{"stem", [this](torch::Tensor x) { return maxpool(conv1->forward(x)); }},
            {"stage2", [this](torch::Tensor x) { return stage2->forward(x); }},
            {"stage3", [this](torch::Tensor x) { return stage3->forward(x); }},
            {"stage4", [this](torch::Tensor x) { return stage4->forward(x); }},
            {"conv5",
             [this](torch::Tensor x) {
               return conv5->forward(x).mean({2, 3});
             }},
            {"head", [this](torch::Tensor x) { return fc(x); }}};
  }

  static Sequential stage(int64_t in, int64_t out, int units) {
    Sequential all{ShuffleUnit(in, out, 2)};
    for (int unit = 1; unit < units; ++unit) all->push_back(ShuffleUnit(out, out, 1));
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::shufflenet_v2() {
  const std::string paper = "Ma et al. 2018", variant = "torchvision";
  return {
      {"shufflenet_v2_x0_5", 2018, paper, variant, imagenet,
       build<ShuffleNetV2>(ShuffleChannels{48, 96, 192, 1024})},
      {"shufflenet_v2_x1_0", 2018, paper, variant, imagenet,
       build<ShuffleNetV2>(ShuffleChannels{116, 232, 464, 1024})},
      {"shufflenet_v2_x1_5", 2018, paper, variant, imagenet,
       build<ShuffleNetV2>(ShuffleChannels{176, 352, 704, 1024})},
      {"shufflenet_v2_x2_0", 2018, paper, variant, imagenet,
       build<ShuffleNetV2>(ShuffleChannels{244, 488, 976, 2048})},
  };
}

}  // namespace convscope

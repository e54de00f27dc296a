// MnasNet: MobileNet V2's blocks, arranged by a search that weighs accuracy against the measured
// latency on a phone. Tan, Chen, Pang, Vasudevan, Sandler, Howard, Le, "MnasNet: platform-aware
// neural architecture search for mobile", 2018.
#include <cmath>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// A row of stages in the B1 form of the paper's Fig. 7, which has no squeeze-and-excitation.
struct MnasRow {
  int64_t kernel, expansion, channels, blocks, stride;
};
constexpr MnasRow mnas_rows[] = {{3, 3, 24, 3, 2}, {5, 3, 40, 3, 2},  {5, 6, 80, 3, 2},
                                 {3, 6, 96, 2, 1}, {5, 6, 192, 4, 2}, {3, 6, 320, 1, 1}};

struct MnasBlock : Module {
  bool has_shortcut;
  Sequential layers;

  MnasBlock(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t expansion)
      : has_shortcut(stride == 1 && in == out), layers(register_module("layers", Sequential())) {
    const int64_t wide = in * expansion;
    add_convolution(*layers, Conv2dOptions(in, wide, 1));
    add_convolution(*layers, Conv2dOptions(wide, wide, kernel).stride(stride).groups(wide));
    add_convolution(*layers, Conv2dOptions(wide, out, 1), /*relu=*/false);
  }

  /// Convolution, batch normalisation and maybe ReLU, as members of `layers` itself.
  static void add_convolution(SequentialImpl& layers, const Conv2dOptions& options,
                              bool relu = true) {
    constexpr double momentum = 1 - 0.9997;  // TensorFlow's decay
    AnyModule activation;
    if (relu) activation = AnyModule(in_place_relu());
    layers.extend(*conv_norm_act(options, std::move(activation), /*norm_eps=*/1e-5, momentum));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return has_shortcut ? layers->forward(x) + x : layers->forward(x);
  }
};

struct MnasNet : StagedNetwork {
  std::vector<size_t> halved;  ///< where each stage begins, by halving the image, and the end
  Sequential layers, classifier;

  explicit MnasNet(const Settings& to)
      : layers(register_module("layers", all_layers(to.image.channels, to.width))),
        classifier(register_module(
            "classifier",
            Sequential(Dropout(DropoutOptions(0.2).inplace(true)), Linear(1280, to.classes)))) {
    check_width("mnasnet", to.width);
    he_normal_convolutions_(*this);
    uniform_linears_(*this, std::sqrt(3.0 / static_cast<double>(to.classes)));
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all;
    for (size_t stage = 0; stage + 1 < halved.size(); ++stage) {
      const size_t begin = halved[stage], end = halved[stage + 1];
      all.push_back({stage == 0 ? "stem" : "stage" + std::to_string(stage), [=](torch::Tensor x) {
                       x = forward_part(layers, begin, end, x);
                       return end < layers->size() ? x : x.mean({2, 3});
                     }});
    }
    all.push_back({"head", [this](torch::Tensor x) { return classifier->forward(x); }});
    return all;
  }

  Sequential all_layers(int64_t image_channels, double width) {
    const auto scaled = [=](int64_t full) {
      return make_divisible(static_cast<double>(full) * width);
    };
    const int64_t first = scaled(32);
    int64_t channels = scaled(16);
    Sequential all;
    halved = {0};
    MnasBlock::add_convolution(*all, Conv2dOptions(image_channels, first, 3).stride(2));
    MnasBlock::add_convolution(*all, Conv2dOptions(first, first, 3).groups(first));
    MnasBlock::add_convolution(*all, Conv2dOptions(first, channels, 1), /*relu=*/false);
    for (const MnasRow& row : mnas_rows) {
      const int64_t out = scaled(row.channels);
      if (row.stride == 2) halved.push_back(all->size());
      const auto stack = std::make_shared<Chain>();
      for (int64_t block = 0; block < row.blocks; ++block) {
        const int64_t stride = block == 0 ? row.stride : 1;
        stack->push_back(MnasBlock(channels, out, row.kernel, stride, row.expansion));
        channels = out;
      }
      all->push_back(stack);
    }
    MnasBlock::add_convolution(*all, Conv2dOptions(channels, 1280, 1));
    halved.push_back(all->size());
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::mnasnet() {
  const std::string paper = "Tan et al. 2018", variant = "torchvision: B1, without squeezing";
  const auto at_width = [](double width) { return Settings{{3, 224, 224}, 1000, width}; };
  return {
      {"mnasnet0_5", 2018, paper, variant, at_width(0.5), build<MnasNet>()},
      {"mnasnet0_75", 2018, paper, variant, at_width(0.75), build<MnasNet>()},
      {"mnasnet1_0", 2018, paper, variant, at_width(1), build<MnasNet>()},
      {"mnasnet1_3", 2018, paper, variant, at_width(1.3), build<MnasNet>()},
  };
}

}  // namespace convscope

// SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters. A thin 1x1 convolution squeezes
// the channels before the 3x3 ones see them, and a global average replaces the classifier.
// Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer, "SqueezeNet: AlexNet-level accuracy with 50x
// fewer parameters and <0.5MB model size", 2016.
#include <vector>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

struct Fire : Module {
  Conv2d squeeze;
  ReLU squeeze_activation;
  Conv2d expand1x1;
  ReLU expand1x1_activation;
  Conv2d expand3x3;
  ReLU expand3x3_activation;

  Fire(int64_t in, int64_t thin, int64_t wide)
      : squeeze(register_module("squeeze", Conv2d(in, thin, 1))),
        squeeze_activation(register_module("squeeze_activation", in_place_relu())),
        expand1x1(register_module("expand1x1", Conv2d(thin, wide, 1))),
        expand1x1_activation(register_module("expand1x1_activation", in_place_relu())),
        expand3x3(register_module("expand3x3", Conv2d(Conv2dOptions(thin, wide, 3).padding(1)))),
        expand3x3_activation(register_module("expand3x3_activation", in_place_relu())) {}

  torch::Tensor forward(torch::Tensor x) {
    x = squeeze_activation(squeeze(x));
    return torch::cat({expand1x1_activation(expand1x1(x)), expand3x3_activation(expand3x3(x))}, 1);
  }
};

/// One published form: its first convolution, and after which of the eight fires it pools.
struct Form {
  int64_t channels, kernel;
  std::vector<int> pooled_fires;
};

/// A row of the paper's Table 1: s1x1, and e1x1 which equals e3x3.
struct FireRow {
  int64_t thin, wide;
};
constexpr FireRow fire_rows[] = {{16, 64},  {16, 64},  {32, 128}, {32, 128},
                                 {48, 192}, {48, 192}, {64, 256}, {64, 256}};

struct SqueezeNet : StagedNetwork {
  std::vector<size_t> pooled;  ///< where each stage ends: behind its pooling
  Sequential features, classifier;

  SqueezeNet(const Settings& to, const Form& form)
      : features(register_module("features", layers(to.image.channels, form))),
        classifier(register_module(
            "classifier", Sequential(Dropout(0.5), Conv2d(512, to.classes, 1), in_place_relu(),
                                     AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1}))))) {
    for (const auto& module : modules(/*include_self=*/false)) {
      if (auto* convolution = module->as<Conv2d>()) {
        init::kaiming_uniform_(convolution->weight);
        init::zeros_(convolution->bias);
      }
    }
    init::normal_(classifier[1]->as<Conv2d>()->weight, 0, 0.01);
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all;
    for (size_t stage = 0; stage + 1 < pooled.size(); ++stage) {
      const size_t begin = pooled[stage], end = pooled[stage + 1];
      all.push_back({stage == 0 ? "stem" : "stage" + std::to_string(stage),
                     [=](torch::Tensor x) { return forward_part(features, begin, end, x); }});
    }
    all.push_back({"head", [this](torch::Tensor x) { return classifier->forward(x).flatten(1); }});
    return all;
  }

  Sequential layers(int64_t channels, const Form& form) {
    const auto pool = [] { return MaxPool2d(MaxPool2dOptions(3).stride(2).ceil_mode(true)); };
    Sequential all(Conv2d(Conv2dOptions(channels, form.channels, form.kernel).stride(2)),
                   in_place_relu(), pool());
    pooled = {0, all->size()};
    channels = form.channels;
    int fire = 0;
    for (const FireRow& row : fire_rows) {
      all->push_back(Fire(channels, row.thin, row.wide));
      channels = 2 * row.wide;
      ++fire;
      for (const int pooled_fire : form.pooled_fires) {
        if (pooled_fire != fire) continue;
        all->push_back(pool());
        pooled.push_back(all->size());
      }
    }
    pooled.push_back(all->size());
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::squeezenet() {
  const std::string paper = "Iandola et al. 2016";
  return {
      {"squeezenet1_0", 2016, paper, "torchvision", imagenet,
       build<SqueezeNet>(Form{96, 7, {3, 7}})},
      {"squeezenet1_1", 2016, paper, "torchvision: pools earlier, a smaller first convolution",
       imagenet, build<SqueezeNet>(Form{64, 3, {2, 4}})},
  };
}

}  // namespace convscope

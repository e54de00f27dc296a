// VGG: nothing but 3x3 convolutions, stacked until the network is deep, then halved by pooling.
// Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014.
#include <array>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

using VggDepths = std::array<int, 5>;  ///< convolutions before each of the five poolings

enum class VggNorm { none, batch };

struct Vgg : StagedNetwork {
  std::vector<size_t> pooled;  ///< the place behind each pooling
  Sequential features;
  AdaptiveAvgPool2d avgpool;
  Sequential classifier;

  Vgg(const Settings& to, VggDepths depths, VggNorm norm)
      : features(register_module("features", layers(to.image.channels, depths, norm))),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({7, 7})))),
        classifier(register_module(
            "classifier", Sequential(Linear(512 * 7 * 7, 4096), in_place_relu(), Dropout(0.5),  //
                                     Linear(4096, 4096), in_place_relu(), Dropout(0.5),         //
                                     Linear(4096, to.classes)))) {
    he_normal_convolutions_(*this);
    normal_linears_(*this, 0.01);
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all;
    for (size_t stage = 0; stage < pooled.size(); ++stage) {
      const size_t begin = stage == 0 ? 0 : pooled[stage - 1], end = pooled[stage];
      const bool last = stage + 1 == pooled.size();
      all.push_back({"stage" + std::to_string(stage + 1), [=](torch::Tensor x) {
                       x = forward_part(features, begin, end, x);
                       return last ? avgpool(x).flatten(1) : x;
                     }});
    }
    const auto dense = [this](size_t begin, size_t end) {
      return
          [this, begin, end](torch::Tensor x) { return forward_part(classifier, begin, end, x); };
    };
    all.push_back({"fc6", dense(0, 3)});
    all.push_back({"fc7", dense(3, 6)});
    all.push_back({"head", dense(6, 7)});
    return all;
  }

  Sequential layers(int64_t channels, VggDepths depths, VggNorm norm) {
    constexpr std::array<int64_t, 5> widths = {64, 128, 256, 512, 512};
    Sequential all;
    for (size_t stage = 0; stage < depths.size(); ++stage) {
      for (int i = 0; i < depths[stage]; ++i) {
        all->push_back(Conv2d(Conv2dOptions(channels, widths[stage], 3).padding(1)));
        if (norm == VggNorm::batch) all->push_back(BatchNorm2d(widths[stage]));
        all->push_back(in_place_relu());
        channels = widths[stage];
      }
      all->push_back(MaxPool2d(2));
      pooled.push_back(all->size());
    }
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::vgg() {
  const std::string paper = "Simonyan and Zisserman 2014";
  const std::string bn = ", with batch normalisation";
  constexpr VggDepths a = {1, 1, 2, 2, 2}, b = {2, 2, 2, 2, 2}, d = {2, 2, 3, 3, 3},
                      e = {2, 2, 4, 4, 4};
  constexpr auto none = VggNorm::none, batch = VggNorm::batch;
  return {
      {"vgg11", 2014, paper, "configuration A", imagenet, build<Vgg>(a, none)},
      {"vgg11_bn", 2014, paper, "configuration A" + bn, imagenet, build<Vgg>(a, batch)},
      {"vgg13", 2014, paper, "configuration B", imagenet, build<Vgg>(b, none)},
      {"vgg13_bn", 2014, paper, "configuration B" + bn, imagenet, build<Vgg>(b, batch)},
      {"vgg16", 2014, paper, "configuration D", imagenet, build<Vgg>(d, none)},
      {"vgg16_bn", 2014, paper, "configuration D" + bn, imagenet, build<Vgg>(d, batch)},
      {"vgg19", 2014, paper, "configuration E", imagenet, build<Vgg>(e, none)},
      {"vgg19_bn", 2014, paper, "configuration E" + bn, imagenet, build<Vgg>(e, batch)},
  };
}

}  // namespace convscope

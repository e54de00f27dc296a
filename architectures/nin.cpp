// Network in Network: each convolution is followed by two 1x1 ones, a small network at each
// position, and the last one's maps, averaged, are the classes: no fully connected layer. Lin,
// Chen, Yan, "Network in network", 2013; the sizes and the initialisation are those of the authors'
// models in Caffe's format (ImageNet: gist.github.com/mavenlin/d802a5849de39225bcc6, CIFAR-10:
// gist.github.com/mavenlin/e56253735ef32c3c296d).
#include <string>
#include <vector>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

enum class Behind { max_pool, average_pool, nothing };

/// Caffe's rounds up.
AnyModule pooling(Behind kind) {
  if (kind == Behind::max_pool) {
    return AnyModule(MaxPool2d(MaxPool2dOptions(3).stride(2).ceil_mode(true)));
  }
  return AnyModule(AvgPool2d(AvgPool2dOptions(3).stride(2).ceil_mode(true)));
}

/// A convolution, the 1x1 ones behind it (a cascade of "cross-channel parametric pooling", cccp),
/// and what follows. The last cccp of all gives the classes and is not here.
struct MlpConv {
  int64_t channels, kernel, stride, padding;
  std::vector<int64_t> cccp;
  Behind behind;
  bool dropout;
  double deviation;  ///< of the convolution's first weights; those of the cccp have 0.05
};

struct NinForm {
  std::vector<MlpConv> layers;
  double last_deviation;  ///< of the first weights of the cccp that gives the classes
};

struct NetworkInNetwork : StagedNetwork {
  int64_t channels;
  int cccps = 0;
  std::vector<size_t> ends = {0};  ///< where each stage ends: behind its pooling
  Sequential features, classifier;

  NetworkInNetwork(const Settings& to, const NinForm& form)
      : channels(to.image.channels),
        features(register_module("features", mlpconvs(form))),
        classifier(register_module("classifier", Sequential())) {
    push_convolution(classifier, "cccp", ++cccps, Conv2dOptions(channels, to.classes, 1),
                     form.last_deviation);
    classifier->push_back("pool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})));
  }

  std::vector<Stage> stages() override {
    std::vector<Stage> all;
    for (size_t stage = 0; stage + 1 < ends.size(); ++stage) {
      const size_t begin = ends[stage], end = ends[stage + 1];
      all.push_back({"mlpconv" + std::to_string(stage + 1),
                     [=](torch::Tensor x) { return forward_part(features, begin, end, x); }});
    }
    all.push_back({"head", [this](torch::Tensor x) { return classifier->forward(x).flatten(1); }});
    return all;
  }

  Sequential mlpconvs(const NinForm& form) {
    Sequential all;
    for (size_t layer = 0; layer < form.layers.size(); ++layer) {
      const MlpConv& row = form.layers[layer];
      const int number = static_cast<int>(layer) + 1;
      push_convolution(
          all, "conv", number,
          Conv2dOptions(channels, row.channels, row.kernel).stride(row.stride).padding(row.padding),
          row.deviation);
      channels = row.channels;
      for (const int64_t out : row.cccp) {
        push_convolution(all, "cccp", ++cccps, Conv2dOptions(channels, out, 1), 0.05);
        channels = out;
      }
      if (row.behind != Behind::nothing) {
        all->push_back("pool" + std::to_string(number), pooling(row.behind));
      }
      if (row.dropout) all->push_back("drop" + std::to_string(number), Dropout(0.5));
      ends.push_back(all->size());
    }
    return all;
  }

  static void push_convolution(Sequential& layers, const std::string& name, int number,
                               const Conv2dOptions& options, double deviation) {
    Conv2d convolution(options);
    init::normal_(convolution->weight, 0, deviation);
    init::zeros_(convolution->bias);
    const std::string at = std::to_string(number);
    layers->push_back(name + at, convolution);
    layers->push_back("relu_" + name + at, in_place_relu());
  }
};

}  // namespace

std::vector<Architecture> families::nin() {
  const std::string paper = "Lin et al. 2013", variant = "the authors' Caffe model";
  const auto max = Behind::max_pool, average = Behind::average_pool, none = Behind::nothing;
  const NinForm for_imagenet = {{
                                    {96, 11, 4, 0, {96, 96}, max, false, 0.01},
                                    {256, 5, 1, 2, {256, 256}, max, false, 0.05},
                                    {384, 3, 1, 1, {384, 384}, max, true, 0.01},
                                    {1024, 3, 1, 1, {1024}, none, false, 0.05},
                                },
                                0.01};
  const NinForm for_cifar = {{
                                 {192, 5, 1, 2, {160, 96}, max, true, 0.05},
                                 {192, 5, 1, 2, {192, 192}, average, true, 0.05},
                                 {192, 3, 1, 1, {192}, none, false, 0.05},
                             },
                             0.05};
  return {
      {"nin",
       2013,
       paper,
       variant,
       imagenet,
       build<NetworkInNetwork>(for_imagenet),
       {"ImageNet-1K", 59.36, "the authors' Caffe model"}},
      {"nin_cifar10",
       2013,
       paper,
       variant,
       {{3, 32, 32}, 10, 0},
       build<NetworkInNetwork>(for_cifar),
       {"CIFAR-10", 89.6, "the authors' Caffe model"}},
  };
}

}  // namespace convscope

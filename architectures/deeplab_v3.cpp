// DeepLab v3: which class each pixel belongs to. A ResNet whose last layers dilate instead of
// halving the image, and convolutions of several dilations side by side on what it computes.
// Chen, Papandreou, Schroff, Adam, "Rethinking atrous convolution for semantic image segmentation",
// 2017.
#include <array>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"
#include "architectures/resnet.h"

namespace convscope {
namespace {

using namespace torch::nn;

constexpr int64_t pyramid_channels = 256;

void push_conv_norm_relu(SequentialImpl& layers, Conv2dOptions convolution) {
  layers.push_back(Conv2d(convolution.bias(false)));
  layers.push_back(BatchNorm2d(convolution.out_channels()));
  layers.push_back(ReLU());
}

Conv2dOptions dilated(int64_t in, int64_t out, int64_t dilation) {
  return Conv2dOptions(in, out, 3).padding(dilation).dilation(dilation);
}

torch::Tensor resized(const torch::Tensor& maps, torch::IntArrayRef size) {
  return torch::upsample_bilinear2d(maps, size, /*align_corners=*/false);
}

/// Atrous spatial pyramid pooling: each position and the average of all, seen at several distances.
struct DilatedPyramid : Module {
  ModuleList convs;
  Sequential project;

  DilatedPyramid(int64_t in, const std::array<int64_t, 3>& rates)
      : convs(register_module("convs", ModuleList())),
        project(register_module("project", Sequential())) {
    add_branch(Conv2dOptions(in, pyramid_channels, 1));
    for (const int64_t rate : rates) add_branch(dilated(in, pyramid_channels, rate));
    Sequential average(AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})));
    push_conv_norm_relu(*average, Conv2dOptions(in, pyramid_channels, 1));
    convs->push_back(average);
    const int64_t joined = pyramid_channels * static_cast<int64_t>(convs->size());
    push_conv_norm_relu(*project, Conv2dOptions(joined, pyramid_channels, 1));
    project->push_back(Dropout(0.5));
  }

  void add_branch(const Conv2dOptions& convolution) {
    Sequential branch;
    push_conv_norm_relu(*branch, convolution);
    convs->push_back(branch);
  }

  torch::Tensor forward(const torch::Tensor& x) {
    std::vector<torch::Tensor> seen;
    for (const auto& branch : *convs) seen.push_back(branch->as<Sequential>()->forward(x));
    seen.back() = resized(seen.back(), x.sizes().slice(2));
    return project->forward(torch::cat(seen, 1));
  }
};

struct Backbone : Module {
  ResNetBody body;

  Backbone(int64_t image_channels, int64_t output_stride)
      : body(*this, image_channels, resnet50_form(output_stride)) {
    he_normal_convolutions_(*this);
  }

  static ResNetForm resnet50_form(int64_t output_stride) {
    ResNetForm form{ResNetBlock::bottleneck, {3, 4, 6, 3}};
    form.output_stride = output_stride;
    return form;
  }
};

struct DeepLabV3 : StagedNetwork {
  std::shared_ptr<Backbone> backbone;
  Sequential classifier, aux_classifier{nullptr};
  std::array<int64_t, 2>
      image_size{};  ///< of the images of this pass, to which answers are enlarged

  DeepLabV3(const Settings& to, int64_t output_stride, const std::array<int64_t, 3>& rates)
      : backbone(register_module("backbone",
                                 std::make_shared<Backbone>(to.image.channels, output_stride))),
        classifier(register_module("classifier", Sequential())) {
    const int64_t channels = backbone->body.channels;
    classifier->push_back(DilatedPyramid(channels, rates));
    push_conv_norm_relu(*classifier, dilated(pyramid_channels, pyramid_channels, 1));
    classifier->push_back(Conv2d(pyramid_channels, to.classes, 1));
    if (!to.auxiliary) return;
    const int64_t below = channels / 2;
    aux_classifier = register_module("aux_classifier", Sequential());
    push_conv_norm_relu(*aux_classifier, dilated(below, below / 4, 1));
    aux_classifier->push_back(Dropout(0.1));
    aux_classifier->push_back(Conv2d(below / 4, to.classes, 1));
  }

  std::vector<Stage> stages() override {
    return {{"stem",
             [this](const torch::Tensor& x) {
               image_size = {x.size(2), x.size(3)};
               return backbone->body.stem(x);
             }},
            {"layer1", [this](torch::Tensor x) { return backbone->body.layer1->forward(x); }},
            {"layer2", [this](torch::Tensor x) { return backbone->body.layer2->forward(x); }},
            {"layer3",
             [this](torch::Tensor x) {
               x = backbone->body.layer3->forward(x);
               // torchvision's weight of it, in its reference training of segmentation.
               if (is_training() && !aux_classifier.is_empty()) {
                 auxiliary.push_back({resized(aux_classifier->forward(x), image_size), 0.5});
               }
               return x;
             }},
            {"layer4", [this](torch::Tensor x) { return backbone->body.layer4->forward(x); }},
            {"pyramid", [this](torch::Tensor x) { return forward_part(classifier, 0, 4, x); }},
            {"head", [this](torch::Tensor x) {
               return resized(forward_part(classifier, 4, 5, x), image_size);
             }}};
  }
};

}  // namespace

std::vector<Architecture> families::deeplab_v3() {
  const std::string paper = "Chen et al. 2017";
  // Pascal VOC's 20 classes and the background; images as torchvision resizes them for its weights
  // (the paper trains on 513x513).
  const Settings voc = {{3, 520, 520}, 21, 0};
  // The paper's section 3.3: rates double with the resolution.
  const std::array<int64_t, 3> rates = {6, 12, 18}, doubled = {12, 24, 36};
  return {
      {"deeplabv3_resnet50",
       2017,
       paper,
       "torchvision: output stride 8",
       voc,
       build<DeepLabV3>(8, doubled),
       {},
       /*dense=*/true},
      {"deeplabv3_resnet50_os16",
       2017,
       paper,
       "output stride 16",
       voc,
       build<DeepLabV3>(16, rates),
       {},
       /*dense=*/true},
  };
}

}  // namespace convscope

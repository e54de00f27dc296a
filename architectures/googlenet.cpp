// GoogLeNet: Inception modules, which see 1x1, 3x3, 5x5 and pooled neighbourhoods side by side, and
// 1x1 convolutions before them, which make that affordable.
// Szegedy et al., "Going deeper with convolutions", 2014.
#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// What the two published forms disagree about.
struct Edition {
  bool normalised;       ///< batch normalisation, not biases and local response normalisation
  int64_t third_branch;  ///< its kernel: torchvision's weights keep a mistake (pytorch/vision#906)
  int64_t last_pool;
  double dropout;
};
constexpr Edition of_2014 = {false, 5, 3, 0.4}, of_torchvision = {true, 3, 2, 0.2};

/// A row of the paper's Table 1.
struct InceptionWidths {
  int64_t branch_1x1, reduce_3x3, branch_3x3, reduce_5x5, branch_5x5, pool_projection;
};

struct Inception : Module {
  std::shared_ptr<ConvNormRelu> branch1;
  Sequential branch2, branch3, branch4;

  Inception(int64_t in, InceptionWidths out, Edition edition)
      : branch1(register_module("branch1", layer(in, out.branch_1x1, 1, edition))),
        branch2(register_module("branch2",
                                Sequential(layer(in, out.reduce_3x3, 1, edition),
                                           layer(out.reduce_3x3, out.branch_3x3, 3, edition)))),
        branch3(register_module("branch3", Sequential(layer(in, out.reduce_5x5, 1, edition),
                                                      layer(out.reduce_5x5, out.branch_5x5,
                                                            edition.third_branch, edition)))),
        branch4(register_module(
            "branch4",
            Sequential(MaxPool2d(MaxPool2dOptions(3).stride(1).padding(1).ceil_mode(true)),
                       layer(in, out.pool_projection, 1, edition)))) {}

  torch::Tensor forward(const torch::Tensor& x) {
    return torch::cat(
        {branch1->forward(x), branch2->forward(x), branch3->forward(x), branch4->forward(x)}, 1);
  }

  static std::shared_ptr<ConvNormRelu> layer(int64_t in, int64_t out, int64_t kernel,
                                             Edition edition) {
    return std::make_shared<ConvNormRelu>(Conv2dOptions(in, out, kernel).padding(kernel / 2),
                                          edition.normalised);
  }
};

/// A classifier half way up, so that the lower layers hear of the loss.
struct GoogLeNetHead : Module {
  bool adaptive;
  std::shared_ptr<ConvNormRelu> conv;
  Linear fc1, fc2;
  Dropout dropout;

  GoogLeNetHead(int64_t in, const Settings& to, Edition edition)
      : adaptive(edition.normalised),
        conv(register_module("conv", Inception::layer(in, 128, 1, edition))),
        fc1(register_module("fc1",
                            Linear(128 * side(to.image.height) * side(to.image.width), 1024))),
        fc2(register_module("fc2", Linear(1024, to.classes))),
        dropout(register_module("dropout", Dropout(0.7))) {}

  torch::Tensor forward(torch::Tensor x) {
    x = adaptive ? torch::adaptive_avg_pool2d(x, {4, 4}) : torch::avg_pool2d(x, 5, 3);
    x = conv->forward(x).flatten(1);
    return fc2(dropout(fc1(x).relu_()));
  }

  int64_t side(int64_t pixels) const {
    // A pooling of 3 by 2 that rounds up leaves as much as one of 2 by 2 that rounds down.
    return adaptive ? 4 : side_after({{7, 2, 3}, {2, 2}, {2, 2}, {2, 2}, {5, 3}}, pixels);
  }
};

struct GoogLeNet : StagedNetwork {
  Edition edition;
  int64_t channels = 192;
  std::shared_ptr<ConvNormRelu> conv1;
  MaxPool2d maxpool1;
  LocalResponseNorm norm1;
  std::shared_ptr<ConvNormRelu> conv2, conv3;
  LocalResponseNorm norm2;
  MaxPool2d maxpool2;
  std::shared_ptr<Inception> inception3a, inception3b;
  MaxPool2d maxpool3;
  std::shared_ptr<Inception> inception4a, inception4b, inception4c, inception4d, inception4e;
  MaxPool2d maxpool4;
  std::shared_ptr<Inception> inception5a, inception5b;
  std::shared_ptr<GoogLeNetHead> aux1, aux2;
  AdaptiveAvgPool2d avgpool;
  Dropout dropout;
  Linear fc;

  GoogLeNet(const Settings& to, Edition form)
      : edition(form),
        conv1(register_module(
            "conv1",
            std::make_shared<ConvNormRelu>(
                Conv2dOptions(to.image.channels, 64, 7).stride(2).padding(3), form.normalised))),
        maxpool1(register_module("maxpool1", halving_pool(3))),
        norm1(form.normalised ? nullptr : register_module("norm1", local_response_norm())),
        conv2(register_module("conv2", Inception::layer(64, 64, 1, form))),
        conv3(register_module("conv3", Inception::layer(64, 192, 3, form))),
        norm2(form.normalised ? nullptr : register_module("norm2", local_response_norm())),
        maxpool2(register_module("maxpool2", halving_pool(3))),
        inception3a(register_module("inception3a", inception({64, 96, 128, 16, 32, 32}))),
        inception3b(register_module("inception3b", inception({128, 128, 192, 32, 96, 64}))),
        maxpool3(register_module("maxpool3", halving_pool(3))),
        inception4a(register_module("inception4a", inception({192, 96, 208, 16, 48, 64}))),
        inception4b(register_module("inception4b", inception({160, 112, 224, 24, 64, 64}))),
        inception4c(register_module("inception4c", inception({128, 128, 256, 24, 64, 64}))),
        inception4d(register_module("inception4d", inception({112, 144, 288, 32, 64, 64}))),
        inception4e(register_module("inception4e", inception({256, 160, 320, 32, 128, 128}))),
        maxpool4(register_module("maxpool4", halving_pool(form.last_pool))),
        inception5a(register_module("inception5a", inception({256, 160, 320, 32, 128, 128}))),
        inception5b(register_module("inception5b", inception({384, 192, 384, 48, 128, 128}))),
        aux1(to.auxiliary ? register_module("aux1", std::make_shared<GoogLeNetHead>(512, to, form))
                          : nullptr),
        aux2(to.auxiliary ? register_module("aux2", std::make_shared<GoogLeNetHead>(528, to, form))
                          : nullptr),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        dropout(register_module("dropout", Dropout(form.dropout))),
        fc(register_module("fc", Linear(channels, to.classes))) {
    if (form.normalised) {
      normal_weights_(*this, 0.01);
      return;
    }
    if (to.auxiliary) check_image("googlenet_2014 with auxiliary heads", to.image, 79);
    initialise_as_in_caffe();
  }

  std::vector<Stage> stages() override {
    return {{"stem", [this](torch::Tensor x) { return stem(x); }},
            {"inception3",
             [this](torch::Tensor x) {
               return maxpool3(inception3b->forward(inception3a->forward(x)));
             }},
            {"inception4", [this](torch::Tensor x) { return inception4(x); }},
            {"inception5",
             [this](torch::Tensor x) {
               return avgpool(inception5b->forward(inception5a->forward(x))).flatten(1);
             }},
            {"head", [this](torch::Tensor x) { return fc(dropout(x)); }}};
  }

  torch::Tensor stem(torch::Tensor x) {
    x = maxpool1(conv1->forward(x));
    if (norm1) x = norm1(x);
    x = conv3->forward(conv2->forward(x));
    if (norm2) x = norm2(x);
    return maxpool2(x);
  }

  torch::Tensor inception4(torch::Tensor x) {
    x = inception4a->forward(x);
    if (aux1 && is_training()) auxiliary.push_back({aux1->forward(x), 0.3});
    x = inception4b->forward(x);
    x = inception4c->forward(x);
    x = inception4d->forward(x);
    if (aux2 && is_training()) auxiliary.push_back({aux2->forward(x), 0.3});
    return maxpool4(inception4e->forward(x));
  }

  static MaxPool2d halving_pool(int64_t kernel) {
    return MaxPool2d(MaxPool2dOptions(kernel).stride(2).ceil_mode(true));
  }

  std::shared_ptr<Inception> inception(InceptionWidths out) {
    const int64_t in = channels;
    channels = out.branch_1x1 + out.branch_3x3 + out.branch_5x5 + out.pool_projection;
    return std::make_shared<Inception>(in, out, edition);
  }

  /// The paper does not say how it began. BVLC's reproduction: uniform of variance 1 / inputs,
  /// biases 0.2, those of the classifiers 0.
  void initialise_as_in_caffe() {
    for (const auto& parameter : parameters()) {
      if (parameter.dim() == 1) init::constant_(parameter, 0.2);
      if (parameter.dim() > 1) init::kaiming_uniform_(parameter, 0, torch::kFanIn, torch::kLinear);
    }
    init::zeros_(fc->bias);
    for (const auto& head : {aux1, aux2}) {
      if (head) init::zeros_(head->fc2->bias);
    }
  }
};

}  // namespace

std::vector<Architecture> families::googlenet() {
  const std::string paper = "Szegedy et al. 2014";
  return {
      {"googlenet_2014",
       2014,
       paper,
       "paper: 5x5 branches, local response normalisation",
       imagenet,
       build<GoogLeNet>(of_2014),
       {"ImageNet-1K", 68.7, "Caffe model zoo, bvlc_googlenet"}},
      {"googlenet", 2014, paper, "torchvision: batch normalisation, 3x3 for 5x5", imagenet,
       build<GoogLeNet>(of_torchvision)},
  };
}

}  // namespace convscope

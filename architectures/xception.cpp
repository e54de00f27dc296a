// Xception: Inception's idea at its extreme. Every convolution but the first two looks at each
// channel alone and then at each pixel alone, with no activation between; shortcuts as in ResNet.
// Chollet, "Xception: deep learning with depthwise separable convolutions", 2016.
// Names are those of the PyTorch port whose weights are in use (Cadene's pretrained-models.pytorch,
// timm's legacy_xception). Pooling pads by 1 on all sides, as there, where TensorFlow pads an even
// image on one side only: the sizes are the same, and shortcuts stay where they were.
#include <string>
#include <vector>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

struct SeparableConv : Module {
  Conv2d conv1, pointwise;

  SeparableConv(int64_t in, int64_t out)
      : conv1(register_module("conv1",
                              Conv2d(Conv2dOptions(in, in, 3).padding(1).groups(in).bias(false)))),
        pointwise(register_module("pointwise", Conv2d(Conv2dOptions(in, out, 1).bias(false)))) {}

  torch::Tensor forward(const torch::Tensor& x) { return pointwise(conv1(x)); }
};

/// A box of the paper's Figure 5.
struct XceptionRow {
  int64_t in, stride;
  std::vector<int64_t> channels;  ///< what each separable convolution gives
  bool activated = false;         ///< already: begins without an activation
};

struct XceptionBlock : Module {
  Conv2d skip{nullptr};
  BatchNorm2d skipbn{nullptr};
  Sequential rep;

  explicit XceptionBlock(const XceptionRow& row) {
    const int64_t out = row.channels.back();
    if (row.stride != 1 || row.in != out) {
      skip = register_module("skip",
                             Conv2d(Conv2dOptions(row.in, out, 1).stride(row.stride).bias(false)));
      skipbn = register_module("skipbn", BatchNorm2d(out));
    }
    rep = register_module("rep", Sequential());
    int64_t in = row.in;
    for (const int64_t wide : row.channels) {
      // The first one's input is the shortcut's, too.
      if (!rep->is_empty()) {
        rep->push_back(in_place_relu());
      } else if (!row.activated) {
        rep->push_back(ReLU());
      }
      rep->push_back(SeparableConv(in, wide));
      rep->push_back(BatchNorm2d(wide));
      in = wide;
    }
    if (row.stride != 1) {
      rep->push_back(MaxPool2d(MaxPool2dOptions(3).stride(row.stride).padding(1)));
    }
  }

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = rep->forward(x);
    return y += skip.is_empty() ? x : skipbn(skip(x));
  }
};

const std::vector<XceptionRow>& xception_rows() {
  static const std::vector<XceptionRow> rows = [] {
    std::vector<XceptionRow> all = {{64, 2, {128, 128}, true}, {128, 2, {256, 256}}};
    all.push_back({256, 2, {728, 728}});
    for (int block = 0; block < 8; ++block) all.push_back({728, 1, {728, 728, 728}});
    all.push_back({728, 2, {728, 1024}});
    return all;
  }();
  return rows;
}

struct Xception : StagedNetwork {
  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  std::vector<std::shared_ptr<XceptionBlock>> blocks;
  std::shared_ptr<SeparableConv> conv3;
  BatchNorm2d bn3{nullptr};
  std::shared_ptr<SeparableConv> conv4;
  BatchNorm2d bn4{nullptr};
  Linear fc{nullptr};

  explicit Xception(const Settings& to)
      : conv1(register_module(
            "conv1", Conv2d(Conv2dOptions(to.image.channels, 32, 3).stride(2).bias(false)))),
        bn1(register_module("bn1", BatchNorm2d(32))),
        conv2(register_module("conv2", Conv2d(Conv2dOptions(32, 64, 3).bias(false)))),
        bn2(register_module("bn2", BatchNorm2d(64))) {
    for (const XceptionRow& row : xception_rows()) {
      blocks.push_back(register_module("block" + std::to_string(blocks.size() + 1),
                                       std::make_shared<XceptionBlock>(row)));
    }
    conv3 = register_module("conv3", std::make_shared<SeparableConv>(1024, 1536));
    bn3 = register_module("bn3", BatchNorm2d(1536));
    conv4 = register_module("conv4", std::make_shared<SeparableConv>(1536, 2048));
    bn4 = register_module("bn4", BatchNorm2d(2048));
    fc = register_module("fc", Linear(2048, to.classes));
    // Keras's default, which the author's model there has.
    for (const auto& module : modules(/*include_self=*/false)) {
      if (auto* convolution = module->as<Conv2d>()) init::xavier_uniform_(convolution->weight);
    }
    init::xavier_uniform_(fc->weight);
    init::zeros_(fc->bias);
  }

  std::vector<Stage> stages() override {
    return {{"stem", [this](torch::Tensor x) { return bn2(conv2(bn1(conv1(x)).relu_())).relu_(); }},
            {"entry", [this](torch::Tensor x) { return through(0, 3, x); }},
            {"middle", [this](torch::Tensor x) { return through(3, 11, x); }},
            {"exit",
             [this](torch::Tensor x) {
               x = bn3(conv3->forward(through(11, 12, x))).relu_();
               x = bn4(conv4->forward(x)).relu_();
               return torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1);
             }},
            {"head", [this](torch::Tensor x) { return fc(x); }}};
  }

  torch::Tensor through(size_t begin, size_t end, torch::Tensor x) {
    for (size_t block = begin; block < end; ++block) x = blocks[block]->forward(x);
    return x;
  }
};

}  // namespace

std::vector<Architecture> families::xception() {
  return {
      {"xception",
       2016,
       "Chollet 2016",
       "the PyTorch port",
       {{3, 299, 299}, 1000, 0},
       build<Xception>(),
       {"ImageNet-1K", 79.0, "Chollet 2016, table 1"}},
  };
}

}  // namespace convscope

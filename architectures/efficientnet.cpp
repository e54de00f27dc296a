// EfficientNet: a network found by search, and larger ones made of it by scaling depth, width and
// resolution together. Tan, Le, "EfficientNet: rethinking model scaling for convolutional neural
// networks", 2019.
#include "architectures/efficientnet.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <utility>

#include "architectures/families.h"

namespace convscope {

using namespace torch::nn;

std::shared_ptr<Chain> EfficientNetPath::convolution(Conv2dOptions options) const {
  return conv_norm_act(std::move(options), AnyModule(SiLU()), norm_eps, norm_momentum);
}

std::shared_ptr<Chain> EfficientNetPath::projection() const {
  return conv_norm_act(Conv2dOptions(in * expansion, out, 1), {}, norm_eps, norm_momentum);
}

void mbconv(Sequential& path, const EfficientNetPath& shape) {
  const int64_t wide = shape.in * shape.expansion;
  if (wide != shape.in) path->push_back(shape.convolution(Conv2dOptions(shape.in, wide, 1)));
  path->push_back(
      shape.convolution(Conv2dOptions(wide, wide, shape.kernel).stride(shape.stride).groups(wide)));
  // A quarter of what comes in, not of what is squeezed as in MobileNet V3.
  const int64_t squeezed = std::max<int64_t>(1, shape.in / 4);
  path->push_back(SqueezeExcitation(wide, squeezed, AnyModule(SiLU()), AnyModule(Sigmoid())));
  path->push_back(shape.projection());
}

namespace {

struct EfficientNetBlock : Module {
  bool has_shortcut;
  Sequential block;
  std::shared_ptr<StochasticDepth> stochastic_depth;

  EfficientNetBlock(EfficientNetBlockKind kind, const EfficientNetPath& shape, double left_out)
      : has_shortcut(shape.stride == 1 && shape.in == shape.out),
        block(register_module("block", Sequential())),
        stochastic_depth(
            register_module("stochastic_depth", std::make_shared<StochasticDepth>(left_out))) {
    kind(block, shape);
  }

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = block->forward(x);
    if (!has_shortcut) return y;
    y = stochastic_depth->forward(y);
    return y += x;
  }
};

}  // namespace

EfficientNet::EfficientNet(const Settings& to, const EfficientNetForm& form)
    : features(register_module("features", Sequential())),
      avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
      classifier(register_module("classifier",
                                 Sequential(Dropout(DropoutOptions(form.dropout).inplace(true)),
                                            Linear(form.last, to.classes)))) {
  EfficientNetPath shape{0, form.first, 1, 3, 1, form.norm_eps, form.norm_momentum};
  features->push_back(shape.convolution(Conv2dOptions(to.image.channels, form.first, 3).stride(2)));
  double blocks = 0, block = 0;
  for (const EfficientNetRow& row : form.rows) blocks += static_cast<double>(row.blocks);
  for (const EfficientNetRow& row : form.rows) {
    shape.expansion = row.expansion;
    shape.kernel = row.kernel;
    shape.stride = row.stride;
    const auto stage = std::make_shared<Chain>();
    for (int64_t i = 0; i < row.blocks; ++i, ++block) {
      shape.in = std::exchange(shape.out, row.channels);
      constexpr double most = 0.2;
      stage->push_back(EfficientNetBlock(row.kind, shape, most * block / blocks));
      shape.stride = 1;
    }
    features->push_back(stage);
  }
  features->push_back(shape.convolution(Conv2dOptions(shape.out, form.last, 1)));
  he_normal_convolutions_(*this);
  uniform_linears_(*this, 1 / std::sqrt(static_cast<double>(to.classes)));
}

std::vector<Stage> EfficientNet::stages() {
  std::vector<Stage> all;
  const size_t rows = features->size() - 2;
  all.push_back({"stem", [this](torch::Tensor x) { return forward_part(features, 0, 1, x); }});
  for (size_t row = 1; row < rows; ++row) {
    all.push_back({"stage" + std::to_string(row),
                   [=](torch::Tensor x) { return forward_part(features, row, row + 1, x); }});
  }
  all.push_back({"stage" + std::to_string(rows), [=](torch::Tensor x) {
                   return avgpool(forward_part(features, rows, rows + 2, x)).flatten(1);
                 }});
  all.push_back({"head", [this](torch::Tensor x) { return classifier->forward(x); }});
  return all;
}

CompoundScale compound_scale(double phi) {
  return {std::pow(1.2, phi), std::pow(1.1, phi), std::pow(1.15, phi)};
}

namespace {

EfficientNetForm scaled_form(EfficientNetForm form, double depth, double width) {
  const auto wider = [=](int64_t channels) {
    return make_divisible(static_cast<double>(channels) * width);
  };
  form.first = wider(form.first);
  for (EfficientNetRow& row : form.rows) {
    row.channels = wider(row.channels);
    row.blocks = static_cast<int64_t>(std::ceil(static_cast<double>(row.blocks) * depth));
  }
  form.last = 4 * form.rows.back().channels;
  return form;
}

struct ScaledEfficientNet : EfficientNet {
  ScaledEfficientNet(const Settings& to, const EfficientNetForm& form, double depth)
      : EfficientNet(to, scaled_form(form, depth, to.width)) {
    check_width("efficientnet", to.width);
  }
};

/// The authors' coefficients, from their program: the paper prints none. They are rounded, and so
/// is phi, which they do not give: it is the one that fits best, and none fits well, for from B4 on
/// the published depth grows more slowly than the rule (github.com/tensorflow/tpu, issue 390).
struct PublishedScale {
  const char* name;
  double phi, depth, width;
  int64_t side;
  double dropout;
  double top1;  ///< as the paper states it, at its own size
};
constexpr PublishedScale published_scales[] = {
    {"efficientnet_b0", 0, 1.0, 1.0, 224, 0.2, 77.1},
    {"efficientnet_b1", 0.5, 1.1, 1.0, 240, 0.2, 79.1},
    {"efficientnet_b2", 1, 1.2, 1.1, 260, 0.3, 80.1},
    {"efficientnet_b3", 2, 1.4, 1.2, 300, 0.3, 81.6},
    {"efficientnet_b4", 3.5, 1.8, 1.4, 380, 0.4, 82.9},
    {"efficientnet_b5", 5, 2.2, 1.6, 456, 0.4, 83.6},
    {"efficientnet_b6", 6, 2.6, 1.8, 528, 0.5, 84.0},
    {"efficientnet_b7", 7, 3.1, 2.0, 600, 0.5, 84.3},
};

std::string variant_of(const PublishedScale& published) {
  if (published.phi == 0) return "torchvision";
  const CompoundScale rule = compound_scale(published.phi);
  std::ostringstream text;
  text << std::setprecision(3) << "torchvision: depth x " << published.depth << ", width x "
       << published.width << "; phi " << published.phi << " is " << rule.depth << ", " << rule.width
       << " and " << std::round(224 * rule.resolution) << " pixels";
  return text.str();
}

Architecture architecture_of(const PublishedScale& published) {
  // torchvision's larger ones are from TensorFlow, whose normalisation has other constants.
  const bool from_tensorflow = published.side >= 456;
  const EfficientNetForm table_1 = {32,
                                    {{mbconv, 1, 3, 1, 16, 1},
                                     {mbconv, 6, 3, 2, 24, 2},
                                     {mbconv, 6, 5, 2, 40, 2},
                                     {mbconv, 6, 3, 2, 80, 3},
                                     {mbconv, 6, 5, 1, 112, 3},
                                     {mbconv, 6, 5, 2, 192, 4},
                                     {mbconv, 6, 3, 1, 320, 1}},
                                    1280,
                                    published.dropout,
                                    from_tensorflow ? 1e-3 : 1e-5,
                                    from_tensorflow ? 0.01 : 0.1};
  return {published.name,
          2019,
          "Tan and Le 2019",
          variant_of(published),
          {{3, published.side, published.side}, 1000, published.width},
          build<ScaledEfficientNet>(table_1, published.depth),
          {"ImageNet-1K", published.top1, "Tan and Le 2019, table 2"}};
}

}  // namespace

std::vector<Architecture> families::efficientnet() {
  std::vector<Architecture> all;
  for (const PublishedScale& published : published_scales)
    all.push_back(architecture_of(published));
  return all;
}

}  // namespace convscope

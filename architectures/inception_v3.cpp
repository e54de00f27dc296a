// Inception v3: large kernels taken apart into chains of small and of one-dimensional ones.
// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for computer
// vision", 2015.
#include <array>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// A convolution of a branch. With stride 1 its padding keeps the size, else it has none.
struct Step {
  std::string name;
  int64_t channels;
  std::array<int64_t, 2> kernel = {1, 1};
  int64_t stride = 1;
};

enum class BranchPool { none, average, max };

/// One path through a module: maybe pooling, a chain of convolutions, and maybe several that all
/// take what the chain made.
struct Branch {
  BranchPool pool;
  std::vector<Step> chain;
  std::vector<Step> ends = {};
};

using Branches = std::vector<Branch>;

/// The paper's Fig. 5.
Branches figure_5(int64_t pool_channels) {
  return {
      {BranchPool::none, {{"branch1x1", 64}}},
      {BranchPool::none, {{"branch5x5_1", 48}, {"branch5x5_2", 64, {5, 5}}}},
      {BranchPool::none,
       {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, {3, 3}}, {"branch3x3dbl_3", 96, {3, 3}}}},
      {BranchPool::average, {{"branch_pool", pool_channels}}},
  };
}

/// Fig. 10, from 35x35 to 17x17.
Branches figure_10() {
  return {
      {BranchPool::none, {{"branch3x3", 384, {3, 3}, 2}}},
      {BranchPool::none,
       {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, {3, 3}}, {"branch3x3dbl_3", 96, {3, 3}, 2}}},
      {BranchPool::max, {}},
  };
}

/// Fig. 6.
Branches figure_6(int64_t channels) {
  return {
      {BranchPool::none, {{"branch1x1", 192}}},
      {BranchPool::none,
       {{"branch7x7_1", channels},
        {"branch7x7_2", channels, {1, 7}},
        {"branch7x7_3", 192, {7, 1}}}},
      {BranchPool::none,
       {{"branch7x7dbl_1", channels},
        {"branch7x7dbl_2", channels, {7, 1}},
        {"branch7x7dbl_3", channels, {1, 7}},
        {"branch7x7dbl_4", channels, {7, 1}},
        {"branch7x7dbl_5", 192, {1, 7}}}},
      {BranchPool::average, {{"branch_pool", 192}}},
  };
}

/// From 17x17 to 8x8: not drawn in the paper.
Branches second_reduction() {
  return {
      {BranchPool::none, {{"branch3x3_1", 192}, {"branch3x3_2", 320, {3, 3}, 2}}},
      {BranchPool::none,
       {{"branch7x7x3_1", 192},
        {"branch7x7x3_2", 192, {1, 7}},
        {"branch7x7x3_3", 192, {7, 1}},
        {"branch7x7x3_4", 192, {3, 3}, 2}}},
      {BranchPool::max, {}},
  };
}

/// Fig. 7.
Branches figure_7() {
  return {
      {BranchPool::none, {{"branch1x1", 320}}},
      {BranchPool::none,
       {{"branch3x3_1", 384}},
       {{"branch3x3_2a", 384, {1, 3}}, {"branch3x3_2b", 384, {3, 1}}}},
      {BranchPool::none,
       {{"branch3x3dbl_1", 448}, {"branch3x3dbl_2", 384, {3, 3}}},
       {{"branch3x3dbl_3a", 384, {1, 3}}, {"branch3x3dbl_3b", 384, {3, 1}}}},
      {BranchPool::average, {{"branch_pool", 192}}},
  };
}

struct Mixed : Module {
  struct Path {
    BranchPool pool;
    std::vector<std::shared_ptr<ConvNormRelu>> chain = {}, ends = {};
  };
  std::vector<Path> paths;

  Mixed(int64_t in, const Branches& branches) {
    for (const Branch& branch : branches) {
      Path path{branch.pool};
      int64_t channels = in;
      for (const Step& step : branch.chain) {
        path.chain.push_back(add(channels, step));
        channels = step.channels;
      }
      for (const Step& step : branch.ends) path.ends.push_back(add(channels, step));
      paths.push_back(path);
    }
  }

  torch::Tensor forward(const torch::Tensor& x) {
    std::vector<torch::Tensor> out;
    for (const Path& path : paths) {
      torch::Tensor y = pool(path.pool, x);
      for (const auto& conv : path.chain) y = conv->forward(y);
      for (const auto& conv : path.ends) out.push_back(conv->forward(y));
      if (path.ends.empty()) out.push_back(y);
    }
    return torch::cat(out, 1);
  }

  std::shared_ptr<ConvNormRelu> add(int64_t in, const Step& step) {
    auto options = Conv2dOptions(in, step.channels, step.kernel).stride(step.stride);
    if (step.stride == 1) options.padding({step.kernel[0] / 2, step.kernel[1] / 2});
    return register_module(step.name, std::make_shared<ConvNormRelu>(options));
  }

  static torch::Tensor pool(BranchPool kind, const torch::Tensor& x) {
    switch (kind) {
      case BranchPool::average:
        return torch::avg_pool2d(x, 3, 1, 1);
      case BranchPool::max:
        return torch::max_pool2d(x, 3, 2);
      default:
        return x;
    }
  }
};

struct InceptionV3Head : Module {
  std::shared_ptr<ConvNormRelu> conv0, conv1;
  Linear fc;

  InceptionV3Head(int64_t in, int64_t classes)
      : conv0(register_module("conv0", std::make_shared<ConvNormRelu>(Conv2dOptions(in, 128, 1)))),
        conv1(register_module("conv1", std::make_shared<ConvNormRelu>(Conv2dOptions(128, 768, 5)))),
        fc(register_module("fc", Linear(768, classes))) {}

  torch::Tensor forward(torch::Tensor x) {
    x = torch::avg_pool2d(x, 5, 3);
    x = conv1->forward(conv0->forward(x));
    return fc(torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
  }
};

struct InceptionV3 : StagedNetwork {
  std::shared_ptr<ConvNormRelu> conv_1a, conv_2a, conv_2b;
  MaxPool2d maxpool1;
  std::shared_ptr<ConvNormRelu> conv_3b, conv_4a;
  MaxPool2d maxpool2;
  std::shared_ptr<Mixed> mixed_5b, mixed_5c, mixed_5d;
  std::shared_ptr<Mixed> mixed_6a, mixed_6b, mixed_6c, mixed_6d, mixed_6e;
  std::shared_ptr<InceptionV3Head> head;
  std::shared_ptr<Mixed> mixed_7a, mixed_7b, mixed_7c;
  AdaptiveAvgPool2d avgpool;
  Dropout dropout;
  Linear fc;

  explicit InceptionV3(const Settings& to)
      : conv_1a(add("Conv2d_1a_3x3", Conv2dOptions(to.image.channels, 32, 3).stride(2))),
        conv_2a(add("Conv2d_2a_3x3", Conv2dOptions(32, 32, 3))),
        conv_2b(add("Conv2d_2b_3x3", Conv2dOptions(32, 64, 3).padding(1))),
        maxpool1(register_module("maxpool1", MaxPool2d(MaxPool2dOptions(3).stride(2)))),
        conv_3b(add("Conv2d_3b_1x1", Conv2dOptions(64, 80, 1))),
        conv_4a(add("Conv2d_4a_3x3", Conv2dOptions(80, 192, 3))),
        maxpool2(register_module("maxpool2", MaxPool2d(MaxPool2dOptions(3).stride(2)))),
        mixed_5b(add("Mixed_5b", 192, figure_5(32))),
        mixed_5c(add("Mixed_5c", 256, figure_5(64))),
        mixed_5d(add("Mixed_5d", 288, figure_5(64))),
        mixed_6a(add("Mixed_6a", 288, figure_10())),
        mixed_6b(add("Mixed_6b", 768, figure_6(128))),
        mixed_6c(add("Mixed_6c", 768, figure_6(160))),
        mixed_6d(add("Mixed_6d", 768, figure_6(160))),
        mixed_6e(add("Mixed_6e", 768, figure_6(192))),
        head(to.auxiliary
                 ? register_module("AuxLogits", std::make_shared<InceptionV3Head>(768, to.classes))
                 : nullptr),
        mixed_7a(add("Mixed_7a", 768, second_reduction())),
        mixed_7b(add("Mixed_7b", 1280, figure_7())),
        mixed_7c(add("Mixed_7c", 2048, figure_7())),
        avgpool(register_module("avgpool", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({1, 1})))),
        dropout(register_module("dropout", Dropout(0.5))),
        fc(register_module("fc", Linear(2048, to.classes))) {
    normal_weights_(*this, 0.1);
    if (head) {
      check_image("inception_v3 with its auxiliary head", to.image, 299);
      init::normal_(head->fc->weight, 0, 0.001);
    }
  }

  std::vector<Stage> stages() override {
    return {{"stem", [this](torch::Tensor x) { return stem(x); }},
            {"mixed5",
             [this](torch::Tensor x) {
               return mixed_5d->forward(mixed_5c->forward(mixed_5b->forward(x)));
             }},
            {"mixed6", [this](torch::Tensor x) { return mixed6(x); }},
            {"mixed7",
             [this](torch::Tensor x) {
               x = mixed_7c->forward(mixed_7b->forward(mixed_7a->forward(x)));
               return avgpool(x).flatten(1);
             }},
            {"head", [this](torch::Tensor x) { return fc(dropout(x)); }}};
  }

  torch::Tensor stem(torch::Tensor x) {
    x = conv_1a->forward(x);
    x = conv_2a->forward(x);
    x = maxpool1(conv_2b->forward(x));
    x = conv_3b->forward(x);
    return maxpool2(conv_4a->forward(x));
  }

  torch::Tensor mixed6(torch::Tensor x) {
    x = mixed_6a->forward(x);
    x = mixed_6b->forward(x);
    x = mixed_6c->forward(x);
    x = mixed_6d->forward(x);
    x = mixed_6e->forward(x);
    // 0.4 is the weight of TF-Slim and of PyTorch's tutorials; the paper gives none.
    if (head && is_training()) auxiliary.push_back({head->forward(x), 0.4});
    return x;
  }

  std::shared_ptr<ConvNormRelu> add(const std::string& layer, const Conv2dOptions& options) {
    return register_module(layer, std::make_shared<ConvNormRelu>(options));
  }

  std::shared_ptr<Mixed> add(const std::string& layer, int64_t in, const Branches& branches) {
    return register_module(layer, std::make_shared<Mixed>(in, branches));
  }
};

}  // namespace

std::vector<Architecture> families::inception_v3() {
  return {
      {"inception_v3",
       2015,
       "Szegedy et al. 2015",
       "torchvision",
       {{3, 299, 299}, 1000, 0},
       build<InceptionV3>()},
  };
}

}  // namespace convscope

#include "suite/analysis/trace.h"

#include <gtest/gtest.h>

#include "suite/analysis/cost.h"
#include "suite/analysis/fold.h"
#include "suite/analysis/receptive_field.h"
#include "suite/analysis/variants.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// A user's own module: functional operators, a view, a residual addition, a name of its own.
struct Own : Module {
  Conv2d stem{register_module("stem", Conv2d(Conv2dOptions(3, 8, 3).padding(1)))};
  Conv2d mix{register_module("mix", Conv2d(Conv2dOptions(8, 8, 3).padding(1)))};
  Linear head{register_module("head", Linear(8 * 16 * 16, 5))};

  torch::Tensor forward(const torch::Tensor& images) {
    torch::Tensor x = torch::relu(stem(images));
    x = torch::max_pool2d(x + mix(x), 2);
    return head(x.view({x.size(0), -1}));
  }
};

TEST(Trace, AnalysesAUsersOwnModule) {
  Own net;
  const Graph graph = trace(net, {3, 32, 32});
  const Cost result = cost(graph);
  EXPECT_TRUE(result.complete());
  EXPECT_EQ(result.params, 3 * 8 * 9 + 8 + 8 * 8 * 9 + 8 + 8 * 256 * 5 + 5);
  EXPECT_EQ(result.macs, 32 * 32 * 8 * 27 + 32 * 32 * 8 * 72 + 8 * 256 * 5);
  EXPECT_EQ(result.output, Shape{5});
  EXPECT_EQ(to_string(result.field, &Field::size), "6");
  EXPECT_EQ(graph.calls[0].layer, "stem");
}

TEST(Trace, LeavesRealWeightsAlone) {
  Own net;
  const torch::Tensor before = net.stem->weight.clone();
  trace(net, {3, 32, 32});
  EXPECT_TRUE(torch::equal(before, net.stem->weight));
  EXPECT_TRUE(net.forward(torch::zeros({1, 3, 32, 32})).device().is_cpu());
}

TEST(Trace, CostsTheSameWithAndWithoutMemory) {
  std::shared_ptr<Own> shadow;
  {
    const WithoutMemory on;
    shadow = std::make_shared<Own>();
  }
  EXPECT_TRUE(shadow->stem->weight.is_meta());
  Own real;
  EXPECT_EQ(cost(trace(*shadow, {3, 32, 32})).flops, cost(trace(real, {3, 32, 32})).flops);
}

TEST(Trace, BuildsANetworkOfAnySizeInNoMemory) {
  const WithoutMemory on;
  Linear huge(1'000'000, 1'000'000);  // 4 TB
  EXPECT_EQ(cost(trace(*huge, {1'000'000})).macs, 1'000'000'000'000);
}

TEST(Trace, ImageThatVanishesNamesItsLayer) {
  Sequential net(Conv2d(3, 4, 3), MaxPool2d(2), Conv2d(4, 4, 5));
  try {
    trace(*net, {3, 8, 8});
    FAIL() << "took an image that is too small";
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(),
                 "2 (conv2d): a window of 5x5 with padding 0x0 does not fit into a feature map of "
                 "3x3");
  }
}

/// What LibTorch 1.13 has no kernel without memory for, and what the table has no row for.
struct Unusual : Module {
  torch::Tensor forward(const torch::Tensor& x) {
    return torch::lgamma(torch::digamma(x)).cumsum(1);
  }
};

TEST(Trace, OperatorWithoutARowIsNamedWithItsShapeKnown) {
  Unusual net;
  const Cost result = cost(trace(net, {3, 8, 8}));
  EXPECT_EQ(unknown_operators(result), "aten::cumsum, aten::digamma, aten::lgamma");
  EXPECT_EQ(result.output, (Shape{3, 8, 8}));
}

/// Made of other operators: these are seen.
struct Composite : Module {
  torch::Tensor forward(const torch::Tensor& x) { return torch::einsum("bchw,bdhw->bcd", {x, x}); }
};

TEST(Trace, OperatorMadeOfOthersIsCountedByItsParts) {
  Composite net;
  const Cost result = cost(trace(net, {3, 8, 8}));
  EXPECT_TRUE(result.complete()) << unknown_operators(result);
  EXPECT_EQ(result.macs, 3 * 3 * 64);
}

/// Attention over the positions of a feature map, and a product with a vector.
struct Attention : Module {
  Conv2d qkv{register_module("qkv", Conv2d(3, 12, 1))};
  torch::Tensor pooling{register_parameter("pooling", torch::ones({4}))};
  torch::Tensor forward(const torch::Tensor& images) {
    const auto parts = qkv(images).flatten(2).transpose(1, 2).chunk(3, 2);
    const auto weights = torch::softmax(parts[0].matmul(parts[1].transpose(1, 2)), 2);
    return weights.matmul(parts[2]).matmul(pooling);
  }
};

TEST(Trace, CountsAttentionAsTheMatrixProductsThatItIs) {
  Attention net;
  const Cost result = cost(trace(net, {3, 8, 8}));
  EXPECT_TRUE(result.complete()) << unknown_operators(result);
  EXPECT_EQ(result.macs, 64 * 3 * 12 + 64 * 64 * 4 + 64 * 64 * 4 + 64 * 4);
  EXPECT_EQ(result.output, Shape{64});
  EXPECT_EQ(to_string(result.field, &Field::size), "1");
}

/// Channels last and back, as ConvNeXt does it, and ShuffleNet's shuffle.
struct Rearranged : Module {
  Conv2d conv{register_module("conv", Conv2d(Conv2dOptions(4, 4, 3).padding(1)))};
  Linear mix{register_module("mix", Linear(4, 4))};
  torch::Tensor forward(const torch::Tensor& images) {
    torch::Tensor x = mix(conv(images).permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
    x = x.view({1, 2, 2, 8, 8}).transpose(1, 2).contiguous().view({1, 4, 8, 8});
    return conv(x);
  }
};

TEST(Trace, FieldFollowsTheImageThroughRearrangements) {
  Rearranged net;
  const Cost result = cost(trace(net, {4, 8, 8}));
  EXPECT_EQ(to_string(result.field, &Field::size), "5");
  EXPECT_EQ(result.depth, 3);
  EXPECT_EQ(result.linear_layers, 1);
}

/// Functional normalisation after a convolution whose parameters are the module's own, a reflecting
/// border, a layout that a view relies on, and an upsampling.
struct Functional : Module {
  torch::Tensor w{register_parameter("w", torch::ones({4, 4, 3, 3}))};
  torch::Tensor gamma{register_parameter("gamma", torch::ones({4}))};
  torch::Tensor beta{register_parameter("beta", torch::ones({4}))};
  torch::Tensor mean{register_buffer("running_mean", torch::zeros({4}))};
  torch::Tensor variance{register_buffer("running_var", torch::ones({4}))};
  bool upsample = false;

  torch::Tensor forward(const torch::Tensor& images) {
    torch::Tensor x = torch::reflection_pad2d(images, {1, 1, 1, 1});
    x = torch::batch_norm(torch::conv2d(x, w), gamma, beta, mean, variance, false, 0.1, 1e-5,
                          false);
    x = torch::relu(x.permute({0, 2, 3, 1}))
            .permute({0, 3, 1, 2})
            .view({1, 4, 64})
            .view({1, 4, 8, 8});
    if (upsample) x = torch::upsample_nearest2d(x, {16, 16});
    return torch::conv2d(x, w);
  }
};

TEST(Trace, FollowsBordersAndLayouts) {
  Functional net;
  const Cost result = cost(trace(net, {4, 8, 8}));
  EXPECT_TRUE(result.complete()) << unknown_operators(result);
  EXPECT_EQ(to_string(result.field, &Field::size), "3") << "views merged the sides";
  EXPECT_EQ(to_string(result.field, &Field::padding), "1");
}

TEST(Trace, SaysWhereTheFieldEnds) {
  Functional net;
  net.upsample = true;
  EXPECT_EQ(cost(trace(net, {4, 8, 8})).beyond.size(), 1u);
}

TEST(FoldBatchNorm, OfAWeightThatIsUsedTwiceIsNotDone) {
  Functional net;
  const Graph graph = trace(net, {4, 8, 8});
  EXPECT_EQ(cost(fold_batch_norm(graph)).params, cost(graph).params);
}

TEST(FoldBatchNorm, TakesOnlyWhatTheNormAloneReads) {
  struct : Module {
    Conv2d conv{register_module("conv", Conv2d(Conv2dOptions(3, 4, 3).bias(false)))};
    BatchNorm2d norm{register_module("norm", BatchNorm2d(4))};
    Linear head{register_module("head", Linear(4, 6))};
    BatchNorm1d last{register_module("last", BatchNorm1d(6))};
    torch::Tensor forward(const torch::Tensor& x) { return last(head(norm(conv(x)).mean({2, 3}))); }
  } net;
  net.eval();
  const Cost folded = cost(fold_batch_norm(trace(net, {3, 8, 8})));
  EXPECT_EQ(folded.params, 3 * 4 * 9 + 4 + 4 * 6 + 6);
  EXPECT_EQ(folded.buffers, 0);
  EXPECT_EQ(folded.unused_params, 0);
}

struct Nothing : Module {
  torch::Tensor forward(const torch::Tensor&) { return {}; }
};

TEST(Trace, ModuleThatReturnsNothingIsAnError) {
  Nothing net;
  EXPECT_THROW(trace(net, {3, 8, 8}), std::invalid_argument);
}

struct WrongView : Module {
  torch::Tensor forward(const torch::Tensor& x) { return x.view({7, -1}); }
};

TEST(Trace, ViewThatDoesNotFitIsNamed) {
  WrongView net;
  try {
    trace(net, {3, 8, 8});
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("(view): ", 0), 0u) << error.what();
  }
}

struct Wrapped : Module {
  Sequential body{register_module("body", Sequential(Conv2d(3, 4, 3), ReLU(), MaxPool2d(2)))};
  torch::Tensor forward(const torch::Tensor& x) {
    const torch::Tensor y = body->forward(x);
    return y + y;
  }
};

TEST(Trace, LayersWithoutWeightsAreNamedByTheirModules) {
  Wrapped net;
  const Graph graph = trace(net, {3, 8, 8});
  std::vector<std::string> layers;
  for (const Call& call : graph.calls) layers.push_back(call.layer);
  EXPECT_EQ(layers, (std::vector<std::string>{"body.0", "body.1", "body.2", ""}));
}

TEST(Trace, DropoutCostsNothingInEvaluationAndSomethingInTraining) {
  Sequential net(Conv2d(3, 4, 1), Dropout(0.5));
  net->eval();
  EXPECT_EQ(trace(*net, {3, 8, 8}).calls.size(), 1u);
  net->train();
  EXPECT_GT(trace(*net, {3, 8, 8}).calls.size(), 1u);
}

TEST(Variants, OfSixtyFourChannelsAreTheTextbooksNumbers) {
  const auto variants = layer_variants(64, 3, 56);
  const auto params = [&](const std::string& start) {
    for (const Architecture& variant : variants) {
      if (variant.name.rfind(start, 0) == 0) return variant_cost(variant).params;
    }
    return int64_t{-1};
  };
  EXPECT_EQ(params("standard"), 36864);
  EXPECT_EQ(params("grouped"), 9216);
  EXPECT_EQ(params("depthwise separable"), 4672);
  EXPECT_EQ(params("1x1"), 4096);
  EXPECT_EQ(params("two stacked"), 73728);
  EXPECT_EQ(params("one 5x5"), 102400);
}

TEST(Variants, EvenKernelIsRefused) {
  EXPECT_THROW(layer_variants(64, 4, 56), std::invalid_argument);
  EXPECT_THROW(layer_variants(0, 3, 56), std::invalid_argument);
  EXPECT_THROW(layer_variants(64, 3, 1'000'000), std::invalid_argument);
}

}  // namespace
}  // namespace convscope

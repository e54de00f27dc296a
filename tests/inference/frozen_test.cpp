// The fast form of a network must compute what the network computes, and tell how.
#include "suite/inference/frozen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "architectures/catalogue.h"
#include "suite/analysis/trace.h"
#include "suite/inference/frozen_engine.h"
#include "suite/inference/threads.h"

namespace convscope {
namespace {

/// The largest difference, relative to the largest expected number.
double difference(const torch::Tensor& actual, const torch::Tensor& expected) {
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

bool has_steps(const Frozen& frozen) { return !frozen.steps().empty(); }

/// AlexNet, VGG and their like: large images alone show them as they are.
bool pools_to_a_size(const Architecture& architecture) {
  return architecture.settings.classes == 1000 && architecture.year < 2015;
}

/// An image as small as the network usually takes, so that the deep ones take no longer.
Settings small(const Architecture& architecture) {
  Settings settings = architecture.settings;
  if (!pools_to_a_size(architecture)) {
    settings.image.height = settings.image.width = std::min<int64_t>(settings.image.height, 96);
  }
  return settings;
}

/// Each step takes its time and has a name, and each operator that multiplies is in one step.
void expect_named_steps(Frozen& frozen, Network& network, const torch::Tensor& image) {
  std::vector<int64_t> ns;
  frozen.forward(image, &ns);
  const std::vector<FrozenStep> steps = frozen.steps();
  ASSERT_EQ(ns.size(), steps.size());
  const Graph graph = trace(network, {image.size(1), image.size(2), image.size(3)});
  std::set<size_t> named;
  for (size_t i = 0; i < steps.size(); ++i) {
    EXPECT_GT(ns[i], 0);
    EXPECT_FALSE(steps[i].implementation.empty());
    for (const size_t call : steps[i].calls) {
      ASSERT_LT(call, graph.calls.size());
      EXPECT_TRUE(named.insert(call).second) << call;
    }
  }
  for (size_t i = 0; i < graph.calls.size(); ++i) {
    const std::string& op = graph.calls[i].op;
    const bool weighs = op == "aten::conv2d" || op == "aten::linear" || op == "aten::addmm";
    EXPECT_TRUE(!weighs || named.count(i)) << i << ' ' << op << ' ' << graph.calls[i].layer;
  }
}

class EveryFrozenNetwork : public testing::TestWithParam<Architecture> {};

TEST_P(EveryFrozenNetwork, ComputesTheSameInStepsThatAreNamed) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  const Settings settings = small(GetParam());
  const auto network = GetParam().build(settings);
  network->eval();
  for (const torch::Tensor& weights : network->parameters()) {
    // Heads that begin with zeros would compare nothing with nothing.
    if (weights.dim() > 1 && !weights.any().item<bool>()) weights.normal_();
  }
  for (const int64_t count : {1, 3}) {
    if (count > 1 && pools_to_a_size(GetParam())) continue;  // their time
    const auto images = [&] {
      const ImageShape& shape = settings.image;
      return torch::randn({count, shape.channels, shape.height, shape.width});
    };
    const torch::Tensor example = images();
    Frozen frozen(*network, example);
    EXPECT_TRUE(torch::equal(frozen.expected(), network->forward(example)));
    for (int again = 0; again < 2; ++again) {
      const torch::Tensor batch = images();
      EXPECT_LE(difference(frozen.forward(batch), network->forward(batch)), 1e-4) << count;
    }
    if (count == 1 && has_steps(frozen)) expect_named_steps(frozen, *network, example);
  }
}

std::vector<Architecture> with_finite_logits() {
  std::vector<Architecture> all = match_architectures({"*"});
  // The sums along a thousand layers overflow while they are untrained.
  const auto overflows = [](const Architecture& one) {
    return one.name == "resnet1202" || one.name == "preact_resnet1001";
  };
  all.erase(std::remove_if(all.begin(), all.end(), overflows), all.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryFrozenNetwork, testing::ValuesIn(with_finite_logits()),
                         [](const auto& network) { return network.param.name; });

class FrozenForms : public testing::TestWithParam<const char*> {};

TEST_P(FrozenForms, TakeImagesThatAreNotSquareWithOneThreadAndWithTwo) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  Architecture architecture = match_architectures({GetParam()}).at(0);
  architecture.settings.image.height = 225;
  architecture.settings.image.width = 160;
  const auto network = architecture.build(architecture.settings);
  network->eval();
  for (const int threads : {1, 2}) {
    use_threads(threads);
    const torch::Tensor images = torch::randn({2, 3, 225, 160});
    Frozen frozen(*network, images);
    EXPECT_LE(difference(frozen.forward(images), frozen.expected()), 1e-4) << threads;
  }
  use_threads(1);
}

TEST_P(FrozenForms, OfLibTorchComputeTheSame) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  const Architecture architecture = match_architectures({GetParam()}).at(0);
  const auto network = architecture.build(architecture.settings);
  network->eval();
  const torch::Tensor images = torch::randn({1, 3, 224, 224});
  const FrozenForm form = freeze_with_libtorch(*network, images);
  for (int again = 0; again < 2; ++again) {  // the first run rewrites the graph once more
    const torch::Tensor logits = form.engine->forward(images, nullptr);
    EXPECT_LE((logits - form.expected).abs().max().item<double>(), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, FrozenForms,
                         testing::Values("alexnet", "resnet18", "googlenet", "squeezenet1_1",
                                         "mobilenet_v2", "mobilenet_v3_small"),
                         [](const auto& network) { return network.param; });

/// A network from a function, with one convolution and batch normalisation that are not neutral.
struct Own : Network {
  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d norm;
  std::function<torch::Tensor(Own&, torch::Tensor)> pass;

  explicit Own(std::function<torch::Tensor(Own&, torch::Tensor)> function)
      : conv(register_module("conv",
                             torch::nn::Conv2d(torch::nn::Conv2dOptions(16, 16, 3).padding(1)))),
        norm(register_module("norm", torch::nn::BatchNorm2d(16))),
        pass(std::move(function)) {
    const torch::NoGradGuard no_grad;
    norm->running_mean.normal_();
    norm->running_var.uniform_(0.5, 2);
    norm->weight.normal_();
    norm->bias.normal_();
    eval();
  }
  torch::Tensor forward(torch::Tensor images) override { return pass(*this, std::move(images)); }
};

/// The steps' names, after a check that they compute the same for one image and for two.
std::vector<std::string> checked(const std::function<torch::Tensor(Own&, torch::Tensor)>& pass) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  Own network(pass);
  std::vector<std::string> names;
  for (const int64_t count : {2, 1}) {
    const torch::Tensor images = torch::randn({count, 16, 10, 12});
    Frozen frozen(network, images);
    const torch::Tensor others = torch::randn_like(images);
    EXPECT_LE(difference(frozen.forward(others), network.forward(others)), 1e-5);
    EXPECT_LE(difference(frozen.forward(images), frozen.expected()), 1e-5);
    names.clear();
    for (const FrozenStep& step : frozen.steps()) {
      if (step.op != "reorder") names.push_back(step.op);
    }
  }
  return names;
}

using Names = std::vector<std::string>;

#define EXPECT_STEPS(names, ...)                                                  \
  if ((names).empty()) GTEST_SKIP() << "LibTorch's own frozen form has no steps"; \
  EXPECT_EQ((names), (Names{__VA_ARGS__}))

TEST(FrozenNetwork, DoesWhatFollowsAConvolutionWithinIt) {
  const Names names = checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x).relu_();
    return own.norm(own.conv(torch::tanh(own.conv(y)))).add_(y).relu_();
  });
  EXPECT_STEPS(names, "convolution+relu", "convolution+tanh", "convolution+sum+relu");
}

TEST(FrozenNetwork, DoesNotAddToWhatTheConvolutionStillReads) {
  const Names names = checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x).relu_();
    return own.conv(y).add_(y).relu_();
  });
  EXPECT_STEPS(names, "convolution+relu", "convolution", "add+relu");
}

TEST(FrozenNetwork, KeepsAResultThatIsAddedAndThenReadOnceMore) {
  const Names names = checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x).relu_();
    const torch::Tensor z = own.conv(y) + y;
    return z * y;
  });
  EXPECT_STEPS(names, "convolution+relu", "convolution", "add", "mul");
}

TEST(FrozenNetwork, AddsChannelsThatDoNotFillABlock) {
  checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x).narrow(1, 0, 8), z = own.conv(x).narrow(1, 8, 8);
    return torch::relu(y + z);
  });
}

TEST(FrozenNetwork, KeepsAResultOfWhichAViewIsReadLater) {
  checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x).relu();
    const torch::Tensor flat = y.flatten(1);
    const torch::Tensor z = own.conv(x) + y;
    return z.flatten(1) + 2 * flat;
  });
}

TEST(FrozenNetwork, DoesNotOverwriteTheImages) {
  checked([](Own& own, const torch::Tensor& x) { return own.conv(x) + x; });
  checked([](Own&, const torch::Tensor& x) { return torch::relu(x); });
}

TEST(FrozenNetwork, JoinsWhatIsReadTwiceAndJoinedTwice) {
  checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x), z = own.conv(y);
    return torch::cat({torch::cat({y, z, y}, 1), z, x}, 1).relu();
  });
}

TEST(FrozenNetwork, TakesAnotherShapeForNoWork) {
  const Names names = checked([](Own& own, const torch::Tensor& x) {
    const int64_t images = x.size(0);
    const torch::Tensor y = own.conv(x).view({images, 2, 8, 10, 12}).transpose(1, 2).contiguous();
    return own.conv(y.view({images, 16, 10, 12}));
  });
  EXPECT_STEPS(names, "convolution", "aten::transpose", "convolution");
  checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x), turned = y.view({x.size(0), 16, 12, 10});
    return torch::cat({turned, own.conv(turned)}, 1).relu();
  });
}

TEST(FrozenNetwork, DoesALinearLayerOfEachPositionWithWhatFollows) {
  namespace F = torch::nn::functional;
  const torch::Tensor weight = torch::randn({24, 16}), bias = torch::randn(24);
  const Names names = checked([&](Own& own, const torch::Tensor& x) {
    return torch::gelu(F::linear(own.conv(x).permute({0, 2, 3, 1}), weight, bias));
  });
  EXPECT_STEPS(names, "convolution", "linear+gelu");
  checked([&](Own& own, const torch::Tensor& x) {
    const torch::Tensor tokens = own.conv(x).flatten(2).transpose(1, 2);
    return torch::gelu(F::linear(tokens, weight), "tanh");
  });
}

TEST(FrozenNetwork, MovesChannelsLastAndBackForNoWork) {
  const Names names = checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor last = own.conv(x).permute({0, 2, 3, 1});
    return own.conv(torch::layer_norm(last, {16}).permute({0, 3, 1, 2}));
  });
  EXPECT_STEPS(names, "convolution", "aten::layer_norm", "convolution");
  checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x);
    return y.permute({0, 2, 3, 1}).relu().permute({0, 3, 1, 2}) + y;
  });
}

TEST(FrozenNetwork, NormalisesWithoutAConvolutionBefore) {
  checked([](Own& own, const torch::Tensor& x) { return own.conv(own.norm(x).relu_()); });
}

TEST(FrozenNetwork, NormalisesAConvolutionThatIsReadElsewhereToo) {
  checked([](Own& own, const torch::Tensor& x) {
    const torch::Tensor y = own.conv(x);
    return own.norm(y) + y.sigmoid();
  });
}

TEST(FrozenNetwork, LeavesToLibTorchWhatOneDnnLacks) {
  const Names names =
      checked([](Own& own, const torch::Tensor& x) { return own.conv(x).cumsum(2).sin().relu(); });
  EXPECT_STEPS(names, "convolution", "aten::cumsum", "aten::sin", "relu");
  checked([](Own& own, const torch::Tensor& x) {
    const std::vector<torch::Tensor> parts = own.conv(x).chunk(2, 1);
    return parts[0] + parts[1] * torch::ones({12});
  });
}

TEST(FrozenNetwork, LeavesToLibTorchWhatTheTapeLacks) {
  const torch::Tensor which = torch::tensor({3, 1});
  const Names names = checked([&](Own& own, const torch::Tensor& x) {
    return own.conv(x).index({torch::indexing::Slice(), which});
  });
  EXPECT_TRUE(names.empty());
}

#ifdef CONVSCOPE_ONEDNN
TEST(FrozenNetwork, DoesNotFreezeWritesIntoAPart) {
  const torch::NoGradGuard no_grad;
  Own network([](Own& own, const torch::Tensor& x) {
    torch::Tensor y = own.conv(x);
    y.slice(1, 0, 4).add_(1);
    return own.conv(y);
  });
  EXPECT_THROW(Frozen(network, torch::randn({1, 16, 10, 12})), std::invalid_argument);
}
#endif

TEST(FrozenNetwork, PoolsAsLibTorchDoes) {
  namespace F = torch::nn::functional;
  for (const bool ceil : {false, true}) {
    checked([&](Own& own, const torch::Tensor& x) {
      return F::max_pool2d(own.conv(x), F::MaxPool2dFuncOptions(3).stride(2).ceil_mode(ceil));
    });
    for (const bool padding_counts : {false, true}) {
      checked([&](Own& own, const torch::Tensor& x) {
        const auto options = F::AvgPool2dFuncOptions(3).stride(2).padding(1).ceil_mode(ceil);
        return F::avg_pool2d(own.conv(x),
                             F::AvgPool2dFuncOptions(options).count_include_pad(padding_counts));
      });
    }
  }
  for (const int64_t height : {1, 5, 10, 7}) {
    checked([&](Own& own, const torch::Tensor& x) {
      return torch::adaptive_avg_pool2d(own.conv(x), {height, 4}).flatten(1);
    });
  }
  checked([](Own& own, const torch::Tensor& x) { return own.conv(x).mean({2, 3}); });
  checked([](Own& own, const torch::Tensor& x) { return own.conv(x).mean({-1, -2}, true); });
  checked([](Own& own, const torch::Tensor& x) { return own.conv(x).mean({1}); });
}

TEST(FrozenNetwork, DrawsRandomNumbersAnew) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = torch::randn({1, 16, 10, 12});
  const auto draws = [&](const std::function<torch::Tensor()>& draw) {
    Own network([&](Own& own, const torch::Tensor& x) { return own.conv(x) + draw(); });
    Frozen frozen(network, images);
    return !torch::equal(frozen.forward(images), frozen.forward(images));
  };
  EXPECT_TRUE(draws([] { return torch::rand({12}); }));
  EXPECT_TRUE(draws([] { return torch::zeros({12}).uniform_(); }));
  EXPECT_TRUE(draws([] { return torch::zeros({12}).exponential_(); }));
  EXPECT_FALSE(draws([] { return torch::ones({12}); }));
}

TEST(FrozenNetwork, TakesBatchesOfItsShapeOnly) {
  const torch::NoGradGuard no_grad;
  Own network([](Own& own, const torch::Tensor& x) { return own.conv(x); });
  Frozen frozen(network, torch::randn({1, 16, 10, 12}));
  if (!has_steps(frozen)) GTEST_SKIP() << "LibTorch's own frozen form takes others too";
  EXPECT_THROW(frozen.forward(torch::randn({2, 16, 10, 12})), std::invalid_argument);
}

TEST(FrozenNetwork, KeepsEarlierResultsWhenItRunsAgain) {
  const torch::NoGradGuard no_grad;
  Own network([](Own& own, const torch::Tensor& x) { return own.conv(x); });
  const torch::Tensor images = torch::randn({1, 16, 10, 12});
  Frozen frozen(network, images);
  const torch::Tensor first = frozen.forward(images), copy = first.clone();
  frozen.forward(torch::randn_like(images));
  EXPECT_TRUE(torch::equal(first, copy));
}

}  // namespace
}  // namespace convscope

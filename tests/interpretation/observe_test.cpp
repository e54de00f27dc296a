// A pass that is looked into computes what the network computes, and its gradients are the
// derivatives.
#include "suite/inference/observe.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include "architectures/catalogue.h"
#include "suite/analysis/graph_layers.h"
#include "tests/interpretation/hand_made_network.h"

namespace convscope {
namespace {

torch::Tensor noise_of(const std::vector<int64_t>& shape, uint64_t seed = 1) {
  torch::manual_seed(seed);
  return torch::randn(shape, torch::kFloat64);
}

TEST(Observe, OfEveryFamilyTheResultIsTheNetworksAndKeptTensorsStayAsTheyWere) {
  for (const char* name : {"lenet5", "googlenet", "squeezenet1_0", "resnet20", "mobilenet_v2",
                           "mobilenet_v3_small", "resnet18"}) {
    Architecture architecture = find_architecture(name);
    Settings settings = architecture.settings;
    if (settings.image.height > 64) settings.image.height = settings.image.width = 96;
    const LoadedNetwork network = initial_network(architecture, settings, 1);
    const torch::NoGradGuard no_grad;
    torch::manual_seed(2);
    const torch::Tensor images =
        torch::randn({2, settings.image.channels, settings.image.height, settings.image.width});
    const torch::Tensor expected = network.network->forward(images);
    std::vector<size_t> all(network.graph.calls.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    const Observed observed = observe(*network.network, images, all);
    EXPECT_TRUE(torch::allclose(observed.result, expected, 1e-5, 1e-6)) << name;
    // Each alone, from a pass that ends there, so that nothing later could write into it.
    for (size_t i = 0; i < all.size(); i += 7) {
      ObserveOptions options;
      options.to_the_end = false;
      const torch::Tensor alone = observe(*network.network, images, {i}, options).kept[0];
      EXPECT_TRUE(torch::equal(observed.kept[i], alone))
          << name << " " << network.graph.calls[i].op;
    }
  }
}

TEST(Observe, WhatIsKeptIsFromBeforeALaterLayerWritesIntoIt) {
  const LoadedNetwork network =
      hand_made(torch::nn::Sequential(convolution(1, 2, 3),
                                      torch::nn::ReLU(torch::nn::ReLUOptions().inplace(true))),
                {1, 6, 6});
  const torch::Tensor image = noise_of({1, 1, 6, 6});
  const Observed observed = observe(*network.network, image, {0, 1});
  EXPECT_LT(observed.kept[0].min().item<double>(), 0);
  EXPECT_TRUE(torch::equal(observed.kept[0].clamp_min(0), observed.kept[1]));
  EXPECT_TRUE(torch::equal(observed.result, observed.kept[1].mean({2, 3})));
}

TEST(Observe, GradientsByWhatIsKeptAreFiniteDifferences) {
  const LoadedNetwork network =
      hand_made(torch::nn::Sequential(convolution(2, 3, 3, 1, 1), torch::nn::SiLU(),
                                      convolution(3, 2, 3), torch::nn::Sigmoid()),
                {2, 7, 7});
  const torch::Tensor image = noise_of({1, 2, 7, 7});
  ObserveOptions options;
  options.from_kept = true;
  const Observed observed = observe(*network.network, image, {1}, options);
  const torch::Tensor gradient =
      torch::autograd::grad({observed.result[0][1]}, {observed.kept[0]})[0];
  // The rest of the network by hand, from the kept result on.
  auto& layers = std::static_pointer_cast<HandMade>(network.network)->layers;
  const auto rest = [&](const torch::Tensor& x) {
    const torch::NoGradGuard no_grad;
    torch::Tensor y = layers[2]->as<torch::nn::Conv2dImpl>()->forward(x);
    return torch::sigmoid(y).mean({2, 3})[0][1].item<double>();
  };
  const double step = 1e-6;
  for (const int64_t place : {0, 17, 60, 111}) {
    torch::Tensor up = observed.kept[0].detach().clone(), down = up.clone();
    up.view(-1)[place] += step;
    down.view(-1)[place] -= step;
    EXPECT_NEAR(gradient.contiguous().view(-1)[place].item<double>(),
                (rest(up) - rest(down)) / (2 * step), 1e-9);
  }
}

TEST(Observe, AnExchangedResultIsWhatTheNetworkGoesOnWith) {
  const LoadedNetwork network =
      hand_made(torch::nn::Sequential(convolution(1, 1, 3), torch::nn::ReLU()), {1, 5, 5});
  ObserveOptions options;
  options.exchange = [](size_t call, const torch::jit::Stack& arguments) {
    EXPECT_FALSE(arguments.empty());
    return call == 0 ? std::optional(torch::full({1, 1, 3, 3}, 4.0, torch::kFloat64))
                     : std::nullopt;
  };
  const Observed observed = observe(*network.network, noise_of({1, 1, 5, 5}), {}, options);
  EXPECT_DOUBLE_EQ(observed.result.item<double>(), 4);
}

TEST(Observe, TheGuidedGradientKeepsOnlyWhatSpeaksForTheAnswer) {
  // y = relu(x) * a with a of both signs: where a is below 0, nothing comes back.
  torch::nn::Sequential layers(torch::nn::ReLU(), convolution(1, 1, 2));
  layers[1]->as<torch::nn::Conv2dImpl>()->weight.data() =
      torch::tensor({1., -1., 2., -2.}).view({1, 1, 2, 2});
  const LoadedNetwork network = hand_made(std::move(layers), {1, 2, 2});
  const torch::Tensor image =
      torch::tensor({3., 4., -5., 6.}, torch::kFloat64).view({1, 1, 2, 2}).requires_grad_();
  ObserveOptions options;
  options.guided = true;
  const torch::Tensor result = observe(*network.network, image, {}, options).result;
  const torch::Tensor gradient = torch::autograd::grad({result.sum()}, {image})[0];
  EXPECT_TRUE(torch::equal(gradient.view(-1), torch::tensor({1., 0., 0., 0.}, torch::kFloat64)))
      << "1: passes; -1: against; 2: the ReLU is shut; -2: against";
}

}  // namespace
}  // namespace convscope

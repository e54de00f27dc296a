// Attributions in double precision against finite differences, axioms and hand arithmetic.
#include "suite/interpretation/attribution.h"

#include <gtest/gtest.h>

#include <cmath>

#include "suite/interpretation/saliency.h"
#include "tests/interpretation/hand_made_network.h"

namespace convscope {
namespace {

/// Smooth but for nothing: differences can be taken anywhere.
LoadedNetwork smooth_network() {
  torch::manual_seed(3);
  return hand_made(torch::nn::Sequential(convolution(3, 4, 3, 1, 1), torch::nn::SiLU(),
                                         convolution(4, 5, 3, 2, 1), torch::nn::Tanh(),
                                         torch::nn::Flatten(), torch::nn::Linear(5 * 16, 6)),
                   {3, 8, 8});
}

torch::Tensor image_of(uint64_t seed = 4) {
  torch::manual_seed(seed);
  return torch::randn({1, 3, 8, 8}, torch::kFloat64);
}

TEST(Attribution, TheGradientIsAFiniteDifference) {
  const LoadedNetwork network = smooth_network();
  const torch::Tensor image = image_of();
  const torch::Tensor gradient = logit_gradient(*network.network, image, 2);
  const torch::NoGradGuard no_grad;
  const double step = 1e-5;
  double largest = 0;
  for (int64_t place = 0; place < image.numel(); ++place) {
    torch::Tensor up = image.clone(), down = image.clone();
    up.view(-1)[place] += step;
    down.view(-1)[place] -= step;
    const double difference =
        (network.network->forward(up) - network.network->forward(down))[0][2].item<double>() /
        (2 * step);
    largest = std::max(largest, std::abs(difference - gradient.view(-1)[place].item<double>()));
  }
  EXPECT_LT(largest, 1e-9);
}

TEST(Attribution, IntegratedGradientsAddUpToTheDifferenceOfTheLogits) {
  const LoadedNetwork network = smooth_network();
  const torch::Tensor image = image_of(), baseline = torch::zeros_like(image);
  const IntegratedGradients found =
      integrated_gradients(*network.network, image, baseline, 1, 1e-3, 1024, 16);
  EXPECT_LE(integrated_gradients(*network.network, image, baseline, 1, 1e-6, 64, 16).gap,
            found.gap);
  const torch::NoGradGuard no_grad;
  const double expected =
      (network.network->forward(image) - network.network->forward(baseline))[0][1].item<double>();
  EXPECT_NEAR(found.attributions.sum().item<double>(), expected, 1e-3 * std::abs(expected));
  EXPECT_LE(found.gap, 1e-3);
}

TEST(Attribution, WhereTheLogitJumpsTheIntervalsAreSmall) {
  // Shut until the path is 3/4 there: by equal intervals a kink costs as much as half of one.
  torch::nn::Sequential layers(torch::nn::ReLU(), torch::nn::Flatten(), torch::nn::Linear(2, 1));
  layers[2]->as<torch::nn::LinearImpl>()->weight.data().fill_(1);
  const LoadedNetwork network = hand_made(std::move(layers), {1, 1, 2});
  const torch::Tensor image = torch::tensor({1., 1.}, torch::kFloat64).view({1, 1, 1, 2}),
                      baseline = torch::tensor({-3., 0.5}, torch::kFloat64).view({1, 1, 1, 2});
  const IntegratedGradients found =
      integrated_gradients(*network.network, image, baseline, 0, 1e-4, 64, 1);
  EXPECT_NEAR(found.attributions.view(-1)[0].item<double>(), 1, 2e-4);
  EXPECT_NEAR(found.attributions.view(-1)[1].item<double>(), 0.5, 1e-12);
  EXPECT_LT(found.intervals, 40) << "equal ones would have to be 10,000";
}

TEST(Attribution, OfALinearNetworkIntegratedGradientsAreWeightTimesInput) {
  const LoadedNetwork network =
      hand_made(torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Linear(192, 3)), {3, 8, 8});
  const torch::Tensor image = image_of();
  const torch::Tensor weight = network.network->named_parameters()["layers.1.weight"][2];
  const IntegratedGradients found =
      integrated_gradients(*network.network, image, torch::zeros_like(image), 2, 1e-9, 32, 8);
  EXPECT_TRUE(torch::allclose(found.attributions, weight.view({1, 3, 8, 8}) * image, 1e-9, 1e-12));
  // And noise does not change a gradient that is the same everywhere.
  EXPECT_TRUE(torch::allclose(smooth_gradient(*network.network, image, 2, 0.5, 5, 1, 2),
                              weight.view({1, 3, 8, 8}), 1e-9, 1e-12));
}

TEST(Attribution, SmoothGradientsDependOnTheSeedAlone) {
  const LoadedNetwork network = smooth_network();
  const torch::Tensor image = image_of();
  const auto with = [&](uint64_t seed, int64_t together) {
    return smooth_gradient(*network.network, image, 0, 0.3, 6, seed, together);
  };
  EXPECT_TRUE(torch::allclose(with(1, 1), with(1, 4), 1e-10, 1e-12));
  EXPECT_FALSE(torch::allclose(with(1, 1), with(2, 1)));
}

TEST(Attribution, GradCamIsTheHandArithmeticOfItsPaper) {
  // Two maps as they are, and a linear layer: the weight of a map is the mean of its columns.
  const LoadedNetwork network = hand_made(
      torch::nn::Sequential(convolution(1, 2, 1), torch::nn::Flatten(), torch::nn::Linear(8, 2)),
      {1, 2, 2});
  auto parameters = network.network->named_parameters();
  parameters["layers.0.weight"].data() =
      torch::tensor({1., -1.}, torch::kFloat64).view({2, 1, 1, 1});
  parameters["layers.2.weight"].data() = torch::tensor(
      {{1., 1., 1., 1., 4., 0., 0., 0.}, {0., 0., 0., 0., 0., 0., 0., 0.}}, torch::kFloat64);
  const torch::Tensor image = torch::tensor({1., 2., -3., 4.}, torch::kFloat64).view({1, 1, 2, 2});
  // Both weights are 1: x - x = 0 everywhere.
  EXPECT_TRUE(torch::equal(grad_cam(*network.network, image, 0, 0).view(-1),
                           torch::zeros(4, torch::kFloat64)));
  parameters["layers.2.weight"].data()[0][4] = 0;
  EXPECT_TRUE(torch::allclose(grad_cam(*network.network, image, 0, 0).view(-1),
                              torch::tensor({1., 2., 0., 4.}, torch::kFloat64)));
}

TEST(Attribution, OcclusionOfALinearNetworkIsWhatTheCoveredPixelsGive) {
  // The logit is the sum of the pixels: a square of 2 x 2 ones takes 4 away, wherever it lies.
  const LoadedNetwork network =
      hand_made(torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Linear(25, 1)), {1, 5, 5});
  auto parameters = network.network->named_parameters();
  parameters["layers.1.weight"].data().fill_(1);
  const torch::Tensor image = torch::ones({1, 1, 5, 5}, torch::kFloat64);
  const torch::Tensor map =
      occlusion(*network.network, image, torch::zeros_like(image), 0, 2, 2, 3);
  EXPECT_TRUE(torch::allclose(map, torch::full({5, 5}, 4., torch::kFloat64)));
  // What says nothing: a pixel that is the baseline's already.
  torch::Tensor corner = torch::zeros({1, 1, 5, 5}, torch::kFloat64);
  corner[0][0][0][0] = 8;
  const torch::Tensor spot = occlusion(*network.network, corner, image * 0, 0, 2, 1, 7);
  EXPECT_EQ(spot[0][0].item<double>(), 8);
  EXPECT_EQ(spot[1][1].item<double>(), 2) << "one of the four squares that cover it";
  EXPECT_EQ(spot[4][4].item<double>(), 0);
}

TEST(Deletion, TheCurveOfWhatMattersFallsFirst) {
  // The class is how much there is of fine stripes, which a blur takes away, in a quarter.
  const LoadedNetwork network =
      hand_made(torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Linear(28 * 28, 2)),
                {1, 28, 28}, torch::kFloat32);
  auto parameters = network.network->named_parameters();
  torch::Tensor weight = torch::zeros({2, 28, 28});
  weight[0].slice(0, 0, 14).slice(1, 0, 14).copy_(torch::tensor({-0.02f, 0.02f}).repeat({14, 7}));
  parameters["layers.1.weight"].data() = weight.view({2, -1});
  parameters["layers.1.bias"].data().zero_();
  std::vector<float> image(28 * 28), good(image.size()), bad(image.size());
  for (int y = 0; y < 28; ++y) {
    for (int x = 0; x < 28; ++x) {
      const size_t i = static_cast<size_t>(28 * y + x);
      image[i] = x % 2 ? 1 : -1;
      good[i] = y < 14 && x < 14 ? 1 : 0;
      bad[i] = 1 - good[i];
    }
  }
  const auto fast = deletion_curve(network, image, good, 0, 28),
             slow = deletion_curve(network, image, bad, 0, 28);
  ASSERT_EQ(fast.size(), 29u);
  EXPECT_NEAR(fast[0], 1 / (1 + std::exp(-196 * 0.02)), 1e-6);
  EXPECT_NEAR(fast[7], 0.5, 0.06) << "a quarter of the area is gone, and with it all there was";
  EXPECT_NEAR(slow[21], fast[0], 1e-6);
  EXPECT_NEAR(slow[28], fast[28], 1e-9) << "at the end all is blurred";
  EXPECT_LT(area_under(fast), area_under(slow));
}

TEST(Deletion, TheAreaIsThatOfTrapezoids) {
  EXPECT_DOUBLE_EQ(area_under({1, 0}), 0.5);
  EXPECT_DOUBLE_EQ(area_under({1, 0.5, 0}), 0.5);
  EXPECT_DOUBLE_EQ(area_under({1, 1, 0, 0}), 0.5);
  EXPECT_THROW(area_under({1}), std::invalid_argument);
}

}  // namespace
}  // namespace convscope

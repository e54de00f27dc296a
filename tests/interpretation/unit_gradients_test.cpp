// Gradients of units against the theory of Luo et al. and against derivatives by hand.
#include "suite/interpretation/unit_gradients.h"

#include <gtest/gtest.h>

#include <cmath>

#include "suite/inference/plain_tensors.h"
#include "tests/interpretation/hand_made_network.h"

namespace convscope {
namespace {

/// `depth` convolutions of 3x3 with all weights equal.
LoadedNetwork uniform_stack(int depth, int64_t pixels) {
  torch::nn::Sequential layers;
  for (int i = 0; i < depth; ++i) {
    auto conv = convolution(1, 1, 3);
    conv->weight.data().fill_(1. / 9);
    layers->push_back(conv);
  }
  return hand_made(layers, {1, pixels, pixels});
}

TEST(UnitGradients, OfEqualWeightsTheWidthGrowsWithTheRootOfTheDepth) {
  // The gradient is the n-fold convolution of a 3x3 box, whose variance is n * (3^2 - 1) / 12.
  for (const int depth : {8, 32}) {
    const LoadedNetwork network = uniform_stack(depth, 2 * depth + 11);
    const std::vector<MapLayer> layers = map_layers(network.graph);
    ASSERT_EQ(layers.size(), static_cast<size_t>(depth));
    const ImageShape& image = network.settings.image;
    const auto gradients =
        unit_gradients(network, {layers.back()}, noise_images(image, 1, 1, 0), 1, 1, 0);
    const CentreUnit unit = centre_unit(layers.back());
    EXPECT_EQ(unit.field_height, 2 * depth + 1);
    const GradientSpread spread =
        gradient_spread(gradients[0].data(), image.height, image.width, unit);
    EXPECT_NEAR(spread.width, std::sqrt(depth * 8. / 12), 0.03 * spread.width) << depth;
    EXPECT_GT(spread.gaussian, 0.999);
    // Within the theoretical field lies all of it, and its sum is that of the weights: 1.
    double inside = 0;
    for (int64_t row = unit.top; row < unit.top + unit.field_height; ++row) {
      for (int64_t column = unit.left; column < unit.left + unit.field_width; ++column) {
        inside += gradients[0][static_cast<size_t>(row * image.width + column)];
      }
    }
    EXPECT_NEAR(inside, 1, 1e-6);
  }
}

TEST(UnitGradients, NothingComesFromBeyondTheReceptiveField) {
  torch::manual_seed(5);
  const LoadedNetwork network =
      hand_made(torch::nn::Sequential(convolution(3, 8, 5, 2, 2), torch::nn::ReLU(),
                                      torch::nn::MaxPool2d(3), convolution(8, 8, 3)),
                {3, 65, 65});
  const auto layers = map_layers(network.graph);
  ASSERT_EQ(layers.size(), 3u) << "two convolutions and a pooling";
  const auto gradients =
      unit_gradients(network, layers, noise_images(network.settings.image, 4, 2, 0), 4, 1, 0);
  for (size_t i = 0; i < layers.size(); ++i) {
    const CentreUnit unit = centre_unit(layers[i]);
    for (int64_t place = 0; place < 4 * 65 * 65; ++place) {
      const int64_t row = place / 65 % 65, column = place % 65;
      const bool inside = row >= unit.top && row < unit.top + unit.field_height &&
                          column >= unit.left && column < unit.left + unit.field_width;
      if (!inside) {
        ASSERT_EQ(gradients[i][static_cast<size_t>(place)], 0) << layers[i].name;
      }
    }
  }
}

TEST(UnitGradients, TheFirstLayersAreItsKernelsWithSigns) {
  torch::manual_seed(6);
  const LoadedNetwork network = hand_made(torch::nn::Sequential(convolution(1, 1, 3)), {1, 5, 5});
  const auto gradients =
      unit_gradients(network, map_layers(network.graph), noise_images({1, 5, 5}, 1, 1, 0), 1, 9, 0);
  const torch::Tensor kernel =
      network.network->parameters()[0].abs().to(torch::kFloat64).contiguous().view(-1);
  for (int i = 0; i < 9; ++i) {
    EXPECT_DOUBLE_EQ(gradients[0][static_cast<size_t>((1 + i / 3) * 5 + 1 + i % 3)],
                     kernel[i].item<double>());
  }
}

TEST(UnitGradients, ChanceIsOfTheImageNotOfItsBatch) {
  torch::manual_seed(7);
  const LoadedNetwork network = hand_made(
      torch::nn::Sequential(convolution(3, 6, 3), torch::nn::ReLU(), convolution(6, 6, 3)),
      {3, 9, 9});
  const auto layers = map_layers(network.graph);
  const auto both = unit_gradients(network, layers, noise_images({3, 9, 9}, 2, 3, 0), 2, 3, 0);
  const auto second = unit_gradients(network, layers, noise_images({3, 9, 9}, 1, 3, 1), 1, 3, 1);
  for (size_t i = 0; i < 81; ++i) EXPECT_NEAR(both[1][81 + i], second[1][i], 1e-12);
}

TEST(UnitGradients, ALayerWithoutMapsIsRefused) {
  const LoadedNetwork network = hand_made(
      torch::nn::Sequential(convolution(1, 2, 3), torch::nn::Flatten(), torch::nn::Linear(18, 4)),
      {1, 5, 5});
  EXPECT_THROW(map_layer(network.graph, "layers.2"), std::invalid_argument);
  EXPECT_THROW(map_layer(network.graph, "layers.9"), std::invalid_argument);
  EXPECT_EQ(map_layer(network.graph, "layers.0").shape[2], 3);
}

}  // namespace
}  // namespace convscope

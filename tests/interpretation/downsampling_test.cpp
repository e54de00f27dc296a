// What may stand in the place of a network's pooling and strided convolutions, by hand arithmetic.
#include "suite/interpretation/downsampling.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "architectures/catalogue.h"
#include "suite/interpretation/downsampled.h"
#include "tests/interpretation/shown_network.h"

namespace convscope {
namespace {

using D = Downsampling;

TEST(DownsamplingExchange, BinomialFiltersAreRowsOfPascalsTriangle) {
  EXPECT_EQ(binomial_filter(1), (std::vector<double>{1}));
  EXPECT_EQ(binomial_filter(2), (std::vector<double>{0.25, 0.5, 0.25}));
  EXPECT_EQ(binomial_filter(3),
            (std::vector<double>{1.0 / 16, 4.0 / 16, 6.0 / 16, 4.0 / 16, 1.0 / 16}));
  EXPECT_EQ(binomial_filter(4), (std::vector<double>{1.0 / 64, 6.0 / 64, 15.0 / 64, 20.0 / 64,
                                                     15.0 / 64, 6.0 / 64, 1.0 / 64}));
}

torch::Tensor map_of_rows(const std::vector<std::vector<double>>& values) {
  std::vector<torch::Tensor> all;
  for (const auto& row : values) all.push_back(torch::tensor(row, torch::kFloat64));
  return torch::stack(all).unsqueeze(0).unsqueeze(0);
}

void expect_equal(const torch::Tensor& found, const torch::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_TRUE(torch::allclose(found, expected, 0, 1e-15)) << found << expected;
}

TEST(DownsamplingExchange, ASinglePixelIsBlurredByHalvesAndQuarters) {
  torch::Tensor image = torch::zeros({1, 1, 5, 5}, torch::kFloat64);
  image[0][0][1][2] = 16;
  // Row 1 is beside rows 0 and 2, and stands for what is beyond row 0, too: 1/2 and 1/4. Column 2
  // is the middle of its own window: 1/2, and in no other.
  expect_equal(blurred_maps(image, {2, 2}, {3, 3}), map_of_rows({{0, 4, 0}, {0, 2, 0}, {0, 0, 0}}));
  // Along one side only.
  expect_equal(blurred_maps(image, {1, 2}, {5, 3}),
               map_of_rows({{0, 0, 0}, {0, 8, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}}));
}

TEST(DownsamplingExchange, WhatIsTheSameEverywhereStaysSo) {
  for (const int64_t stride : {2, 3, 4}) {
    for (const int64_t side : {1, 2, 3, 8, 13}) {
      const torch::Tensor maps = torch::full({2, 3, side, side}, 5, torch::kFloat64);
      const int64_t size = (side + stride - 1) / stride;
      // One more, as rounding up may ask for.
      for (const int64_t asked : {size, size + 1}) {
        const torch::Tensor blurred = blurred_maps(maps, {stride, stride}, {asked, asked});
        EXPECT_EQ(blurred.sizes(), (torch::IntArrayRef{2, 3, asked, asked}));
        EXPECT_TRUE(torch::allclose(blurred, torch::full_like(blurred, 5), 0, 1e-14));
      }
    }
  }
}

/// The exchange's answer for the only call of a network.
torch::Tensor answered(const std::function<torch::Tensor(torch::Tensor)>& call, D downsampling,
                       const torch::Tensor& image) {
  const LoadedNetwork network = shown({torch::nn::Conv2dOptions(1, 1, 1)},
                                      [&](ShownNetwork&, torch::Tensor x) { return call(x); },
                                      {1, image.size(2), image.size(3)});
  ObserveOptions options;
  options.exchange = exchange_of(network.graph, downsampling);
  return observe(*network.network, image, {}, options).result;
}

const std::vector<std::vector<double>> numbers_of_5x5 = {{1, 2, 3, 4, 5},
                                                         {6, 7, 8, 9, 10},
                                                         {11, 12, 13, 14, 15},
                                                         {16, 17, 18, 19, 20},
                                                         {21, 22, 23, 24, 25}};

TEST(DownsamplingExchange, WindowsStayWhereTheyAre) {
  const torch::Tensor image = map_of_rows(numbers_of_5x5);
  const auto max = [](torch::Tensor x) { return torch::max_pool2d(x, 3, 2, 1); };
  expect_equal(answered(max, D::as_built, image),
               map_of_rows({{7, 9, 10}, {17, 19, 20}, {22, 24, 25}}));
  // The corner's window has four pixels within the image: 1, 2, 6, 7.
  expect_equal(answered(max, D::average, image),
               map_of_rows({{4, 5.5, 7}, {11.5, 13, 14.5}, {19, 20.5, 22}}));
  expect_equal(answered(max, D::strided, image),
               map_of_rows({{1, 3, 5}, {11, 13, 15}, {21, 23, 25}}));
  const auto average = [](torch::Tensor x) { return torch::avg_pool2d(x, 3, 2, 1); };
  expect_equal(answered(average, D::max, image), answered(max, D::as_built, image));
  expect_equal(answered(average, D::strided, image), answered(max, D::strided, image));
}

TEST(DownsamplingExchange, RoundingUpKeepsItsLastWindow) {
  const torch::Tensor image =
      map_of_rows({{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}, {13, 14, 15, 16}});
  const auto max = [](torch::Tensor x) { return torch::max_pool2d(x, 3, 2, 0, 1, true); };
  expect_equal(answered(max, D::as_built, image), map_of_rows({{11, 12}, {15, 16}}));
  expect_equal(answered(max, D::average, image), map_of_rows({{6, 7.5}, {12, 13.5}}));
  expect_equal(answered(max, D::strided, image), map_of_rows({{6, 8}, {14, 16}}));
  // The maxima at stride 1 are 11, 12 / 15, 16. Reflection does not reach two beyond a map of two,
  // so that it goes on as it ends: 1/4 11 + 1/2 11 + 1/4 12, and 12.
  expect_equal(answered(max, D::blurred, image), map_of_rows({{12.25, 13}, {15.25, 16}}));
}

TEST(DownsamplingExchange, AConvolutionIsBlurredAfterIt) {
  // Ones: the convolution is 1 everywhere but for its weights, so that a ramp stays one inside.
  torch::manual_seed(2);
  const torch::Tensor image = torch::randn({2, 3, 9, 11}, torch::kFloat64);
  const LoadedNetwork network =
      shown({torch::nn::Conv2dOptions(3, 4, 3).stride(2).padding(1)},
            [](ShownNetwork& n, torch::Tensor x) { return n.layers[0](x); }, {3, 9, 11});
  ObserveOptions options;
  options.exchange = exchange_of(network.graph, D::blurred);
  const torch::NoGradGuard no_gradients;
  const torch::Tensor found = observe(*network.network, image, {}, options).result;
  const auto& layer = static_cast<ShownNetwork&>(*network.network).layers[0];
  const torch::Tensor dense = torch::conv2d(image, layer->weight, layer->bias, 1, 1);
  const torch::Tensor taps = torch::tensor({1.0, 2.0, 1.0}, torch::kFloat64) / 4;
  const torch::Tensor kernel = torch::outer(taps, taps).expand({4, 1, 3, 3});
  const torch::Tensor expected =
      torch::conv2d(torch::reflection_pad2d(dense, {1, 1, 1, 1}), kernel, torch::Tensor(),
                    /*stride=*/torch::IntArrayRef{2, 2}, /*padding=*/torch::IntArrayRef{0, 0},
                    /*dilation=*/torch::IntArrayRef{1, 1}, /*groups=*/4);
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_TRUE(torch::allclose(found, expected, 0, 1e-14));
}

std::vector<D> offered(const char* name) {
  const Architecture& architecture = find_architecture(name);
  return downsamplings(initial_network(architecture, architecture.settings, 0).graph);
}

TEST(DownsamplingExchange, IsOfferedWhereItMakesAnotherNetwork) {
  EXPECT_EQ(offered("resnet20"), (std::vector<D>{D::as_built, D::blurred}));
  EXPECT_EQ(offered("mobilenet_v2"), (std::vector<D>{D::as_built, D::blurred}));
  EXPECT_EQ(offered("squeezenet1_0"),
            (std::vector<D>{D::as_built, D::average, D::strided, D::blurred}));
  EXPECT_EQ(offered("lenet5_avgpool"),
            (std::vector<D>{D::as_built, D::max, D::strided, D::blurred}));
}

TEST(DownsamplingExchange, EveryResultKeepsItsShape) {
  for (const char* name : {"lenet5", "lenet5_1998", "alexnet", "googlenet", "squeezenet1_0",
                           "mobilenet_v2", "resnet18", "mnist_tutorial"}) {
    const Architecture& architecture = find_architecture(name);
    Settings settings = architecture.settings;
    if (settings.image.height > 100) settings.image = {3, 75, 102};
    const LoadedNetwork network = initial_network(architecture, settings, 0);
    std::vector<size_t> calls;
    for (size_t i = 0; i < network.graph.calls.size(); ++i) {
      if (network.graph.calls[i].outputs.size() == 1) calls.push_back(i);
    }
    const torch::NoGradGuard no_gradients;
    const torch::Tensor images =
        torch::randn({2, settings.image.channels, settings.image.height, settings.image.width});
    for (const D downsampling : downsamplings(network.graph)) {
      ObserveOptions options;
      options.exchange = exchange_of(network.graph, downsampling);
      const Observed seen = observe(*network.network, images, calls, options);
      EXPECT_TRUE(seen.result.isfinite().all().item<bool>()) << name << to_string(downsampling);
      for (size_t i = 0; i < calls.size(); ++i) {
        const Call& call = network.graph.calls[calls[i]];
        Shape expected = network.graph.values[static_cast<size_t>(call.outputs[0])].shape;
        if (!expected.empty() && expected[0] == 1) expected[0] = 2;
        EXPECT_EQ(seen.kept[i].sizes().vec(), expected)
            << name << ", " << to_string(downsampling) << ", " << call.layer << ", " << call.op;
      }
    }
  }
}

}  // namespace
}  // namespace convscope

// Shift equivariance: of networks for which it is known by reasoning, and by an oracle that does
// what the definition says, pixel by pixel.
#include "suite/interpretation/shift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "architectures/catalogue.h"
#include "suite/inference/plain_tensors.h"
#include "tests/interpretation/shown_network.h"

namespace convscope {
namespace {

using torch::nn::Conv2dOptions;

WideImage noise(const ImageShape& image, int64_t wider, uint64_t seed = 3) {
  torch::manual_seed(seed);
  const torch::Tensor values =
      torch::randn({image.channels, image.height, image.width + wider}, torch::kFloat32);
  return {plain_values(values), image.width + wider};
}

std::vector<int64_t> up_to(int64_t last) {
  std::vector<int64_t> shifts;
  for (int64_t shift = 0; shift <= last; ++shift) shifts.push_back(shift);
  return shifts;
}

/// The maps of a network's own layers as `forward` hands them out, on a window of the image.
torch::Tensor window(const WideImage& image, const ImageShape& shape, int64_t shift) {
  return torch::from_blob(const_cast<float*>(image.values.data()),
                          {1, shape.channels, shape.height, image.width})
      .to(torch::kFloat64)
      .narrow(3, shift, shape.width);
}

TEST(Shift, WithoutStrideAndPaddingEverythingMovesAlong) {
  for (const auto& [type, most] :
       {std::pair(torch::kFloat64, 1e-14), std::pair(torch::kFloat32, 1e-10)}) {
    const LoadedNetwork network =
        shown({Conv2dOptions(3, 5, 3), Conv2dOptions(5, 7, 5), Conv2dOptions(7, 4, 3).dilation(2)},
              one_by_one, {3, 20, 24}, type);
    const auto layers = map_layers(network.graph);
    ASSERT_EQ(layers.size(), 3u);
    const ShiftResponse response =
        shift_response(network, layers, Downsampling::as_built, noise({3, 20, 24}, 9), up_to(9));
    for (size_t layer = 0; layer < 3; ++layer) {
      EXPECT_EQ(layers[layer].sides[1].stride, 1);
      for (size_t shift = 0; shift <= 9; ++shift) {
        EXPECT_LE(response.maps[layer][shift].all.value(), most) << layer << " " << shift;
        EXPECT_LE(response.maps[layer][shift].inner.value(), most) << layer << " " << shift;
      }
    }
  }
}

TEST(Shift, AStrideShowsBetweenItsMultiples) {
  const LoadedNetwork network =
      shown({Conv2dOptions(3, 4, 3).stride(3), Conv2dOptions(4, 6, 2)}, one_by_one, {3, 18, 27});
  const auto layers = map_layers(network.graph);
  const ShiftResponse response =
      shift_response(network, layers, Downsampling::as_built, noise({3, 18, 27}, 9), up_to(9));
  for (size_t layer = 0; layer < 2; ++layer) {
    EXPECT_EQ(layers[layer].sides[1].stride, 3);
    for (size_t shift = 0; shift <= 9; ++shift) {
      const double distance = response.maps[layer][shift].all.value();
      if (shift % 3 == 0) {
        EXPECT_LE(distance, 1e-14) << shift;
      } else {
        EXPECT_GE(distance, 1e-3) << shift;
      }
    }
  }
}

TEST(Shift, PaddingIsSeenAtTheBorderAlone) {
  const LoadedNetwork network =
      shown({Conv2dOptions(3, 4, 3).stride(2).padding(1), Conv2dOptions(4, 6, 3).padding(1)},
            one_by_one, {3, 16, 32});
  const ShiftResponse response = shift_response(
      network, map_layers(network.graph), Downsampling::as_built, noise({3, 16, 32}, 4), {2, 3, 4});
  for (const auto& layer : response.maps) {
    for (const size_t multiple : {0, 2}) {
      EXPECT_GT(layer[multiple].all.value(), 1e-5);
      EXPECT_LE(layer[multiple].inner.value(), 1e-14);
    }
    EXPECT_GT(layer[1].inner.value(), 1e-3);
  }
}

TEST(Shift, DistancesAreThoseOfMapsInTheImagesResolution) {
  const ImageShape image = {2, 12, 24};
  const LoadedNetwork network = shown(
      {Conv2dOptions(2, 3, 3).stride(4).padding(1)},
      [](ShownNetwork& n, torch::Tensor x) { return n.layers[0](x).flatten(2).mean(2); }, image);
  const WideImage wide = noise(image, 11);
  const ShiftResponse response =
      shift_response(network, map_layers(network.graph), Downsampling::as_built, wide, up_to(11));
  auto& layer = static_cast<ShownNetwork&>(*network.network).layers[0];
  const auto in_image = [&](int64_t shift) {
    return layer(window(wide, image, shift)).repeat_interleave(4, 3).detach();
  };
  const torch::Tensor before = in_image(0);
  for (int64_t shift = 0; shift <= 11; ++shift) {
    const torch::Tensor after = in_image(shift);
    const int64_t pixels = before.size(3) - shift;
    const torch::Tensor similarity = torch::cosine_similarity(before.narrow(3, shift, pixels),
                                                              after.narrow(3, 0, pixels), 1, 1e-30);
    EXPECT_NEAR(response.maps[0][static_cast<size_t>(shift)].all.value(),
                1 - similarity.mean().item<double>(), 1e-12)
        << shift;
  }
}

TEST(Shift, NothingIsFarFromSomethingAndNearToNothing) {
  // One channel: where the ReLU leaves nothing, the vector is zero; elsewhere all point alike.
  // Two rows that are alike, since an image one pixel high is a signal, which has no maps.
  const ImageShape image = {1, 2, 4};
  const auto twice = [](const std::vector<float>& row) {
    std::vector<float> rows = row;
    rows.insert(rows.end(), row.begin(), row.end());
    return rows;
  };
  const LoadedNetwork network = shown(
      {Conv2dOptions(1, 1, 1).bias(false)},
      [](ShownNetwork& n, torch::Tensor x) {
        n.layers[0]->weight.detach().fill_(1);
        return n.layers[0](torch::relu(x)).flatten(1);
      },
      image);
  const auto layers = map_layers(network.graph);
  const auto distance = [&](const std::vector<float>& pixels) {
    return shift_response(network, layers, Downsampling::as_built, {twice(pixels), 6}, {2})
        .maps[0][0]
        .all.value();
  };
  EXPECT_EQ(distance({0, 0, 0, 0, 0, 0}), 0);
  EXPECT_EQ(distance({1, 0, 7, 0, 3, 0}), 0);
  // Moved by 2, pixels 2 and 3 meet themselves: the same vectors, whatever else there is.
  EXPECT_EQ(distance({0, 0, 5, -1, 0, 9}), 0);

  // With a stride of 2, pixels 2 and 3 of the image are cell 1, and after a shift of 1 pixels 1 and
  // 2 are in cells 0 and 1, which see pixels 1 and 3 of the wide image.
  const LoadedNetwork coarse = shown(
      {Conv2dOptions(1, 1, 1).stride(2).bias(false)},
      [](ShownNetwork& n, torch::Tensor x) {
        n.layers[0]->weight.detach().fill_(1);
        return n.layers[0](x).flatten(1);
      },
      image);
  const auto of_one = [&](const std::vector<float>& pixels) {
    return shift_response(coarse, map_layers(coarse.graph), Downsampling::as_built,
                          {twice(pixels), 5}, {1})
        .maps[0][0]
        .all.value();
  };
  // Cells before: pixels 0, 2; after: 1, 3. Pairs by pixel 1, 2, 3: (0, 1), (2, 1), (2, 3).
  EXPECT_NEAR(of_one({0, 0, 2, 0, 0}), 2.0 / 3, 1e-15);   // 0, 1, 1
  EXPECT_NEAR(of_one({1, -1, 2, 0, 0}), 5.0 / 3, 1e-15);  // 2, 2, 1
  EXPECT_NEAR(of_one({1, 1, 2, 3, 0}), 0, 1e-15);
}

TEST(Shift, AnswersAreComparedWithTheImageThatHasNotMoved) {
  const ImageShape image = {1, 1, 3};
  const LoadedNetwork network = shown(
      {Conv2dOptions(1, 1, 1).bias(false)},
      [](ShownNetwork& n, torch::Tensor x) {
        n.layers[0]->weight.detach().fill_(1);
        return n.layers[0](x).flatten(1);
      },
      image);
  // The logits are the pixels that are seen: (2, 1, 0), (1, 0, 2), (0, 2, 1).
  const ShiftResponse response =
      shift_response(network, {}, Downsampling::as_built, {{2, 1, 0, 2, 1}, 5}, {0, 1, 2});
  const double e = std::exp(1.0), sum = e * e + e + 1;
  ASSERT_EQ(response.answers.size(), 3u);
  EXPECT_NEAR(response.answers[0].distance, 0, 1e-15);
  EXPECT_TRUE(response.answers[0].same);
  EXPECT_NEAR(response.answers[0].probability_change, 0, 1e-15);
  EXPECT_NEAR(response.answers[1].distance, 1 - 2.0 / 5, 1e-14);
  EXPECT_FALSE(response.answers[1].same);
  EXPECT_EQ(response.answers[1].top, 2);
  EXPECT_NEAR(response.answers[1].probability_change, (e * e - e) / sum, 1e-14);
  EXPECT_EQ(response.answers[2].top, 1);
  EXPECT_NEAR(response.answers[2].probability_change, (e * e - 1) / sum, 1e-14);
}

TEST(Shift, NumbersThatAreNotFiniteStaySo) {
  const ImageShape image = {1, 2, 4};
  const LoadedNetwork network = shown({Conv2dOptions(1, 2, 1)}, one_by_one, image);
  WideImage wide = noise(image, 1);
  wide.values[2] = std::numeric_limits<float>::infinity();
  const ShiftResponse response =
      shift_response(network, map_layers(network.graph), Downsampling::as_built, wide, {1});
  EXPECT_TRUE(std::isnan(response.maps[0][0].all.value()));
}

TEST(Shift, VeryLargeAndVerySmallMapsHaveDirections) {
  for (const float scale : {1e-30F, 1e30F}) {
    const ImageShape image = {1, 6, 9};
    const LoadedNetwork network =
        shown({Conv2dOptions(1, 3, 2).stride(2).bias(false)}, one_by_one, image, torch::kFloat32);
    WideImage wide = noise(image, 1);
    const double expected =
        shift_response(network, map_layers(network.graph), Downsampling::as_built, wide, {1})
            .maps[0][0]
            .all.value();
    for (float& value : wide.values) value *= scale;
    EXPECT_NEAR(
        shift_response(network, map_layers(network.graph), Downsampling::as_built, wide, {1})
            .maps[0][0]
            .all.value(),
        expected, 1e-6)
        << scale;
  }
}

TEST(Shift, WhereNothingOverlapsThereIsNoDistance) {
  // 1 cell of 7 pixels: a shift by 7 and more leaves none of it.
  const LoadedNetwork network = shown({Conv2dOptions(1, 2, 7).stride(7)}, one_by_one, {1, 7, 12});
  const ShiftResponse response = shift_response(
      network, map_layers(network.graph), Downsampling::as_built, noise({1, 7, 12}, 8), {6, 7, 8});
  EXPECT_TRUE(response.maps[0][0].all);
  EXPECT_FALSE(response.maps[0][1].all);
  EXPECT_FALSE(response.maps[0][2].all);
  EXPECT_FALSE(response.maps[0][2].inner);
}

TEST(Shift, AnImageThatIsTooNarrowIsRefused) {
  const LoadedNetwork network = shown({Conv2dOptions(1, 2, 1)}, one_by_one, {1, 7, 12});
  EXPECT_THROW(shift_response(network, {}, Downsampling::as_built, noise({1, 7, 12}, 3), {4}),
               std::invalid_argument);
  EXPECT_THROW(shift_response(network, {}, Downsampling::as_built, {{1, 2, 3}, 20}, {4}),
               std::invalid_argument);
}

TEST(Shift, ALayerWithoutMapsIsRefusedByNamingThoseThatHaveThem) {
  const LoadedNetwork network =
      initial_network(find_architecture("lenet5"), find_architecture("lenet5").settings, 0);
  EXPECT_EQ(map_layer(network.graph, "conv2").sides[1].stride, 2);
  EXPECT_EQ(map_layer(network.graph, "conv2+max_pool2d").sides[1].stride, 4);
  for (const char* layer : {"fc1", "conv9"}) {
    try {
      map_layer(network.graph, layer);
      FAIL() << layer;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("conv1"), std::string::npos) << error.what();
    }
  }
}

/// Fields, strides and paddings of the catalogue are right, and so is every exchange, if the inner
/// part of each layer moves along with shifts by its stride, and all of it with none.
class ShiftOfNetworks : public testing::TestWithParam<const char*> {};

TEST_P(ShiftOfNetworks, InnerMapsMoveAlongWithTheirStride) {
  const Architecture& architecture = find_architecture(GetParam());
  Settings settings = architecture.settings;
  if (settings.image.height > 100) settings.image = {3, 63, 191};
  const LoadedNetwork network = initial_network(architecture, settings, 1);
  const auto layers = map_layers(network.graph);
  const WideImage image = noise(settings.image, 16);
  std::vector<int64_t> shifts = {0, 1, 2, 4, 8, 16};
  if (settings.image.width < 100) shifts = {0, 1, 2, 4, 8};
  size_t found = 0;
  for (const Downsampling one : downsamplings(network.graph)) {
    const ShiftResponse response = shift_response(network, layers, one, image, shifts);
    for (size_t layer = 0; layer < layers.size(); ++layer) {
      EXPECT_LE(response.maps[layer][0].all.value(), 1e-9) << layers[layer].name;
      for (size_t i = 0; i < shifts.size(); ++i) {
        const auto inner = response.maps[layer][i].inner;
        if (!inner || shifts[i] % layers[layer].sides[1].stride != 0) continue;
        ++found;
        EXPECT_LE(*inner, 1e-8) << to_string(one) << ", " << layers[layer].name << " at a shift of "
                                << shifts[i];
      }
    }
  }
  EXPECT_GE(found, layers.size());
}

INSTANTIATE_TEST_SUITE_P(Catalogue, ShiftOfNetworks,
                         testing::Values("lenet5", "lenet5_avgpool", "alexnet", "squeezenet1_0",
                                         "googlenet", "resnet18", "resnet20", "mobilenet_v2"));

TEST(Shift, ABlurMakesMapsMoveLess) {
  const ImageShape image = {3, 33, 47};
  const LoadedNetwork network = shown(
      {Conv2dOptions(3, 8, 3).padding(1), Conv2dOptions(8, 8, 3).padding(1)},
      [](ShownNetwork& n, torch::Tensor x) {
        for (auto& layer : n.layers) x = torch::max_pool2d(torch::relu(layer(x)), 2);
        return x.flatten(2).mean(2);
      },
      image, torch::kFloat32);
  const auto layers = map_layers(network.graph);
  ASSERT_EQ(downsamplings(network.graph),
            (std::vector<Downsampling>{Downsampling::as_built, Downsampling::average,
                                       Downsampling::strided, Downsampling::blurred}));
  const WideImage wide = noise(image, 3);
  const auto distance = [&](Downsampling one) {
    const auto last = shift_response(network, layers, one, wide, {1, 2, 3}).maps.back();
    return last[0].all.value() + last[1].all.value() + last[2].all.value();
  };
  EXPECT_LT(distance(Downsampling::blurred), distance(Downsampling::average));
  EXPECT_LT(distance(Downsampling::average), distance(Downsampling::strided));
  EXPECT_LT(distance(Downsampling::blurred), 0.7 * distance(Downsampling::as_built));
}

}  // namespace
}  // namespace convscope

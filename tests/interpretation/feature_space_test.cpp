// Neighbours and principal components, against points whose angles and axes are known by hand.
#include "suite/interpretation/feature_space.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/linear.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "architectures/catalogue.h"
#include "architectures/network.h"
#include "suite/analysis/network_trace.h"
#include "suite/data/random.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

FeatureRows rows(const std::vector<std::vector<float>>& values) {
  FeatureRows features{static_cast<int64_t>(values.at(0).size()), {}};
  for (const auto& row : values) {
    features.values.insert(features.values.end(), row.begin(), row.end());
  }
  return features;
}

/// In the plane, at an angle in degrees and at a distance.
std::vector<float> at_angle(double degrees, double distance) {
  const double angle = degrees * M_PI / 180;
  return {static_cast<float>(distance * std::cos(angle)),
          static_cast<float>(distance * std::sin(angle))};
}

std::vector<size_t> indices(const std::vector<Neighbour>& neighbours) {
  std::vector<size_t> all;
  for (const Neighbour& neighbour : neighbours) all.push_back(neighbour.index);
  return all;
}

TEST(Neighbours, AreThoseAtTheSmallestAngleHoweverFar) {
  const FeatureRows data =
      rows({at_angle(90, 1), at_angle(0, 5), at_angle(20, 0.1), at_angle(10, 30)});
  const auto found = nearest(data, rows({at_angle(12, 2)}), {no_image}, 3);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(indices(found[0]), (std::vector<size_t>{3, 2, 1}));
  EXPECT_NEAR(found[0][0].similarity, std::cos(2 * M_PI / 180), 1e-7);
  EXPECT_NEAR(found[0][2].similarity, std::cos(12 * M_PI / 180), 1e-7);
}

TEST(Neighbours, ADuplicateIsNearestWithSimilarityOneAndTheLowerIndexComesFirst) {
  FeatureRows data =
      rows({{0.3f, 0.7f, 0.11f}, {1, 0, 0}, {0.3f, 0.7f, 0.11f}, {0.3f, 0.7f, 0.11f}});
  const auto found = nearest(data, data, {0, 1, 2, 3}, 3);
  EXPECT_EQ(indices(found[0]), (std::vector<size_t>{2, 3, 1})) << "each without itself";
  EXPECT_EQ(indices(found[2]), (std::vector<size_t>{0, 3, 1}));
  EXPECT_EQ(indices(found[1]), (std::vector<size_t>{0, 2, 3}));
  EXPECT_EQ(found[0][0].similarity, 1);
  EXPECT_EQ(found[0][1].similarity, 1);
}

TEST(Neighbours, NothingIsSimilarToZerosAndOppositesAreLast) {
  const FeatureRows data = rows({{-1, 0}, {0, 0}, {0.1f, 0}});
  const auto found = nearest(data, rows({{2, 0}, {0, 0}}), {no_image, 1}, 2);
  EXPECT_EQ(indices(found[0]), (std::vector<size_t>{2, 1}));
  EXPECT_EQ(found[0][1].similarity, 0);
  EXPECT_EQ(indices(found[1]), (std::vector<size_t>{0, 2}));
  EXPECT_EQ(nearest(data, rows({{2, 0}}), {no_image}, 3)[0][2].similarity, -1);
}

TEST(Neighbours, OfManyImagesAreThoseThatALoopFinds) {
  constexpr size_t count = 5000, queries = 300, most = 4;  // more than a block of either
  constexpr int64_t size = 5;
  Random random(7);
  FeatureRows data{size, {}};
  for (size_t i = 0; i < count * size; ++i) {
    data.values.push_back(static_cast<float>(random.below(7) - 3));  // many equal directions
  }
  const FeatureRows asked{size, {data.values.begin(), data.values.begin() + queries * size}};
  std::vector<size_t> itself(queries);
  for (size_t q = 0; q < queries; ++q) itself[q] = q;
  const auto found = nearest(data, asked, itself, most);
  for (size_t q = 0; q < queries; ++q) {
    std::vector<std::pair<double, size_t>> all;
    for (size_t i = 0; i < count; ++i) {
      if (i == q) continue;
      long double product = 0, a = 0, b = 0;
      for (int64_t k = 0; k < size; ++k) {
        const long double x = data.row(q)[k], y = data.row(i)[k];
        product += x * y;
        a += x * x;
        b += y * y;
      }
      const long double cosine = a * b > 0 ? product / std::sqrt(a * b) : 0;
      all.emplace_back(-static_cast<double>(std::round(cosine * 1e9L)), i);
    }
    std::sort(all.begin(), all.end());
    for (size_t k = 0; k < most; ++k) EXPECT_EQ(found[q][k].index, all[k].second) << q << " " << k;
  }
}

TEST(Neighbours, EqualCosinesAreEqualWhateverTheOrderOfTheirSums) {
  std::vector<float> row = {0.1f, 0.2f, 0.3f, 0.45f, 0.7f};
  std::vector<std::vector<float>> permutations;
  do {
    permutations.push_back(row);
  } while (std::next_permutation(row.begin(), row.end()));
  const auto found = nearest(rows(permutations), rows({{1, 1, 1, 1, 1}}), {no_image}, 5);
  EXPECT_EQ(indices(found[0]), (std::vector<size_t>{0, 1, 2, 3, 4}));
}

TEST(Neighbours, FewerImagesThanAskedForAreAnError) {
  const FeatureRows two = rows({{1, 0}, {0, 1}});
  EXPECT_NO_THROW(nearest(two, two, {0, 1}, 1));
  EXPECT_THROW(nearest(two, two, {0, 1}, 2), std::invalid_argument);
  EXPECT_THROW(nearest(two, rows({{1, 0, 0}}), {no_image}, 1), std::invalid_argument);
}

TEST(Neighbours, DecideByMajorityAndAmongEqualsByTheNearest) {
  const std::vector<int64_t> labels = {5, 6, 6, 5, 7};
  const std::vector<Neighbour> neighbours = {{4, 0.9}, {1, 0.8}, {0, 0.7}, {2, 0.6}, {3, 0.5}};
  EXPECT_EQ(majority(neighbours, labels, 1), 7);
  EXPECT_EQ(majority(neighbours, labels, 3), 7) << "one each";
  EXPECT_EQ(majority(neighbours, labels, 4), 6);
  EXPECT_EQ(majority(neighbours, labels, 5), 6) << "6 and 5 twice, a 6 is nearer";
  EXPECT_THROW(majority(neighbours, labels, 6), std::invalid_argument);
}

TEST(PrincipalComponents, OfPointsOnALineAreThatLine) {
  const auto found = principal_components(rows({{1, 1}, {4, 5}, {7, 9}}), 2);
  ASSERT_EQ(found.count, 2u);
  EXPECT_NEAR(found.shares[0], 1, 1e-12);
  EXPECT_EQ(found.shares[1], 0);
  EXPECT_NEAR(found.loadings[0], 0.6, 1e-12);
  EXPECT_NEAR(found.loadings[1], 0.8, 1e-12);
  EXPECT_NEAR(found.scores[0], -5, 1e-12);
  EXPECT_NEAR(found.scores[2], 0, 1e-12);
  EXPECT_NEAR(found.scores[4], 5, 1e-12);
  EXPECT_EQ(found.scores[1], 0) << "of the second component";
}

TEST(PrincipalComponents, OfATurnedEllipseAreItsAxes) {
  // Ends of axes of 5 and 2, turned by 30 degrees, around (10, -3).
  std::vector<std::vector<float>> points;
  for (const auto& [degrees, length] : {std::pair(30, 5), {210, 5}, {120, 2}, {300, 2}}) {
    const auto point = at_angle(degrees, length);
    points.push_back({10 + point[0], -3 + point[1]});
  }
  const auto found = principal_components(rows(points), 2);
  EXPECT_NEAR(found.shares[0], 25.0 / 29, 1e-6);
  EXPECT_NEAR(found.shares[1], 4.0 / 29, 1e-6);
  EXPECT_NEAR(found.loadings[0], std::cos(M_PI / 6), 1e-6);
  EXPECT_NEAR(found.loadings[1], 0.5, 1e-6);
  EXPECT_NEAR(found.loadings[2], -0.5, 1e-6) << "its larger entry is positive";
  EXPECT_NEAR(found.loadings[3], std::cos(M_PI / 6), 1e-6);
  EXPECT_NEAR(found.scores[0], 5, 1e-6);
  EXPECT_NEAR(found.scores[2 * 3 + 1], -2, 1e-6);
}

FeatureRows some_features(size_t count, int64_t size, float sign = 1) {
  Random random(3);
  FeatureRows features{size, {}};
  for (size_t i = 0; i < count * static_cast<size_t>(size); ++i) {
    features.values.push_back(sign * static_cast<float>(random.uniform()));
  }
  return features;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double factor = 1) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], factor * b[i], 1e-9) << i;
}

TEST(PrincipalComponents, AreTheSameOfFewImagesAndOfTheseTwice) {
  // 4 images of 6 numbers go one way through the arithmetic, 8 the other.
  const FeatureRows once = some_features(4, 6);
  FeatureRows twice = once;
  twice.values.insert(twice.values.end(), once.values.begin(), once.values.end());
  const auto a = principal_components(once, 3), b = principal_components(twice, 3);
  expect_near(a.shares, b.shares);
  expect_near(a.loadings, b.loadings);
  EXPECT_NEAR(a.shares[0] + a.shares[1] + a.shares[2], 1, 1e-9) << "4 images span 3 dimensions";
  const auto all = principal_components(once, 6);
  EXPECT_EQ(all.shares[3], 0);
  EXPECT_EQ(all.scores[3], 0);
}

TEST(PrincipalComponents, KeepTheirDirectionsWhereAllImagesAreNegated) {
  const auto a = principal_components(some_features(9, 4), 4);
  const auto b = principal_components(some_features(9, 4, -1), 4);
  expect_near(a.loadings, b.loadings);
  expect_near(a.scores, b.scores, -1);
  for (size_t c = 0; c < 4; ++c) {
    const auto from = a.loadings.begin() + static_cast<std::ptrdiff_t>(4 * c);
    const auto [low, high] = std::minmax_element(from, from + 4);
    EXPECT_GT(*high, -*low);
  }
}

TEST(PrincipalComponents, OfImagesThatDoNotDifferAreZero) {
  const auto found = principal_components(rows({{1e6f, 0.1f}, {1e6f, 0.1f}, {1e6f, 0.1f}}), 2);
  EXPECT_EQ(found.shares, (std::vector<double>{0, 0}));
  EXPECT_EQ(found.scores, (std::vector<double>(6)));
  EXPECT_THROW(principal_components(rows({{1, 2}}), 2), std::invalid_argument);
}

TEST(FeaturePlace, IsWhatTheHeadTakes) {
  struct Expected {
    const char* network;
    int64_t size;
    bool maps;
    const char* named;
  };
  for (const Expected& expected : {Expected{"mnist_tutorial", 50, false, "the input of fc2"},
                                   {"resnet20", 64, false, "the input of linear"},
                                   {"mobilenet_v2", 1280, false, "the input of classifier.1"},
                                   {"vgg16", 4096, false, "the input of classifier.6"},
                                   {"inception_v3", 2048, false, "the input of fc"},
                                   {"squeezenet1_0", 512, true, "the input of classifier.1"}}) {
    const Architecture& architecture = find_architecture(expected.network);
    const FeaturePlace place =
        feature_place(trace_network(architecture, architecture.settings), "");
    EXPECT_EQ(place.size, expected.size) << expected.network;
    EXPECT_EQ(place.maps, expected.maps) << expected.network;
    EXPECT_EQ(place.named, expected.named);
  }
}

TEST(FeaturePlace, OfEveryNetworkIsFoundByItself) {
  for (const Architecture& architecture : catalogue()) {
    const Graph graph = trace_network(architecture, architecture.settings);
    EXPECT_GT(feature_place(graph, "").size, 1) << architecture.name;
  }
}

TEST(FeaturePlace, AnUnknownLayerListsThoseThatThereAre) {
  const Architecture& lenet = find_architecture("lenet5");
  const Graph graph = trace_network(lenet, lenet.settings);
  const std::string said =
      message_of<std::invalid_argument>([&] { feature_place(graph, "conv9"); });
  EXPECT_NE(said.find("conv1"), std::string::npos) << said;
}

TEST(AddFeatures, TheHeadMakesTheLogitsOfThemAndMapsAreAveraged) {
  const Architecture& architecture = find_architecture("resnet20");
  const LoadedNetwork network = initial_network(architecture, architecture.settings, 1);
  torch::manual_seed(2);
  const torch::Tensor images = torch::randn({3, 3, 32, 32});
  const std::vector<float> values(images.data_ptr<float>(),
                                  images.data_ptr<float>() + images.numel());
  FeatureRows at_head, at_maps;
  add_features(network, feature_place(network.graph, ""), values, 3, at_head);
  add_features(network, feature_place(network.graph, "layer3"), values, 3, at_maps);
  ASSERT_EQ(at_head.count(), 3u);
  const torch::Tensor features = torch::from_blob(at_head.values.data(), {3, 64});
  const auto parameters = network.network->named_parameters();
  const torch::Tensor logits = torch::nn::functional::linear(features, parameters["linear.weight"],
                                                             parameters["linear.bias"]);
  EXPECT_TRUE(torch::allclose(logits, network.network->forward(images), 1e-4, 1e-5));
  // ResNet pools its last maps over all positions.
  EXPECT_TRUE(
      torch::allclose(features, torch::from_blob(at_maps.values.data(), {3, 64}), 1e-4, 1e-6));
}

}  // namespace
}  // namespace convscope

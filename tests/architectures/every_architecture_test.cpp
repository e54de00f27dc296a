// What must hold for each network of the catalogue, so that a new one is tested without a new test.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "architectures/catalogue.h"
#include "architectures/efficientnet.h"
#include "architectures/network.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/graph_layers.h"
#include "suite/analysis/network_trace.h"
#include "suite/analysis/stages.h"
#include "suite/analysis/trace.h"

namespace convscope {
namespace {

/// Of one image: a number for each class, at each position where the network is dense.
Shape answer(const Architecture& architecture, const Settings& settings) {
  if (!architecture.dense) return {settings.classes};
  return {settings.classes, settings.image.height, settings.image.width};
}

class EveryArchitecture : public testing::TestWithParam<Architecture> {};

TEST_P(EveryArchitecture, HasACompleteCost) {
  const Cost result = cost(trace_network(GetParam(), GetParam().settings));
  EXPECT_TRUE(result.complete()) << unknown_operators(result);
  EXPECT_GT(result.macs, 0);
  EXPECT_EQ(result.unused_params, 0);
  // What looks into the past alone has its paths end, not centre, at the same sample.
  EXPECT_EQ(result.aligned, GetParam().name != "wavenet");
  EXPECT_EQ(result.output, answer(GetParam(), GetParam().settings));
}

TEST_P(EveryArchitecture, TotalsAreTheSumsOfItsLayers) {
  const Cost result = cost(trace_network(GetParam(), GetParam().settings));
  Cost sum;
  for (const LayerCost& layer : result.layers) {
    sum.params += layer.params;
    sum.macs += layer.macs;
    sum.flops += layer.flops;
    sum.activations += layer.activations;
  }
  EXPECT_EQ(sum.params, result.params);
  EXPECT_EQ(sum.macs, result.macs);
  EXPECT_EQ(sum.flops, result.flops);
  EXPECT_EQ(sum.activations, result.activations);
}

TEST_P(EveryArchitecture, TakesOtherClassesAndChannels) {
  Settings settings = GetParam().settings;
  settings.image.channels = 2;
  EXPECT_EQ(cost(trace_network(GetParam(), settings)).output, answer(GetParam(), settings));
  if (GetParam().name == "lenet5_1998") return;  // its ten answers are pictures of digits
  settings.classes = 7;
  EXPECT_EQ(cost(trace_network(GetParam(), settings)).output, answer(GetParam(), settings));
}

TEST_P(EveryArchitecture, FieldIsWhatTheGradientFinds) {
  EXPECT_EQ(cost(trace_network(GetParam(), GetParam().settings)).field,
            measure_field(GetParam(), GetParam().settings));
}

TEST_P(EveryArchitecture, StagesShareOutEveryParameterAndEveryMac) {
  const Cost whole = cost(trace_network(GetParam(), GetParam().settings));
  const std::vector<NetworkStage> stages = stages_of(GetParam(), GetParam().settings);
  ASSERT_GE(stages.size(), 2u);
  EXPECT_EQ(stages.back().name, "head");
  EXPECT_EQ(stages.back().output, whole.output);
  int64_t params = 0, macs = 0;
  std::set<std::string> names, tensors;
  for (const NetworkStage& stage : stages) {
    EXPECT_TRUE(names.insert(stage.name).second) << stage.name;
    for (const std::string& tensor : stage.tensors) {
      EXPECT_TRUE(tensors.insert(tensor).second) << tensor << " is in two stages";
    }
    params += stage.params;
    macs += stage.macs;
  }
  EXPECT_EQ(params, whole.params);
  EXPECT_EQ(macs, whole.macs);
  // Another number of classes is the head's affair alone.
  if (GetParam().name == "lenet5_1998") return;
  Settings other = GetParam().settings;
  other.classes = 7;
  const auto again = stages_of(GetParam(), other);
  for (size_t i = 0; i + 1 < stages.size(); ++i) EXPECT_EQ(again[i].params, stages[i].params);
  EXPECT_LT(again.back().params, stages.back().params);
}

/// A batch of two, as small as keeps a test short: on less than the paper's image if the network
/// takes less.
Settings small(const Architecture& architecture) {
  Settings settings = architecture.settings;
  settings.auxiliary = true;
  const bool aux_needs_it_all = architecture.name == "inception_v3";
  if (!aux_needs_it_all) {
    settings.image.height = std::min<int64_t>(settings.image.height, 128);
    settings.image.width = std::min<int64_t>(settings.image.width, 128);
  }
  return settings;
}

torch::Tensor two_images(const ImageShape& image) {
  torch::manual_seed(0);
  return torch::randn({2, image.channels, image.height, image.width});
}

TEST_P(EveryArchitecture, ForwardAndBackwardReachEveryParameter) {
  const Settings settings = small(GetParam());
  const auto network = GetParam().build(settings);
  network->train();
  const torch::Tensor logits = network->forward(two_images(settings.image));
  Shape expected = answer(GetParam(), settings);
  expected.insert(expected.begin(), 2);
  ASSERT_EQ(logits.sizes(), torch::IntArrayRef(expected));
  torch::Tensor loss = logits.square().mean();
  for (const AuxiliaryLogits& head : network->auxiliary) {
    EXPECT_EQ(head.logits.sizes(), logits.sizes());
    loss = loss + head.loss_weight * head.logits.square().mean();
  }
  loss.backward();
  for (const auto& parameter : network->named_parameters()) {
    EXPECT_TRUE(parameter.value().grad().defined()) << parameter.key();
  }
}

TEST_P(EveryArchitecture, EvaluationIsTheSameTwiceAndHasNoAuxiliaryHeads) {
  const torch::NoGradGuard no_grad;
  const Settings settings = small(GetParam());
  const auto network = GetParam().build(settings);
  network->eval();
  const torch::Tensor images = two_images(settings.image);
  const torch::Tensor logits = network->forward(images);
  // Hundreds of additions double what they are given where no statistics have been learnt.
  const bool overflows = GetParam().name == "resnet1202" || GetParam().name == "preact_resnet1001";
  EXPECT_TRUE(logits.isfinite().all().item<bool>() || overflows);
  EXPECT_TRUE(torch::allclose(logits, network->forward(images), 0, 0, /*equal_nan=*/true));
  EXPECT_TRUE(network->auxiliary.empty());
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryArchitecture, testing::ValuesIn(catalogue()),
                         [](const auto& network) { return network.param.name; });

TEST(Catalogue, FindsByNameAndSuggestsTheNearest) {
  EXPECT_EQ(find_architecture("vgg16").name, "vgg16");
  try {
    find_architecture("resnet51");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'resnet50'?"), std::string::npos);
  }
}

TEST(Catalogue, WildcardsPickEachNetworkOnce) {
  EXPECT_EQ(match_architectures({"vgg1?", "vgg16"}).size(), 4u);
  EXPECT_EQ(match_architectures({"*"}).size(), catalogue().size());
  EXPECT_THROW(match_architectures({"nothing*"}), std::invalid_argument);
}

TEST(Growth, OfTheTraceIsLinearInDepth) {
  const auto calls = [](const char* name) {
    const Architecture& network = find_architecture(name);
    return double(trace_network(network, network.settings).calls.size());
  };
  const double per_layer = (calls("resnet110") - calls("resnet20")) / (110 - 20);
  EXPECT_NEAR((calls("resnet1202") - calls("resnet110")) / (1202 - 110), per_layer, 0.01);
}

TEST(ShuffleNetV2, UnitEndsWithItsShuffleNotWithTheSplitOfTheNext) {
  const Architecture& network = find_architecture("shufflenet_v2_x1_0");
  const Graph graph = trace_network(network, network.settings);
  const Call& last = graph.calls[last_call_of(graph, "stage3.1")];
  EXPECT_EQ(last.op, "aten::view");
  EXPECT_EQ(graph.values[static_cast<size_t>(last.outputs[0])].shape, (Shape{1, 232, 14, 14}));
}

TEST(EfficientNet, TripletOfThePaperDoublesTheWork) {
  // Section 3.3: alpha beta^2 gamma^2 is about 2, and alpha, beta and gamma are what phi = 1 gives.
  const CompoundScale one = compound_scale(1), two = compound_scale(2);
  EXPECT_NEAR(one.depth, 1.2, 1e-9);
  EXPECT_NEAR(one.width, 1.1, 1e-9);
  EXPECT_NEAR(one.resolution, 1.15, 1e-9);
  EXPECT_NEAR(one.depth * std::pow(one.width * one.resolution, 2), 2, 0.1);
  EXPECT_NEAR(two.depth, 1.44, 1e-9);
}

TEST(EfficientNet, PublishedScalesAreTheRuleRounded) {
  const std::pair<const char*, double> phis[] = {{"efficientnet_b1", 0.5}, {"efficientnet_b2", 1},
                                                 {"efficientnet_b3", 2},   {"efficientnet_b4", 3.5},
                                                 {"efficientnet_b5", 5},   {"efficientnet_b6", 6},
                                                 {"efficientnet_b7", 7}};
  const Architecture& b0 = find_architecture("efficientnet_b0");
  const Cost base = cost(trace_network(b0, b0.settings));
  for (const auto& [name, phi] : phis) {
    const Architecture& network = find_architecture(name);
    const CompoundScale rule = compound_scale(phi);
    EXPECT_NEAR(network.settings.width, rule.width, 0.055) << name;
    EXPECT_NEAR(double(network.settings.image.height) / (224 * rule.resolution), 1, 0.05) << name;
    const double work =
        double(cost(trace_network(network, network.settings)).macs) / double(base.macs);
    const double by_rule = rule.depth * std::pow(rule.width * rule.resolution, 2);
    // Blocks and channels are rounded up, which the small ones feel most.
    EXPECT_GT(work, 0.95 * by_rule) << name;
    EXPECT_LT(work, 1.35 * by_rule) << name;
  }
}

TEST(LeNet5Of1998, HasThePapersConnections) {
  const Architecture& network = find_architecture("lenet5_1998");
  const Cost result = cost(trace_network(network, network.settings));
  // Section II.B: C and F units connect to each input and a bias, S units to four pixels and a
  // bias, output units to each input.
  int64_t connections = 84 * 10;
  for (const LayerCost& layer : result.layers) {
    const int64_t outputs = element_count(layer.out_shape);
    if (layer.kind == "convolution" || layer.kind == "linear") connections += layer.macs + outputs;
    if (layer.kind == "pooling") connections += 5 * outputs;
  }
  EXPECT_EQ(connections, 340908);
  EXPECT_EQ(result.params, 60000);
}

TEST(DeepLabV3, BodySeesAsFarAsResNet50AtEitherStride) {
  for (const auto& [name, stride] :
       {std::pair("deeplabv3_resnet50", 8), std::pair("deeplabv3_resnet50_os16", 16)}) {
    const Architecture& network = find_architecture(name);
    std::vector<Field> last;
    for (const LayerCost& layer : cost(trace_network(network, network.settings)).layers) {
      if (layer.layer.rfind("backbone.layer4.", 0) == 0) last = layer.field;
    }
    ASSERT_EQ(last.size(), 2u) << name;
    EXPECT_EQ(last[0].size, 427) << name;  // rfa_toolbox's README, of ResNet-50
    EXPECT_EQ(last[0].stride, stride) << name;
  }
}

TEST(VisionTransformer, RefusesAnImageThatPatchesDoNotCover) {
  const Architecture& network = find_architecture("vit_b_16");
  Settings settings = network.settings;
  settings.image.width = 230;
  try {
    trace_network(network, settings);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("multiples of 16"), std::string::npos);
  }
}

}  // namespace
}  // namespace convscope

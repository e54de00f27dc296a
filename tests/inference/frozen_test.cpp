// The fast form of a network must compute what the network computes.
#include "suite/inference/frozen.h"

#include <gtest/gtest.h>

#include "architectures/catalogue.h"

namespace convscope {
namespace {

/// Deeper ones of the same blocks would only take longer.
const std::vector<std::string> one_of_each_kind = {
    "lenet5*",      "alexnet*",     "vgg11*",      "googlenet*",   "inception_v3",
    "resnet18",     "resnet50",     "resnet50_v1", "resnet20",     "squeeze*",
    "mobilenet_v1", "mobilenet_v2", "mnist*",      "mobilenet_v3*"};

class EveryFrozenNetwork : public testing::TestWithParam<Architecture> {};

TEST_P(EveryFrozenNetwork, ComputesTheSame) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  Settings settings = GetParam().settings;
  const bool pools_to_a_size = settings.classes == 1000 && GetParam().year < 2015;
  if (!pools_to_a_size)
    settings.image.height = settings.image.width = std::min<int64_t>(settings.image.height, 96);
  const auto network = GetParam().build(settings);
  network->eval();
  const ImageShape shape = settings.image;
  const auto images = [&] { return torch::randn({2, shape.channels, shape.height, shape.width}); };
  Frozen frozen(*network, images());
  const std::vector<std::string> operators = frozen.operators();
  EXPECT_EQ(std::count(operators.begin(), operators.end(), "aten::batch_norm"), 0);
  EXPECT_GT(std::count(operators.begin(), operators.end(), "prim::mkldnn_convolution"), 0);
  for (int again = 0; again < 2; ++again) {  // the first run rewrites the graph once more
    const torch::Tensor batch = images();
    const torch::Tensor expected = network->forward(batch);
    const double scale = std::max(1.0, expected.abs().max().item<double>());
    EXPECT_LE((frozen.forward(batch) - expected).abs().max().item<double>() / scale, 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryFrozenNetwork,
                         testing::ValuesIn(match_architectures(one_of_each_kind)),
                         [](const auto& network) { return network.param.name; });

}  // namespace
}  // namespace convscope

// What other tools count, on layers whose numbers fit on paper. CONVENTIONS.md names where each
// rule was read; whole networks are compared in oracle_test.cpp.
#include "suite/analysis/conventions.h"

#include <gtest/gtest.h>

#include "tests/analysis/hand_made.h"

namespace convscope {
namespace {

int64_t counted(const std::string& convention, const HandMade& net) {
  return count(find_convention(convention), net.graph, cost(net.graph));
}

void made_by_modules(HandMade& net, bool of_module = true) {
  for (Call& call : net.graph.calls) call.of_module = of_module;
}

/// 4 filters of 3x3x3 with a bias on 8x8 pixels, so 6x6 positions: 144 results, 3888 products.
HandMade classic_layer() {
  HandMade net({3, 8, 8});
  int x = net.conv(net.image(), 4, 3, 1, 0, /*bias=*/true);
  x = net.norm(x);
  x = net.call("aten::relu_", {x});
  net.call("aten::adaptive_avg_pool2d", {x}, {{"output_size", std::vector<int64_t>{1, 1}}});
  made_by_modules(net);
  return net;
}

TEST(Conventions, EachToolCountsAClassicLayerItsOwnWay) {
  const HandMade net = classic_layer();
  EXPECT_EQ(counted("macs", net), 3888);
  EXPECT_EQ(counted("torchvision", net), 3888);
  EXPECT_EQ(counted("flops", net), 2 * 3888 + 144 + 2 * 144 + 144 + 144);
  EXPECT_EQ(counted("fvcore", net), 3888 + 2 * 144 + 144);
  EXPECT_EQ(counted("ptflops-modules", net), 3888 + 144 + 2 * 144 + 144 + 144);
  EXPECT_EQ(counted("ptflops", net), 3888 + 144 + 2 * 144 + 2 * 144 + 2 * 144);
  EXPECT_EQ(counted("ptflops-aten", net), 3888 + 144);
  EXPECT_EQ(counted("torchinfo", net), 3888 + 144 + 8);
}

TEST(Conventions, WhatFunctionsDoIsCountedOnceOrNotAtAll) {
  HandMade net = classic_layer();
  net.graph.calls[2].of_module = net.graph.calls[3].of_module = false;
  EXPECT_EQ(counted("ptflops", net), 3888 + 144 + 2 * 144 + 144 + 144);
  EXPECT_EQ(counted("ptflops-modules", net), 3888 + 144 + 2 * 144);
  made_by_modules(net, false);
  EXPECT_EQ(counted("torchinfo", net), 8);
  EXPECT_EQ(counted("fvcore", net), 3888 + 2 * 144 + 144);
}

TEST(Conventions, PtflopsSeesAnActivationAsOftenAsItsModuleAndItsFunctionDo) {
  const auto counts = [](const std::string& op) {
    HandMade net({4, 5, 5});
    net.call(op, {net.image()});
    std::string text;
    for (const bool of_module : {true, false}) {
      made_by_modules(net, of_module);
      for (const char* convention : {"ptflops", "ptflops-modules"}) {
        text += std::to_string(counted(convention, net) / 100) + " ";
      }
    }
    return text;
  };
  EXPECT_EQ(counts("aten::relu"), "2 1 1 0 ");
  EXPECT_EQ(counts("aten::relu6"), "1 1 1 0 ");     // nn.ReLU6 calls F.hardtanh
  EXPECT_EQ(counts("aten::hardtanh"), "1 1 0 0 ");  // as Python's trace has it
  EXPECT_EQ(counts("aten::gelu"), "2 1 1 0 ");
  EXPECT_EQ(counts("aten::silu"), "1 0 1 0 ");
  EXPECT_EQ(counts("aten::leaky_relu"), "1 1 0 0 ");
  EXPECT_EQ(counts("aten::hardswish"), "0 0 0 0 ");
  EXPECT_EQ(counts("aten::sigmoid"), "0 0 0 0 ");
}

TEST(Conventions, LayerNormHasAWeightOfItsOwnInEachTool) {
  HandMade net({10, 6});
  const int weight = net.weight("n.weight", {6}), bias = net.weight("n.bias", {6});
  net.call("aten::layer_norm", {net.image(), weight, bias});
  made_by_modules(net);
  EXPECT_EQ(counted("fvcore", net), 5 * 60);
  EXPECT_EQ(counted("ptflops", net), 60);
  EXPECT_EQ(counted("torchinfo", net), 12);
}

TEST(Conventions, TransposedConvolutionIsCountedByItsResultWhereAHookCounts) {
  HandMade net({3, 4, 4});
  const int weight = net.weight("up.weight", {3, 5, 2, 2});
  net.call("aten::conv_transpose2d", {net.image(), weight, -1},
           {{"stride", std::vector<int64_t>{2}}});
  made_by_modules(net);
  EXPECT_EQ(counted("macs", net), 16 * 60);
  EXPECT_EQ(counted("fvcore", net), 16 * 60);
  EXPECT_EQ(counted("ptflops", net), 64 * 60);
  EXPECT_EQ(counted("torchinfo", net), 64 * 60);
}

TEST(Conventions, BiasOfALinearLayerOnRowsIsABiasWhereverItIsAdded) {
  HandMade net({5, 6});  // 5 rows: LibTorch multiplies, and adds the bias by itself
  const int product = net.call("aten::matmul", {net.image(), net.weight("fc.weight", {6, 6})});
  net.call("aten::add_", {product, net.weight("fc.bias", {6})});
  made_by_modules(net);
  EXPECT_EQ(counted("macs", net), 180);
  EXPECT_EQ(counted("flops", net), 2 * 180 + 30);
  EXPECT_EQ(counted("torchinfo", net), 180 + 30);
  EXPECT_EQ(counted("ptflops", net), 180 + 30);
  EXPECT_EQ(counted("ptflops-aten", net), 180);
  made_by_modules(net, false);  // a sum of maps as any other
  EXPECT_EQ(counted("flops", net), 2 * 180 + 30);
  EXPECT_EQ(counted("torchinfo", net), 0);
}

TEST(Conventions, DifferencesNameTheirLayersLargestFirst) {
  HandMade net({3, 8, 8});
  int x = net.conv(net.image(), 4, 3, 1, 0, true);  // 144 results
  x = net.conv(x, 8, 1, 1, 0, true);                // 288
  net.norm(x);
  made_by_modules(net);
  const Cost total = cost(net.graph);
  const auto found =
      differences(find_convention("fvcore"), find_convention("ptflops"), net.graph, total);
  ASSERT_EQ(found.size(), 1u);  // they agree about batch normalisation
  EXPECT_EQ(to_string(found[0].cause), "bias");
  EXPECT_EQ(found[0].first, 0);
  EXPECT_EQ(found[0].second, 144 + 288);
  EXPECT_EQ(found[0].calls, 2);
  using Layers = std::vector<std::pair<std::string, int64_t>>;
  EXPECT_EQ(found[0].layers, (Layers{{"layer1", 288}, {"layer0", 144}}));
  EXPECT_TRUE(differences(find_convention("macs"), find_convention("torchvision"), net.graph, total)
                  .empty());
}

TEST(Conventions, NumbersAreWrittenAsEachToolWritesThem) {
  const auto printed = [](const std::string& convention, int64_t number) {
    return find_convention(convention).printed(number);
  };
  EXPECT_EQ(printed("macs", 4089184256), "4,089,184,256");
  EXPECT_EQ(printed("torchvision", 15470264320), "15.47");
  EXPECT_EQ(printed("torchvision", 56510400), "0.057");
  EXPECT_EQ(printed("fvcore", 4111512576), "4111512576");
  EXPECT_EQ(printed("ptflops", 4132436968), "4.13 GMac");
  EXPECT_EQ(printed("ptflops", 320300008), "320.3 MMac");
  EXPECT_EQ(printed("ptflops", 4000000), "4.0 MMac");
  EXPECT_EQ(printed("ptflops", 651), "651 Mac");
  EXPECT_EQ(printed("torchinfo", 4089238376), "(G): 4.09");
  EXPECT_EQ(printed("torchinfo", 2000), "(k): 2");
}

TEST(Conventions, UnknownNameSuggestsTheNearest) {
  try {
    find_convention("ptflop");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'ptflops'?"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("torchvision"), std::string::npos);
  }
}

TEST(Conventions, AttentionIsSaidToBeUncertain) {
  HandMade net({4, 4});
  net.call("aten::bmm", {net.image(), net.call("aten::relu", {net.image()})});
  const Cost total = cost(net.graph);
  EXPECT_EQ(doubts(find_convention("macs"), net.graph, total), "");
  EXPECT_NE(doubts(find_convention("ptflops"), net.graph, total).find("MultiheadAttention"),
            std::string::npos);
}

}  // namespace
}  // namespace convscope

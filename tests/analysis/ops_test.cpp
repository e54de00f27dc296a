// Expectations are a first lecture's worked examples and hand arithmetic.
#include "suite/analysis/ops.h"

#include <gtest/gtest.h>

#include <set>

#include "suite/analysis/cost.h"
#include "tests/analysis/hand_made.h"

namespace convscope {
namespace {

int64_t side_after_conv(int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                        int64_t dilation = 1) {
  HandMade net({1, size, size});
  return net.shape(net.conv(net.image(), 1, kernel, stride, padding, false, 1, dilation))[2];
}

TEST(Convolution, KeepsSevenPixelsUnderThreeByThreeWithPaddingOne) {
  EXPECT_EQ(side_after_conv(7, 3, 1, 1), 7);
}

TEST(Convolution, LeavesThreeOfSevenPixelsAtStrideTwo) {
  EXPECT_EQ(side_after_conv(7, 3, 2, 0), 3);
}

TEST(Convolution, RoundsDownWhereTheStrideDoesNotDivide) {
  EXPECT_EQ(side_after_conv(224, 7, 2, 3), 112);
}

TEST(Convolution, DilatedThreeByThreeCoversFivePixels) {
  EXPECT_EQ(side_after_conv(7, 3, 1, 0, 2), 3);
}

TEST(Convolution, TenFiltersOfFiveByFiveOverColourHave760ParametersAnd768000Macs) {
  HandMade net({3, 32, 32});
  net.conv(net.image(), 10, 5, 1, 2, /*bias=*/true);
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.params, 760);
  EXPECT_EQ(result.macs, 768000);
  EXPECT_EQ(result.flops, 2 * 768000 + 10 * 32 * 32);
  EXPECT_EQ(result.activations, 10 * 32 * 32);
}

TEST(Convolution, GroupsDivideTheWork) {
  HandMade net({8, 10, 10});
  net.conv(net.image(), 16, 3, 1, 1, false, /*groups=*/4);
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.params, 16 * 2 * 9);
  EXPECT_EQ(result.macs, 10 * 10 * 16 * 2 * 9);
}

TEST(Convolution, TransposedMultipliesEachInputElementByTheWholeKernel) {
  HandMade net({4, 5, 5});
  const int weight = net.weight("up.weight", {4, 6, 2, 2});
  const int up = net.call("aten::conv_transpose2d", {net.image(), weight, -1},
                          {{"stride", std::vector<int64_t>{2}}});
  EXPECT_EQ(net.shape(up), (Shape{1, 6, 10, 10}));
  EXPECT_EQ(cost(net.graph).macs, 5 * 5 * 4 * 6 * 2 * 2);
}

TEST(Convolution, WrongChannelsAreNamed) {
  HandMade net({3, 8, 8});
  const int weight = net.weight("w", {4, 5, 3, 3});
  try {
    net.call("aten::conv2d", {net.image(), weight, -1});
    FAIL() << "took 3 channels for 5";
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "expects 5 channels, gets 3");
  }
}

TEST(Convolution, ImageSmallerThanItsWindowIsAnError) {
  EXPECT_THROW(side_after_conv(2, 5, 1, 1), ShapeError);
  EXPECT_EQ(side_after_conv(3, 5, 1, 1), 1);
}

TEST(Pooling, CeilModeAddsAWindowOnlyIfItBeginsInsideTheImage) {
  HandMade net({1, 7, 7});
  EXPECT_EQ(net.shape(net.pool("aten::max_pool2d", net.image(), 2, 2, 0, true))[2], 4);
  // 5 wide, 2 by 2 with padding 1: a fourth window would begin in the right padding.
  HandMade edge({1, 5, 5});
  EXPECT_EQ(edge.shape(edge.pool("aten::max_pool2d", edge.image(), 2, 2, 1, true))[2], 3);
}

TEST(Pooling, StrideIsTheKernelWhereNoneIsGiven) {
  HandMade net({1, 9, 9});
  const int pooled =
      net.call("aten::avg_pool2d", {net.image()},
               {{"kernel_size", std::vector<int64_t>{3, 3}}, {"stride", std::vector<int64_t>{}}});
  EXPECT_EQ(net.shape(pooled), (Shape{1, 1, 3, 3}));
}

TEST(Pooling, MaximumComparesOnceLessThanItsWindowHasElements) {
  HandMade net({2, 4, 4});
  net.pool("aten::max_pool2d", net.image(), 2, 2);
  EXPECT_EQ(cost(net.graph).flops, 3 * 2 * 2 * 2);
  EXPECT_EQ(cost(net.graph).macs, 0);
}

TEST(Pooling, AdaptiveAverageAddsEachElementOfItsOverlappingWindows) {
  HandMade net({1, 7, 7});
  net.call("aten::adaptive_avg_pool2d", {net.image()},
           {{"output_size", std::vector<int64_t>{3, 3}}});
  EXPECT_EQ(cost(net.graph).flops, 9 * 9);  // windows of 3, 3, 3 with one shared element each
}

TEST(Pooling, AdaptiveMaximumComparesOnceLessThanEachOfItsWindowsHasElements) {
  HandMade net({2, 7, 7});
  // Two results, the maxima and where they were, whose shapes LibTorch finds.
  for (const int storage : {1, 2}) net.graph.values.push_back({{1, 2, 3, 3}, 4, storage, -1});
  net.graph.calls.push_back({"aten::adaptive_max_pool2d", "pool", {net.image()}, {1, 2}, {}});
  net.graph.outputs = {1};
  EXPECT_EQ(cost(net.graph).flops, 2 * (9 * 9 - 3 * 3));
  EXPECT_TRUE(cost(net.graph).complete());
  EXPECT_TRUE(cost(net.graph).layers[0].field.empty()) << "its bins depend on the image's size";
}

TEST(Normalization, CountsTwoForEachElement) {
  HandMade net({4, 6, 6});
  net.norm(net.image());
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.flops, 2 * 4 * 6 * 6);
  EXPECT_EQ(result.params, 8);
  EXPECT_EQ(result.norm_params, 8);
  EXPECT_EQ(result.buffers, 8);
}

TEST(Matmul, ProductWithAWeightIsALinearLayer) {
  HandMade net({5, 7});
  const int product = net.call("aten::mm", {net.image(), net.weight("w", {7, 3})});
  EXPECT_EQ(net.shape(product), (Shape{1, 5, 3}));
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.macs, 5 * 7 * 3);
  EXPECT_EQ(result.linear_params, 21);
  EXPECT_EQ(result.linear_layers, 1);
}

TEST(Interpolation, WeighsFourNeighboursAndAddsThem) {
  HandMade net({2, 5, 5});
  net.call("aten::upsample_bilinear2d", {net.image()});
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.flops, (4 + 3) * 2 * 5 * 5);
  EXPECT_EQ(result.macs, 0);
}

TEST(Table, InPlaceOperatorsShareTheRowOfTheirPlainForm) {
  EXPECT_EQ(find_operator("aten::relu_"), find_operator("aten::relu"));
  EXPECT_NE(find_operator("aten::relu"), nullptr);
}

TEST(Table, EachOperatorHasOneRow) {
  std::set<std::string> names;
  for (const Op& op : operators()) EXPECT_TRUE(names.insert(op.name).second) << op.name;
}

TEST(Cost, UnknownOperatorIsNamedAndNeverFree) {
  HandMade net({3, 8, 8});
  const int x = net.call("aten::fft_fft2", {net.image()});
  net.call("aten::fft_fft2", {x});
  const Cost result = cost(net.graph);
  EXPECT_FALSE(result.complete());
  EXPECT_EQ(unknown_operators(result), "2x aten::fft_fft2");
}

TEST(Cost, SharedWeightIsCountedOnceAndItsWorkTwice) {
  HandMade net({4, 8, 8});
  const int w = net.weight("shared.weight", {4, 4, 1, 1});
  const int x = net.call("aten::conv2d", {net.image(), w, -1});
  net.call("aten::conv2d", {x, w, -1});
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.params, 16);
  EXPECT_EQ(result.macs, 2 * 16 * 64);
}

TEST(Cost, WeightThatThePassDoesNotUseIsCountedAndNamedSo) {
  HandMade net({3, 8, 8});
  net.conv(net.image(), 4, 1);
  net.weight("aux.weight", {10, 10});
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.params, 112);
  EXPECT_EQ(result.unused_params, 100);
}

}  // namespace
}  // namespace convscope

// Expectations are hand arithmetic and the cases of Araujo, Norris, Sim, Distill 2019.
#include "suite/analysis/receptive_field.h"

#include <gtest/gtest.h>

#include "suite/analysis/cost.h"
#include "tests/analysis/hand_made.h"

namespace convscope {
namespace {

Field seen_by(const HandMade& net, int value) {
  return receptive_fields(net.graph).of_value[size_t(value)].sides.at(0);
}

TEST(ReceptiveField, StridesOneTwoOneSeeThreeFiveNine) {
  HandMade net({1, 32, 32});
  const int a = net.conv(net.image(), 1, 3, 1);
  const int b = net.conv(a, 1, 3, 2);
  const int c = net.conv(b, 1, 3, 1);
  EXPECT_EQ(seen_by(net, a).size, 3);
  EXPECT_EQ(seen_by(net, b).size, 5);
  EXPECT_EQ(seen_by(net, c).size, 9);
  EXPECT_EQ(seen_by(net, c).stride, 2);
}

TEST(ReceptiveField, FiveThreeByThreeSeeEleven) {
  HandMade net({1, 32, 32});
  int x = net.image();
  for (int i = 0; i < 5; ++i) x = net.conv(x, 1, 3, 1, 1);
  EXPECT_EQ(seen_by(net, x), (Field{11, 1, 5}));
}

TEST(ReceptiveField, TwoStackedThreeByThreeSeeWhatOneFiveByFiveSees) {
  HandMade net({1, 32, 32});
  const int two = net.conv(net.conv(net.image(), 1, 3, 1, 1), 1, 3, 1, 1);
  const int one = net.conv(net.image(), 1, 5, 1, 2);
  EXPECT_EQ(seen_by(net, two), seen_by(net, one));
}

TEST(ReceptiveField, DilationSpreadsTheWindow) {
  HandMade net({1, 32, 32});
  EXPECT_EQ(seen_by(net, net.conv(net.image(), 1, 3, 1, 2, false, 1, 2)), (Field{5, 1, 2}));
}

TEST(ReceptiveField, OfASignalHasOneSideAndCausalLayersSeeThePast) {
  HandMade net({1, 1, 64});
  // Kernels of 2 at dilations 1, 2 and 4 see 1 + 1 + 2 + 4 samples, none of them later.
  int x = net.image();
  for (const int64_t dilation : {1, 2, 4}) {
    x = net.call("aten::constant_pad_nd", {x}, {{"pad", std::vector<int64_t>{dilation, 0}}});
    x = net.call("aten::conv2d", {x, net.weight(std::to_string(dilation), {1, 1, 1, 2}), -1},
                 {{"dilation", std::vector<int64_t>{1, dilation}}});
  }
  EXPECT_EQ(net.shape(x), (Shape{1, 1, 1, 64}));
  EXPECT_EQ(receptive_fields(net.graph).of_value[size_t(x)].sides, (std::vector<Field>{{8, 1, 7}}));
}

TEST(ReceptiveField, PathsOfEqualCentreAreAligned) {
  HandMade net({1, 32, 32});
  const int wide = net.conv(net.image(), 1, 3, 1, 1);
  const int both = net.call("aten::add", {wide, net.image()});
  const Fields fields = receptive_fields(net.graph).of_value[size_t(both)];
  EXPECT_TRUE(fields.aligned);
  EXPECT_EQ(fields.sides[0], (Field{3, 1, 1}));
}

TEST(ReceptiveField, PathsOfEqualSizeAndOtherCentreAreNotAligned) {
  HandMade net({1, 32, 32});
  // Padding on one side only moves the centre of one of two branches with the same window.
  const int shifted =
      net.call("aten::constant_pad_nd", {net.image()}, {{"pad", std::vector<int64_t>{2, 0, 2, 0}}});
  const int a = net.conv(shifted, 1, 3);
  const int b = net.conv(net.image(), 1, 3, 1, 1);
  const int sum = net.call("aten::add", {a, b});
  const Fields fields = receptive_fields(net.graph).of_value[size_t(sum)];
  EXPECT_FALSE(fields.aligned);
  EXPECT_EQ(fields.sides[0], (Field{4, 1, 2}));  // the hull of [-2, 0] and [-1, 1]
}

TEST(ReceptiveField, StridesThatDisagreeAreNotAligned) {
  HandMade net({1, 9, 9});
  const int coarse = net.conv(net.image(), 1, 3, 2, 1);
  const int fine = net.conv(net.image(), 1, 5, 1);
  const int sum = net.call("aten::cat", {coarse, fine}, {{"dim", int64_t{1}}});
  EXPECT_FALSE(receptive_fields(net.graph).of_value[size_t(sum)].aligned);
}

TEST(ReceptiveField, StridedSliceKeepsTheCentreOfAStridedConvolution) {
  HandMade net({4, 32, 32});
  // ResNet's shortcut without parameters beside its strided convolution.
  int x = net.image();
  for (const int64_t dim : {2, 3}) {
    Call slice{"aten::slice",
               "shortcut",
               {x},
               {},
               {{"dim", dim}, {"start", int64_t{0}}, {"step", int64_t{2}}}};
    Shape shape = net.shape(x);
    shape[size_t(dim)] /= 2;
    net.graph.values.push_back({shape, 4, 100 + int(dim), -1});
    slice.outputs = {int(net.graph.values.size()) - 1};
    net.graph.calls.push_back(slice);
    x = slice.outputs[0];
  }
  const int conv = net.conv(net.image(), 4, 3, 2, 1);
  const int sum = net.call("aten::add", {conv, x});
  const Fields fields = receptive_fields(net.graph).of_value[size_t(sum)];
  EXPECT_TRUE(fields.aligned);
  EXPECT_EQ(fields.sides[0], (Field{3, 2, 1}));
}

TEST(ReceptiveField, GateThatSeesTheWholeImageIsLeftOutAndNamed) {
  HandMade net({4, 16, 16});
  const int map = net.conv(net.image(), 4, 3, 1, 1);
  const int squeezed =
      net.call("aten::adaptive_avg_pool2d", {map}, {{"output_size", std::vector<int64_t>{1, 1}}});
  const int gate = net.call("aten::sigmoid", {net.conv(squeezed, 4, 1)});
  const int gated = net.call("aten::mul", {map, gate});
  const ReceptiveFields fields = receptive_fields(net.graph);
  EXPECT_EQ(fields.of_value[size_t(gated)].sides[0], (Field{3, 1, 1}));
  EXPECT_EQ(fields.gates, (std::vector<std::string>{net.graph.calls.back().layer}));
  EXPECT_EQ(fields.of_value[size_t(gated)].depth, 1) << "the gate's own layers do not count";
}

TEST(ReceptiveField, EndsAtGlobalPoolingAndRemembersTheLastMap) {
  HandMade net({3, 16, 16});
  const int map = net.conv(net.image(), 4, 3, 2, 1);
  const int pooled =
      net.call("aten::adaptive_avg_pool2d", {map}, {{"output_size", std::vector<int64_t>{1, 1}}});
  const Fields fields = receptive_fields(net.graph).of_value[size_t(pooled)];
  EXPECT_FALSE(fields.spatial());
  EXPECT_EQ(fields.sides[0], (Field{3, 2, 1}));
  EXPECT_EQ(fields.made_by, 0);
}

/// Networks 1, 3, 5 and 8 of the tests of google-research/receptive_field, and what these expect.
struct Published {
  static int branches(HandMade& net, int x, int64_t left_stride, int64_t right_last_stride) {
    const int left = net.conv(x, 1, 1, left_stride);
    const int padded =
        net.call("aten::constant_pad_nd", {x}, {{"pad", std::vector<int64_t>{1, 0, 1, 0}}});
    int right = net.conv(padded, 1, 3, 2);
    if (right_last_stride > 1) right = net.conv(right, 1, 1, right_last_stride);
    return net.call("aten::add", {left, right});
  }
};

TEST(ReceptiveField, OfPublishedNetworkOneIsThreeAtStrideFour) {
  HandMade net({1, 32, 32});
  const int sum = Published::branches(net, net.image(), 4, 2);
  EXPECT_EQ(seen_by(net, sum), (Field{3, 4, 1}));
  EXPECT_TRUE(receptive_fields(net.graph).of_value[size_t(sum)].aligned);
}

TEST(ReceptiveField, OfPublishedNetworkThreeIsRejectedAsMisaligned) {
  HandMade net({1, 9, 9});
  const int padded =
      net.call("aten::constant_pad_nd", {net.image()}, {{"pad", std::vector<int64_t>{2, 1, 2, 1}}});
  const int left = net.conv(padded, 1, 5, 2);
  const int right = net.conv(net.conv(net.image(), 1, 3), 1, 3);
  ASSERT_EQ(net.shape(left)[2], 4);
  ASSERT_EQ(net.shape(right)[2], 5);
  const int cropped = net.conv(right, 1, 2);  // to a size that can be added; strides stay 2 and 1
  const int sum = net.call("aten::add", {left, cropped});
  EXPECT_FALSE(receptive_fields(net.graph).of_value[size_t(sum)].aligned);
}

TEST(ReceptiveField, OfPublishedNetworkFiveIsSevenByFive) {
  HandMade net({1, 32, 32});
  const auto stride = std::pair<std::string, Attribute>("stride", std::vector<int64_t>{2});
  const int a =
      net.call("aten::conv2d", {net.image(), net.weight("a", {1, 1, 3, 5}), -1}, {stride});
  net.call("aten::conv2d", {a, net.weight("b", {1, 1, 3, 1}), -1}, {stride});
  EXPECT_EQ(to_string(cost(net.graph).field, &Field::size), "7x5");
}

TEST(ReceptiveField, OfPublishedNetworkEightIsElevenAtStrideEight) {
  HandMade net({1, 64, 64});
  const int first = Published::branches(net, net.image(), 4, 2);
  const int sum = Published::branches(net, first, 2, 1);
  EXPECT_EQ(seen_by(net, sum), (Field{11, 8, 5}));
  EXPECT_TRUE(receptive_fields(net.graph).of_value[size_t(sum)].aligned);
}

TEST(ReceptiveField, SidesMayDiffer) {
  HandMade net({1, 32, 32});
  const int w = net.weight("w", {1, 1, 1, 7});
  net.call("aten::conv2d", {net.image(), w, -1}, {{"padding", std::vector<int64_t>{0, 3}}});
  EXPECT_EQ(to_string(cost(net.graph).field, &Field::size), "1x7");
}

TEST(Depth, IsTheLongestPathNotTheNumberOfLayers) {
  HandMade net({4, 8, 8});
  const int main = net.conv(net.conv(net.image(), 4, 3, 1, 1), 4, 3, 1, 1);
  const int shortcut = net.conv(net.image(), 4, 1);
  net.call("aten::add", {main, shortcut});
  const Cost result = cost(net.graph);
  EXPECT_EQ(result.conv_layers, 3);
  EXPECT_EQ(result.depth, 2);
}

}  // namespace
}  // namespace convscope

#include "suite/analysis/memory.h"

#include <gtest/gtest.h>

#include "suite/analysis/cost.h"
#include "suite/analysis/fold.h"
#include "tests/analysis/hand_made.h"

namespace convscope {
namespace {

constexpr int64_t image_bytes = 3 * 8 * 8 * 4, map_bytes = 4 * 8 * 8 * 4;

TEST(PeakMemory, OfOneLayerIsWhatItReadsAndWhatItWrites) {
  HandMade net({3, 8, 8});
  net.conv(net.image(), 4, 3, 1, 1);
  EXPECT_EQ(peak_activation_memory(net.graph).bytes, image_bytes + map_bytes);
}

TEST(PeakMemory, FreesAtTheLastReader) {
  HandMade net({3, 8, 8});
  int x = net.image();
  for (int i = 0; i < 5; ++i) x = net.conv(x, 4, 3, 1, 1);
  EXPECT_EQ(peak_activation_memory(net.graph).bytes, 2 * map_bytes);
}

TEST(PeakMemory, ShortcutKeepsItsTensorAlive) {
  HandMade net({3, 8, 8});
  const int start = net.conv(net.image(), 4, 3, 1, 1);
  const int end = net.conv(net.conv(start, 4, 3, 1, 1), 4, 3, 1, 1);
  net.call("aten::add", {end, start});
  EXPECT_EQ(peak_activation_memory(net.graph).bytes, 3 * map_bytes);
}

TEST(PeakMemory, InPlaceOperatorNeedsNothingMore) {
  HandMade net({3, 8, 8});
  net.call("aten::relu_", {net.conv(net.image(), 4, 3, 1, 1)});
  const int64_t in_place = peak_activation_memory(net.graph).bytes;
  HandMade other({3, 8, 8});
  other.call("aten::relu", {other.conv(other.image(), 4, 3, 1, 1)});
  EXPECT_EQ(in_place, image_bytes + map_bytes);
  EXPECT_EQ(peak_activation_memory(other.graph).bytes, 2 * map_bytes);
}

TEST(PeakMemory, WeightsAreNotActivations) {
  HandMade net({3, 1, 1});
  net.conv(net.image(), 1000, 1, 1, 0, true);
  EXPECT_EQ(peak_activation_memory(net.graph).bytes, (3 + 1000) * 4);
}

TEST(FoldBatchNorm, GivesTheConvolutionABiasAndTakesTheNormAway) {
  HandMade net({3, 8, 8});
  net.call("aten::relu_", {net.norm(net.conv(net.image(), 4, 3, 1, 1))});
  const Cost before = cost(net.graph), after = cost(fold_batch_norm(net.graph));
  EXPECT_EQ(before.params, 3 * 4 * 9 + 2 * 4);
  EXPECT_EQ(after.params, 3 * 4 * 9 + 4);
  EXPECT_EQ(after.buffers, 0);
  EXPECT_EQ(after.norm_layers, 0);
  EXPECT_EQ(after.macs, before.macs);
  EXPECT_EQ(before.peak_activation_bytes, 2 * map_bytes);
  EXPECT_EQ(after.peak_activation_bytes, image_bytes + map_bytes);
}

TEST(FoldBatchNorm, AddsNothingToAConvolutionThatHasABias) {
  HandMade net({3, 8, 8});
  net.norm(net.conv(net.image(), 4, 3, 1, 1, /*bias=*/true));
  EXPECT_EQ(cost(fold_batch_norm(net.graph)).params, 3 * 4 * 9 + 4);
}

TEST(FoldBatchNorm, LeavesANormWhoseConvolutionOthersRead) {
  HandMade net({3, 8, 8});
  const int map = net.conv(net.image(), 4, 3, 1, 1);
  net.call("aten::add", {net.norm(map), map});
  EXPECT_EQ(cost(fold_batch_norm(net.graph)).norm_layers, 1);
}

TEST(FoldBatchNorm, LeavesANormThatComesFirst) {
  HandMade net({3, 8, 8});
  net.conv(net.norm(net.image()), 4, 3, 1, 1);
  EXPECT_EQ(cost(fold_batch_norm(net.graph)).norm_layers, 1);
}

}  // namespace
}  // namespace convscope

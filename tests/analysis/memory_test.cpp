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

TEST(EagerMemory, AConvolutionHasItsMapsASecondTimeUnlessTheyAreChannelsLast) {
  HandMade net({3, 8, 8});
  net.conv(net.image(), 4, 3, 1, 1);
  EXPECT_EQ(eager_activation_memory(net.graph, false), 2 * (image_bytes + map_bytes));
  EXPECT_EQ(eager_activation_memory(net.graph, true), image_bytes + map_bytes);
}

TEST(EagerMemory, TheImageStaysAndMaxPoolingNotesItsMaxima) {
  HandMade net({3, 8, 8});
  net.pool("aten::max_pool2d", net.conv(net.image(), 4, 3, 1, 1), 2, 2);
  // A quarter of the map as float32, and an int64 for each element.
  EXPECT_EQ(eager_activation_memory(net.graph, true),
            image_bytes + map_bytes + map_bytes / 4 + 2 * map_bytes / 4);
  HandMade without({3, 8, 8});
  without.pool("aten::avg_pool2d", without.conv(without.image(), 4, 3, 1, 1), 2, 2);
  EXPECT_EQ(eager_activation_memory(without.graph, true), image_bytes + map_bytes + map_bytes / 4);
}

/// What a step keeps, and at the last call the gradients of its result and of what it was given.
TEST(TrainingMemory, NormalisationKeepsItsInputAndReluItsResult) {
  HandMade net({3, 8, 8});
  net.call("aten::relu_", {net.norm(net.conv(net.image(), 4, 3, 1, 1))});
  EXPECT_EQ(training_activation_memory(net.graph), image_bytes + 2 * map_bytes + 2 * map_bytes);
}

TEST(TrainingMemory, WhatIsNeededAndWrittenOverIsCopied) {
  HandMade net({3, 8, 8});
  net.call("aten::hardtanh_", {net.norm(net.conv(net.image(), 4, 3, 1, 1))});
  // The convolution's result and the copy of what the normalisation made.
  EXPECT_EQ(training_activation_memory(net.graph), image_bytes + 2 * map_bytes + 2 * map_bytes);
  HandMade deeper({3, 8, 8});
  deeper.conv(deeper.call("aten::hardtanh_", {deeper.conv(deeper.image(), 4, 3, 1, 1)}), 4, 3, 1,
              1);
  EXPECT_EQ(training_activation_memory(deeper.graph), image_bytes + 2 * map_bytes + 2 * map_bytes);
}

TEST(TrainingMemory, AnAdditionKeepsNothing) {
  HandMade net({3, 8, 8});
  const int map = net.conv(net.image(), 4, 3, 1, 1);
  net.call("aten::add", {map, map});
  EXPECT_EQ(training_activation_memory(net.graph), image_bytes + 3 * map_bytes);
}

TEST(TrainingMemory, MaxPoolingKeepsItsInputAndWhereTheMaximaWere) {
  HandMade net({3, 8, 8});
  net.pool("aten::max_pool2d", net.conv(net.image(), 4, 3, 1, 1), 2, 2);
  EXPECT_EQ(training_activation_memory(net.graph),
            image_bytes + map_bytes + 2 * map_bytes / 4 + map_bytes + map_bytes / 4);
}

TEST(TrainingMemory, AViewOfAWeightIsAWeight) {
  HandMade net({3, 1, 1});
  const int weight = net.weight("weight", {1000, 3});
  const int turned = net.call("aten::t", {weight});
  net.graph.values[size_t(turned)].storage = net.graph.values[size_t(weight)].storage;
  net.call("aten::relu", {net.image()});
  EXPECT_EQ(training_activation_memory(net.graph), (3 + 3 + 3 + 3) * 4);
}

TEST(TrainingMemory, AProductKeepsBothItsFactors) {
  HandMade net({3, 8, 8});
  const int map = net.conv(net.image(), 4, 3, 1, 1), gate = net.conv(net.image(), 4, 3, 1, 1);
  net.call("aten::mul", {map, gate});
  EXPECT_EQ(training_activation_memory(net.graph), image_bytes + 2 * map_bytes + 3 * map_bytes);
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

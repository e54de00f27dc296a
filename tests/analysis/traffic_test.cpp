#include "suite/analysis/traffic.h"

#include <gtest/gtest.h>

#include "tests/analysis/hand_made.h"

namespace convscope {
namespace {

constexpr int64_t image_bytes = 3 * 8 * 8 * 4, map_bytes = 4 * 8 * 8 * 4;

TEST(BytesMoved, OfAConvolutionAreItsInputItsOutputAndItsWeights) {
  HandMade net({3, 8, 8});
  net.conv(net.image(), 4, 3, 1, 1);
  constexpr int64_t weights = 4 * 3 * 9 * 4;
  EXPECT_EQ(bytes_moved(net.graph, {0}), image_bytes + map_bytes + weights);
  EXPECT_EQ(bytes_moved(net.graph, {0}, 8), 8 * (image_bytes + map_bytes) + weights);
}

TEST(BytesMoved, InPlaceOperatorReadsAndWrites) {
  HandMade net({3, 8, 8});
  net.call("aten::relu_", {net.image()});
  EXPECT_EQ(bytes_moved(net.graph, {0}), 2 * image_bytes);
}

TEST(BytesMoved, OneTensorTwiceIsReadOnce) {
  HandMade net({3, 8, 8});
  net.call("aten::mul", {net.image(), net.image()});
  EXPECT_EQ(bytes_moved(net.graph, {0}), 2 * image_bytes);
}

TEST(BytesMoved, ViewMovesNothingAndACopyDoes) {
  HandMade net({3, 8, 8});
  const int flat = net.call("aten::flatten", {net.image()});
  EXPECT_EQ(bytes_moved(net.graph, {0}), 2 * image_bytes);
  net.graph.values[size_t(flat)].storage = net.graph.values[size_t(net.image())].storage;
  EXPECT_EQ(bytes_moved(net.graph, {0}), 0);
}

TEST(BytesMoved, CallsThatRunAsOneKeepWhatIsBetweenThem) {
  HandMade net({3, 8, 8});
  const int shortcut = net.conv(net.image(), 4, 3, 1, 1);
  const int map = net.norm(net.conv(shortcut, 4, 3, 1, 1));
  net.call("aten::relu_", {net.call("aten::add", {map, shortcut})});
  constexpr int64_t weights = 4 * 4 * 9 * 4;
  EXPECT_EQ(bytes_moved(net.graph, {1, 2, 3, 4}), 2 * map_bytes + weights);
}

TEST(BytesMoved, WhatAnotherCallWantsIsWritten) {
  HandMade net({3, 8, 8});
  const int map = net.call("aten::relu", {net.image()});
  net.call("aten::add", {net.call("aten::relu", {map}), map});
  EXPECT_EQ(bytes_moved(net.graph, {0, 1}), 3 * image_bytes);
}

}  // namespace
}  // namespace convscope

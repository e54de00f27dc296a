// How far units look, from records of a few rows.
#include <gtest/gtest.h>

#include "tests/records/made_figures.h"

namespace convscope {
namespace {

struct FieldFigures : MadeFigures {
  const std::string header =
      "model,weights,input,shown,layer,op,depth,rf,erf_side,erf_side_low,erf_side_high\n";

  static std::string row(const std::string& weights, int depth, const std::string& rf,
                         const std::string& sides, const std::string& model = "net") {
    return model + "," + weights + ",3x8x8,noise,layer,aten::conv2d," + std::to_string(depth) +
           "," + rf + "," + sides + "\n";
  }
};

TEST_F(FieldFigures, TheBoundIsDrawnOnceAndEachSetOfWeightsBelowIt) {
  record("erf.csv", header + row("w.pth", 1, "3", "2.5,2,3") + row("w.pth", 2, "7", "5,4,6") +
                        row("untrained", 1, "3", "2,1,3") + row("untrained", 2, "7", "4,3,5"));
  const Lines lines = only<Lines>("effective_fields");
  ASSERT_EQ(lines.series.size(), 3u);
  EXPECT_EQ(lines.series[0].label, "receptive field");
  ASSERT_EQ(lines.series[0].points.size(), 2u);
  EXPECT_EQ(lines.series[0].points[1].y, 7);
  EXPECT_EQ(lines.series[1].label, "untrained");
  EXPECT_EQ(lines.series[2].label, "trained");
  EXPECT_EQ(lines.series[2].points[1].y, 5);
  EXPECT_EQ(lines.series[2].spread[1].high, 6);
}

TEST_F(FieldFigures, OfEquallyDeepLayersTheOneThatMayLookFurthestIsDrawn) {
  record("erf.csv",
         header + row("w", 1, "3", "2,,") + row("w", 2, "5x11", "6,,") + row("w", 2, "7", "3,,"));
  const Lines lines = only<Lines>("effective_fields");
  ASSERT_EQ(lines.series[1].points.size(), 2u);
  EXPECT_EQ(lines.series[1].points[1].y, 6);
  EXPECT_TRUE(lines.series[1].spread.empty()) << "without intervals there is no band";
}

TEST_F(FieldFigures, TheBoundHasEveryDepthThoughOneNetworkIsMissingSome) {
  record("erf.csv", header + row("a.pth", 1, "3", "2,,") + row("a.pth", 4, "9", "4,,") +
                        row("b.pth", 1, "3", "2,,") + row("b.pth", 2, "5", "3,,") +
                        row("b.pth", 4, "9", "4,,"));
  const Lines lines = only<Lines>("effective_fields");
  ASSERT_EQ(lines.series[0].points.size(), 3u);
  EXPECT_EQ(lines.series[0].points[1].y, 5);
  EXPECT_EQ(lines.series[0].points[2].x, 4);
}

TEST_F(FieldFigures, NoiseAndPhotographsAreFiguresOfTheirOwn) {
  std::string photographs = row("w", 1, "3", "2.5,,") + row("w", 2, "5", "4.5,,");
  for (size_t at; (at = photographs.find("noise")) != std::string::npos;) {
    photographs.replace(at, 5, "photographs");
  }
  record("erf.csv", header + row("w", 1, "3", "2,,") + row("w", 2, "5", "4,,") + photographs);
  const auto both = figures("effective_fields");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[1].name, "effective_fields_net_3x8x8_photographs");
  EXPECT_EQ(std::get<Lines>(both[1].content).series[1].points[1].y, 4.5);
}

TEST_F(FieldFigures, WhatCannotBeDrawnIsSaid) {
  record("erf.csv", header + row("w", 1, "3", "2,,"));
  EXPECT_TRUE(figures("effective_fields").empty());
  record("erf.csv", header + row("w", 1, "3", ",,") + row("w", 2, "x", "0,,"));
  EXPECT_TRUE(figures("effective_fields").empty());
}

}  // namespace
}  // namespace convscope

// The figures of what networks see, from records of a few rows.
#include <gtest/gtest.h>

#include "tests/records/made_figures.h"

namespace convscope {
namespace {

struct ShiftFigures : MadeFigures {
  const std::string header =
      "model,weights,input,downsampling,layer,stride,shift,images,distance,distance_low,"
      "distance_high,top1_same,top1_low,top1_high,probability_change,status,inner_distance,"
      "inner_low,inner_high,same_as_built\n";

  static std::string map(const std::string& downsampling, const std::string& layer, int stride,
                         int shift, const std::string& distance, const std::string& model = "net") {
    std::ostringstream row;
    row << model << ",w.pth,3x8x8," << downsampling << "," << layer << "," << stride << "," << shift
        << ",4," << distance << ",0,1,,,,,ok,,,,\n";
    return row.str();
  }
  static std::string answer(const std::string& downsampling, int shift, const std::string& distance,
                            const std::string& interval = ",") {
    std::ostringstream row;
    row << "net,w.pth,3x8x8," << downsampling << ",answer,," << shift << ",4," << distance << ","
        << interval << ",50,,,0.1,ok,,,,100\n";
    return row.str();
  }
};

TEST_F(ShiftFigures, OneLineForEachStrideOfItsLastLayerAsBuilt) {
  record("shift.csv", header + map("as-built", "a", 1, 0, "0") + map("as-built", "a", 1, 1, "0.5") +
                          map("as-built", "b", 2, 0, "0") + map("as-built", "b", 2, 1, "0.25") +
                          map("as-built", "c", 2, 0, "0") + map("as-built", "c", 2, 1, "0.125") +
                          map("blurred", "d", 4, 1, "0.75") + answer("as-built", 1, "0.3"));
  const Lines lines = only<Lines>("shift_layers");
  ASSERT_EQ(lines.series.size(), 2u);
  EXPECT_EQ(lines.series[0].label, "stride 1");
  EXPECT_EQ(lines.series[1].label, "stride 2");
  ASSERT_EQ(lines.series[1].points.size(), 2u);
  EXPECT_EQ(lines.series[1].points[1].x, 1);
  EXPECT_EQ(lines.series[1].points[1].y, 0.125);
  EXPECT_EQ(lines.series[1].spread[1].high, 1);
  const std::string caption = figures("shift_layers")[0].caption;
  EXPECT_NE(caption.find("a, c"), std::string::npos) << caption;
  EXPECT_NE(caption.find("4 images"), std::string::npos) << caption;
}

TEST_F(ShiftFigures, AnswersAreALineForEachWayOfDownsampling) {
  record("shift.csv", header + map("as-built", "a", 1, 1, "0.5") + answer("as-built", 0, "0") +
                          answer("as-built", 1, "0.25", "0.125,0.5") + answer("blurred", 1, "0.1"));
  const Lines lines = only<Lines>("shift_answers");
  ASSERT_EQ(lines.series.size(), 2u);
  EXPECT_EQ(lines.series[0].points.size(), 2u);
  EXPECT_TRUE(lines.series[0].spread.empty()) << "a band of all points or of none";
  EXPECT_EQ(lines.series[1].label, "blurred (100 %)") << "how often it answers as built";
}

TEST_F(ShiftFigures, EachNetworkHasItsOwn) {
  record("shift.csv", header + map("as-built", "a", 1, 1, "0.5", "one") +
                          map("as-built", "a", 1, 1, "0.5", "two"));
  EXPECT_EQ(figures("shift_layers").size(), 2u);
  models = {"two"};
  ASSERT_EQ(figures("shift_layers").size(), 1u);
  EXPECT_EQ(figures("shift_layers")[0].name, "shift_layers_two");
  expect_none("shift_answers", "no answer");
}

TEST_F(ShiftFigures, TheSameNetworkTwiceIsToldApart) {
  const std::string row = map("as-built", "a", 1, 1, "0.5");
  record("shift.csv", header + row + std::string(row).replace(row.find("w.pth"), 5, "v.pth"));
  const auto all = figures("shift_layers");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_NE(all[0].title.find("net (w.pth, 3x8x8)"), std::string::npos) << all[0].title;
  EXPECT_NE(all[1].title.find("net (v.pth, 3x8x8)"), std::string::npos) << all[1].title;
}

TEST_F(ShiftFigures, WhatIsEmptyOrHostileIsDrawnOrSaid) {
  record("shift.csv", header);
  expect_none("shift_layers", "no layer");
  record("shift.csv", header + map("as-built", "a", 1, 1, ""));
  expect_none("shift_layers", "no layer");
  std::string rows = header;
  for (const std::string& name : hostile_names()) {
    rows += map(quoted(name), "a", 1, 1, "1", quoted(name));
    rows += map("as-built", quoted(name), 1, 1, "1", quoted(name));
  }
  record("shift.csv", rows);
  expect_sound("shift_layers");
  expect_sound("shift_answers");
  record("shift.csv", header + map("as-built", "a", 1, 1, "much"));
  expect_error("shift_layers", {"shift.csv", "distance", "much"});
}

}  // namespace
}  // namespace convscope

#include <cmath>
#include <limits>
#include <string>

#include "tests/report/drawn.h"

namespace convscope {
namespace {

using canvas::Drawing;

Figure distributions(size_t rows) {
  Distributions all;
  all.x = {"Latency (ms)"};
  all.low = 10;
  all.high = 30;
  for (size_t r = 0; r < rows; ++r) {
    Distributions::Row row{"network" + std::to_string(r), r < rows / 2 ? "A" : "B", {}};
    for (int bin = 0; bin < 40; ++bin)
      row.shares.push_back(std::exp(-std::pow(bin - 5 - static_cast<double>(r % 30), 2) / 20) / 8);
    row.below = r % 3 == 0 ? 0.02 : 0;
    row.above = r % 4 == 0 ? 0.001 : 0;
    row.median = 13 + static_cast<double>(r % 15);
    row.interval = Spread{row.median - 0.5, row.median + 0.7};
    row.note = "44.5 ms, n = 600";
    all.rows.push_back(row);
  }
  return {"distributions", "How the samples are spread", all};
}

TEST(Distributions, TextsLieOnThePageAndDoNotOverlap) {
  for (const size_t rows : {1, 12, 100}) expect_texts_apart_on_the_page(distributions(rows));
}

TEST(Distributions, HistogramIsWhereItsBinsAre) {
  Distributions one;
  one.x = {"x"};
  one.low = 0;
  one.high = 4;
  one.rows = {{"a", "g", {0.25, 0, 0.5, 0.25}, 0, 0, 2, {}, ""}};
  const Drawing drawing = canvas::draw({"d", "", one});
  const auto filled = shapes_of<canvas::Polygon>(drawing);
  ASSERT_EQ(filled.size(), 1u);
  const double left = filled[0].corners.front().x, right = filled[0].corners.back().x;
  const double base = filled[0].corners.front().y;
  const auto height_at = [&](double x) {
    double height = 0;
    const double at = left + x / 4 * (right - left);
    for (size_t i = 1; i < filled[0].corners.size(); ++i)
      if (filled[0].corners[i - 1].x <= at && at <= filled[0].corners[i].x)
        height = filled[0].corners[i].y - base;
    return height;
  };
  EXPECT_EQ(height_at(1.5), 0);
  EXPECT_NEAR(height_at(0.5), height_at(2.5) / 2, 1e-9);
  EXPECT_NEAR(height_at(3.5), height_at(2.5) / 2, 1e-9);
  const auto median = shapes_of<canvas::Rectangle>(drawing);
  ASSERT_EQ(median.size(), 1u);
  EXPECT_NEAR((median[0].box.left + median[0].box.right) / 2, (left + right) / 2, 1e-9);
}

TEST(Distributions, WhatLiesBeyondTheAxisIsSaid) {
  const Drawing drawing = canvas::draw(distributions(1));
  EXPECT_LT(box_of(drawing, "2 % beyond").right, box_of(drawing, "44.5 ms, n = 600").left);
  EXPECT_EQ(box_of(drawing, "<1 % beyond").left, box_of(drawing, "44.5 ms, n = 600").left);
}

TEST(Distributions, MedianBeyondTheAxisIsNotDrawn) {
  Figure figure = distributions(1);
  auto& row = std::get<Distributions>(figure.content).rows[0];
  row.median = 31;
  row.interval = {};
  EXPECT_TRUE(shapes_of<canvas::Rectangle>(canvas::draw(figure)).empty());
}

TEST(Distributions, ThatCannotBeShownNameTheirRow) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Distributions one;
  one.x = {"ms"};
  one.low = 0;
  one.high = 1;
  EXPECT_EQ(error_of({"d", "", one}), "a figure of distributions needs a row");
  one.rows = {{"a", "g", {}}};
  EXPECT_EQ(error_of({"d", "", one}), "a: a distribution needs a bin");
  one.rows = {{"a", "g", {0.5, -0.5}}};
  EXPECT_EQ(error_of({"d", "", one}), "a: -0.5 is no share, expected 0 to 1");
  one.rows = {{"a", "g", {nan}}};
  EXPECT_EQ(error_of({"d", "", one}), "a: nan is no share, expected 0 to 1");
  one.rows = {{"a", "g", {1}, 0, 2}};
  EXPECT_EQ(error_of({"d", "", one}), "a: 2 is no share, expected 0 to 1");
  one.rows = {{"a", "g", {1}, 0, 0, nan}};
  EXPECT_EQ(error_of({"d", "", one}), "a: ms is nan, which no figure can show");
  one.rows = {{"a", "g", {0, 0}}};
  EXPECT_EQ(error_of({"d", "", one}), "") << "all samples lie beyond the axis";
  one.high = 0;
  EXPECT_EQ(error_of({"d", "", one}), "an axis from 0 to 0 has no length");
  one.x.scale = Scale::log;
  EXPECT_EQ(error_of({"d", "", one}), "bins of equal width need a linear axis");
  EXPECT_EQ(error_of(distributions(101)), "101 rows do not fit a page: choose at most 100");
}

}  // namespace
}  // namespace convscope

// Scatters: where their points lie, and that the names of groups are read.
#include <cmath>

#include "suite/report/chart.h"
#include "tests/report/drawn.h"

namespace convscope {
namespace {

/// Some points around the middle of each group.
Scatter made_scatter(size_t groups, double apart, size_t each = 20) {
  Scatter scatter;
  scatter.x.label = "First component (40 % of the variance)";
  scatter.y.label = "Second component (20 % of the variance)";
  for (size_t g = 0; g < groups; ++g)
    for (size_t i = 0; i < each; ++i)
      scatter.points.push_back({"image", "group " + std::to_string(g),
                                apart * static_cast<double>(g % 5) + std::sin(7.0 * i),
                                apart * static_cast<double>(g / 5) + std::cos(5.0 * i)});
  return scatter;
}

TEST(ScatterTest, AUnitIsAsLongOnBothAxes) {
  Scatter scatter;
  scatter.points = {{"a", "", 0, 0}, {"b", "", 10, 0}, {"c", "", 0, 4}};
  const auto marks = shapes_of<canvas::Polygon>(canvas::draw({"s", "t", scatter}));
  ASSERT_EQ(marks.size(), 3u);
  const canvas::Point a = centre(marks[0]), b = centre(marks[1]), c = centre(marks[2]);
  EXPECT_NEAR((b.x - a.x) / 10, (c.y - a.y) / 4, 1e-6);
  EXPECT_GT(c.y, a.y);
}

TEST(ScatterTest, ThePointsOfEachGroupHaveItsColourAndItsNameIsAmongThem) {
  const Figure figure{"s", "Two groups", made_scatter(2, 9)};
  const canvas::Drawing drawing = canvas::draw(figure);
  for (size_t g = 0; g < 2; ++g) {
    double low = 1e9, high = -1e9;
    size_t marks = 0;
    for (const auto& mark : shapes_of<canvas::Polygon>(drawing)) {
      if (mark.fill != canvas::palette(g)) continue;
      low = std::min(low, centre(mark).x);
      high = std::max(high, centre(mark).x);
      ++marks;
    }
    EXPECT_EQ(marks, 20u);
    const canvas::Box name = box_of(drawing, "group " + std::to_string(g));
    EXPECT_GT((name.left + name.right) / 2, low);
    EXPECT_LT((name.left + name.right) / 2, high);
  }
  expect_texts_apart_on_the_page(figure);
}

TEST(ScatterTest, NamesOfGroupsInOnePlaceMoveApart) {
  const Figure figure{"s", "Twelve in one place", made_scatter(12, 0)};
  expect_texts_apart_on_the_page(figure);
  const canvas::Drawing drawing = canvas::draw(figure);
  for (int g = 0; g < 12; ++g) EXPECT_TRUE(has_text(drawing, "group " + std::to_string(g)));
}

TEST(ScatterTest, OfMoreGroupsThanColoursThePointsAreGreyAndTheMiddlesNamed) {
  const Figure figure{"s", "Forty groups", made_scatter(40, 9, 5)};
  const canvas::Drawing drawing = canvas::draw(figure);
  size_t grey = 0;
  for (const auto& mark : shapes_of<canvas::Polygon>(drawing)) grey += mark.fill == canvas::rule;
  EXPECT_EQ(grey, 200u);
  EXPECT_TRUE(has_text(drawing, "group 39"));
  expect_texts_apart_on_the_page(figure);
}

TEST(ScatterTest, PointsThatDoNotDifferAreDrawn) {
  Scatter scatter;
  scatter.points = {{"a", "one", 0, 0}, {"b", "one", 0, 0}};
  expect_texts_apart_on_the_page({"s", "t", scatter});
  scatter.points = {{"a", "one", -1e-9, 0}, {"b", "one", 1e-9, 0}};
  expect_texts_apart_on_the_page({"s", "t", scatter});
}

TEST(ScatterTest, WhatCannotBeShownIsAnErrorThatNamesIt) {
  EXPECT_EQ(error_of({"s", "t", Scatter()}), "a scatter needs a point");
  Scatter scatter;
  scatter.y.label = "Height";
  scatter.points = {{"a.jpg", "", 0, std::nan("")}};
  EXPECT_EQ(error_of({"s", "t", scatter}), "a.jpg: Height is nan, which no figure can show");
  scatter.points.assign(Scatter::most_points + 1, {"a", "", 0, 0});
  EXPECT_EQ(error_of({"s", "t", scatter}), "20001 points do not fit a scatter: at most 20000");
}

TEST_F(RenderTest, HostileNamesOfGroupsAreDrawnAndTheirNumbersKept) {
  Scatter scatter = made_scatter(2, 3);
  scatter.points[0].group = "<b> `date` \"x\" {^y}";
  const Figure figure{"scatter", "t", scatter};
  render(figure, folder.path);
  EXPECT_EQ(files().count("scatter-dark.svg"), 1u);
  const Table table = figure_data(figure);
  EXPECT_EQ(table.rows.size(), 40u);
  EXPECT_EQ(column_names(table), (std::vector<std::string>{"label", "group", "x", "y"}));
}

}  // namespace
}  // namespace convscope

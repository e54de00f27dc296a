#include <cmath>
#include <limits>
#include <string>

#include "tests/report/drawn.h"

namespace convscope {
namespace {

using canvas::Drawing;

Figure columns(size_t count) {
  Columns columns;
  columns.kinds = {"convolution", "normalization", "activation"};
  columns.x_label = "Layer, in the order of execution";
  columns.panels = {{"Parameters (thousands)", 1e3}, {"MACs (millions)", 1e6}};
  for (size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i % 97);
    columns.columns.push_back({"layer" + std::to_string(i) + ".conv",
                               columns.kinds[i % 3],
                               {1e3 * x * x, i % 3 == 0 ? 1e6 * x : 0}});
  }
  return {"columns", "What the layers cost", columns};
}

// In the order of the page; the squares of the legend stand above all panels.
std::vector<canvas::Rectangle> columns_of(const Drawing& drawing, canvas::Color color) {
  std::vector<canvas::Rectangle> found;
  for (const auto& shape : shapes_of<canvas::Rectangle>(drawing))
    if (shape.fill == color) found.push_back(shape);
  return found;
}

TEST(Columns, TextsLieOnThePageAndDoNotOverlap) {
  for (const size_t count : {1, 53, 700, 5000}) expect_texts_apart_on_the_page(columns(count));
}

TEST(Columns, HeightsAreInProportion) {
  Columns two;
  two.panels = {{"P", 10}};
  two.columns = {{"a", "k", {30}}, {"b", "k", {10}}, {"c", "k", {0}}};
  const auto found = columns_of(canvas::draw({"c", "", two}), canvas::palette(0));
  ASSERT_EQ(found.size(), 2u) << "nothing is drawn for nothing";
  EXPECT_NEAR((found[0].box.top - found[0].box.bottom) / (found[1].box.top - found[1].box.bottom),
              3, 1e-9);
  EXPECT_LT(found[0].box.right, found[1].box.left);
}

TEST(Columns, HighestAreNamed) {
  const Drawing drawing = canvas::draw(columns(53));
  for (const int i : {49, 50, 51, 52})
    EXPECT_TRUE(has_text(drawing, "layer" + std::to_string(i) + ".conv")) << i;
  EXPECT_FALSE(has_text(drawing, "layer30.conv"));
}

TEST(Columns, NamesDoNotCoverColumns) {
  const Drawing drawing = canvas::draw(columns(53));
  for (const canvas::Text& text : drawing.texts) {
    if (text.text.find(".conv") == std::string::npos) continue;
    for (const auto& column : shapes_of<canvas::Rectangle>(drawing))
      EXPECT_FALSE(overlap(canvas::bounds(text), column.box, -0.2)) << text.text;
  }
}

TEST(Columns, ManyShareTheirPlaceAndKeepTheHighest) {
  Figure figure = columns(5000);
  std::get<Columns>(figure.content).columns[2500].values[0] = 1e9;
  const Drawing drawing = canvas::draw(figure);
  EXPECT_LT(drawing.shapes.size(), 5000u) << "of 10000 columns in two panels";
  double highest = 0;
  for (const auto& column : columns_of(drawing, canvas::palette(2500 % 3)))
    highest = std::max(highest, column.box.top - column.box.bottom);
  EXPECT_GT(highest, 100);
  EXPECT_TRUE(has_text(drawing, "layer2500.conv"));
}

TEST(Columns, ThatCannotBeShownNameTheirColumn) {
  Columns one;
  EXPECT_EQ(error_of({"c", "", one}), "a figure of columns needs a column and a panel");
  one.panels = {{"P", 1}};
  for (const double value : {-1.0, std::nan(""), HUGE_VAL}) {
    one.columns = {{"a", "k", {value}}};
    EXPECT_EQ(error_of({"c", "", one}), "a: 'P' is " +
                                            std::string(value == -1         ? "-1"
                                                        : std::isnan(value) ? "nan"
                                                                            : "inf") +
                                            ", which no column can show");
  }
  one.columns = {{"a", "k", {1, 2}}};
  EXPECT_EQ(error_of({"c", "", one}), "a: values for 2 panels, expected 1");
  one.columns = {{"a", "k", {0}}};
  EXPECT_EQ(error_of({"c", "", one}), "");
  one.panels[0].unit = 0;
  EXPECT_EQ(error_of({"c", "", one}), "the unit of 'P' is 0, expected more than 0");
  EXPECT_EQ(error_of(columns(5001)), "5001 columns do not fit a figure of columns: at most 5000");
}

}  // namespace
}  // namespace convscope

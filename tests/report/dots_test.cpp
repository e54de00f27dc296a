#include <cmath>
#include <limits>
#include <string>

#include "suite/report/axis.h"
#include "tests/report/drawn.h"

namespace convscope {
namespace {

using canvas::Drawing;

// Rows whose series nearly coincide in every third row, each dot with its interval and raw values.
Figure dots(size_t rows, Scale scale = Scale::log) {
  Dots dots;
  dots.x = {"Latency of a batch of one image (ms)", scale};
  dots.series = {"eager", "frozen", "oneDNN"};
  for (size_t r = 0; r < rows; ++r) {
    Dots::Row row{"network" + std::to_string(r), r < rows / 2 ? "A" : "B", {}};
    for (size_t s = 0; s < 3; ++s) {
      const double step = static_cast<double>(s) * (r % 3 == 0 ? 0.02 : 0.4);
      const double x = (3 + static_cast<double>(r)) * (1 + step);
      row.dots.push_back({dots.series[s], x, Spread{0.97 * x, 1.04 * x}, {0.98 * x, 1.02 * x}});
    }
    dots.rows.push_back(row);
  }
  dots.reference = {10, "limit: 10 ms"};
  dots.joined = true;
  return {"dots", "What freezing a network gains", dots};
}

std::vector<canvas::Point> markers(const Drawing& drawing, canvas::Color color) {
  std::vector<canvas::Point> found;
  for (const auto& polygon : shapes_of<canvas::Polygon>(drawing))
    if (polygon.fill == color) found.push_back(centre(polygon));
  return found;
}

TEST(Dots, TextsLieOnThePageAndDoNotOverlap) {
  for (const size_t rows : {1, 37, 200})
    for (const Scale scale : {Scale::linear, Scale::log})
      expect_texts_apart_on_the_page(dots(rows, scale));
}

TEST(Dots, LieWhereTheAxisSays) {
  for (const Scale scale : {Scale::linear, Scale::log}) {
    Dots four;
    four.x = {"x", scale};
    for (const double x : {10.0, 20.0, 40.0, 160.0})
      four.rows.push_back({std::to_string(x), "g", {{"s", x}}});
    const auto at = markers(canvas::draw({"d", "", four}), canvas::palette(0));
    ASSERT_EQ(at.size(), 4u);
    const double share = scale == Scale::log ? std::log(2.0) / std::log(4.0) : 1.0 / 3;
    EXPECT_NEAR((at[1].x - at[0].x) / (at[2].x - at[0].x), share, 1e-9);
    for (size_t i = 1; i < at.size(); ++i) EXPECT_LT(at[i].y, at[i - 1].y) << "from the top";
  }
}

TEST(Dots, OfOneRowDoNotCoverEachOther) {
  const Drawing drawing = canvas::draw(dots(30));
  std::vector<canvas::Point> all;
  for (size_t s = 0; s < 3; ++s)
    for (const auto& point : markers(drawing, canvas::palette(s))) all.push_back(point);
  ASSERT_EQ(all.size(), 3u * 31) << "the legend has the markers, too";
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      EXPECT_GT(std::hypot(all[i].x - all[k].x, all[i].y - all[k].y), 4);
}

TEST(Dots, IntervalReachesFromItsLowToItsHigh) {
  Dots two;
  two.x = {"x", Scale::linear, TickText::plain, false};
  two.rows = {{"a", "g", {{"s", 10, Spread{0, 30}}}}, {"b", "g", {{"s", 20}}}};
  const Drawing drawing = canvas::draw({"d", "", two});
  const auto at = markers(drawing, canvas::palette(0));
  const auto bars = shapes_of<canvas::Rectangle>(drawing);
  ASSERT_EQ(bars.size(), 1u);
  const double unit = (at[1].x - at[0].x) / 10;
  EXPECT_NEAR(bars[0].box.left, at[0].x - 10 * unit, 1e-9);
  EXPECT_NEAR(bars[0].box.right, at[0].x + 20 * unit, 1e-9);
  EXPECT_NEAR((bars[0].box.bottom + bars[0].box.top) / 2, at[0].y, 1e-9);
}

TEST(Dots, OneSeriesHasNoLegend) {
  Dots one;
  one.x = {"x"};
  one.rows = {{"a", "g", {{"only", 10}}}};
  EXPECT_FALSE(has_text(canvas::draw({"d", "", one}), "only"));
}

TEST(Dots, LongNamesAreShortened) {
  Figure figure = dots(5);
  auto& content = std::get<Dots>(figure.content);
  const std::string name(200, 'x');
  content.series.push_back(name);
  content.rows[0].label = content.reference->label = name;
  content.rows[0].dots.push_back({name, 4});
  expect_texts_apart_on_the_page(figure);
}

TEST(Dots, ReferenceHasItsNameUnderItsLine) {
  const Drawing drawing = canvas::draw(dots(20));
  const auto box = box_of(drawing, "limit: 10 ms");
  bool found = false;
  for (const auto& line : shapes_of<canvas::Polyline>(drawing))
    if (line.dash == canvas::Dash::dashed) {
      found = true;
      EXPECT_NEAR(line.points[0].x, (box.left + box.right) / 2, 1e-9);
    }
  EXPECT_TRUE(found);
}

TEST(Dots, ThatCannotBeShownNameTheirRow) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = HUGE_VAL;
  Dots one;
  one.x = {"ms", Scale::log};
  EXPECT_EQ(error_of({"d", "", one}), "a figure of dots needs a row");
  one.rows = {{"a", "g", {}}};
  EXPECT_EQ(error_of({"d", "", one}), "a figure of dots needs a dot");
  one.rows = {{"a", "g", {{"s", nan}}}};
  EXPECT_EQ(error_of({"d", "", one}), "a: ms is nan, which no figure can show");
  one.rows = {{"a", "g", {{"s", -1}}}};
  EXPECT_EQ(error_of({"d", "", one}), "a: ms is -1, which a logarithmic axis cannot show");
  one.rows = {{"a", "g", {{"s", 1, Spread{0, 2}}}}};
  EXPECT_EQ(error_of({"d", "", one}), "a: ms is 0, which a logarithmic axis cannot show");
  one.rows = {{"a", "g", {{"s", 1, {}, {infinity}}}}};
  EXPECT_EQ(error_of({"d", "", one}), "a: ms is inf, which no figure can show");
  one.rows = {{"a", "g", {{"s", 1}}}};
  one.reference = {0, "limit"};
  EXPECT_EQ(error_of({"d", "", one}), "limit: ms is 0, which a logarithmic axis cannot show");
  EXPECT_EQ(error_of(dots(201)), "201 rows do not fit a page: choose at most 200");
  one.reference = {};
  for (int s = 0; s < 8; ++s) one.rows[0].dots.push_back({std::to_string(s), 1});
  EXPECT_EQ(error_of({"d", "", one}), "9 series cannot be told apart by color: at most 7");
}

}  // namespace
}  // namespace convscope

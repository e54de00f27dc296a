#include <cmath>
#include <limits>
#include <string>

#include "tests/report/drawn.h"

namespace convscope {
namespace {

using canvas::Drawing;

// Accuracy against latency: three that no other beats, and one that is beaten.
Figure front(Scale x = Scale::log) {
  Bubbles bubbles;
  bubbles.x = {"Latency (ms)", x};
  bubbles.y = {"Top-1 (%)", Scale::linear, TickText::plain, false};
  bubbles.bubbles = {{"c", "B", 80, 78, 0, Spread{60, 81}},
                     {"a", "A", 5, 60, 0, Spread{58, 61}},
                     {"beaten", "B", 60, 65, 0, Spread{64, 66}},
                     {"b", "A", 20, 70, 0, Spread{69, 71}}};
  bubbles.front = {0, 1, 3};
  bubbles.front_label = "no other is faster and better";
  return {"front", "What accuracy costs", bubbles};
}

Figure against(Scale x, Scale y) {
  Bubbles bubbles;
  bubbles.x = {"eager (ms)", x};
  bubbles.y = {"frozen (ms)", y};
  for (int i = 1; i <= 20; ++i)
    bubbles.bubbles.push_back({"network" + std::to_string(i), "g", 5.0 * i, 3.0 * i, 0});
  bubbles.guides = {{1, "the same"}, {0.5, "half"}, {1e6, "not in the frame"}};
  return {"against", "Frozen against eager", bubbles};
}

// Of the markers, whose centre is a bubble's; the legend's stand above them.
std::vector<canvas::Point> markers(const Drawing& drawing, canvas::Color color) {
  std::vector<canvas::Point> found;
  for (const auto& polygon : shapes_of<canvas::Polygon>(drawing))
    if (polygon.fill == color) found.push_back(centre(polygon));
  return found;
}

TEST(BubbleDots, TextsLieOnThePageAndDoNotOverlap) {
  expect_texts_apart_on_the_page(front());
  for (const Scale x : {Scale::linear, Scale::log})
    for (const Scale y : {Scale::linear, Scale::log}) expect_texts_apart_on_the_page(against(x, y));
}

TEST(BubbleDots, WithoutSizesAreMarkersThatTheLegendShows) {
  const Drawing drawing = canvas::draw(front());
  EXPECT_TRUE(shapes_of<canvas::Disc>(drawing).empty());
  EXPECT_EQ(markers(drawing, canvas::palette(0)).size(), 3u) << "one of them is in the legend";
  EXPECT_EQ(markers(drawing, canvas::palette(1)).size(), 3u);
  EXPECT_NE(shapes_of<canvas::Polygon>(drawing)[0].corners.size(),
            shapes_of<canvas::Polygon>(drawing)[1].corners.size());
}

TEST(BubbleDots, SpreadIsAVerticalBarThatTheAxisReaches) {
  const Drawing drawing = canvas::draw(front());
  const auto bars = shapes_of<canvas::Rectangle>(drawing);
  ASSERT_EQ(bars.size(), 4u);
  const double unit = (bars[3].box.top - bars[3].box.bottom) / 2;
  EXPECT_NEAR((bars[0].box.top - bars[0].box.bottom) / unit, 21, 1e-9);
  EXPECT_NEAR((bars[1].box.top - bars[1].box.bottom) / unit, 3, 1e-9);
  EXPECT_LT(bars[0].box.top, box_of(drawing, "Top-1 (%)").bottom);
}

TEST(BubbleDots, FrontClimbsInStepsThroughItsBubbles) {
  const Drawing drawing = canvas::draw(front());
  std::vector<canvas::Point> path;
  for (const auto& line : shapes_of<canvas::Polyline>(drawing))
    if (line.width == 1.2) path = line.points;
  ASSERT_EQ(path.size(), 6u) << "a, below b, b, below c, c, and on to the right";
  for (size_t i = 1; i < path.size(); ++i) {
    EXPECT_TRUE(path[i].x == path[i - 1].x || path[i].y == path[i - 1].y);
    EXPECT_GE(path[i].x, path[i - 1].x);
    EXPECT_GE(path[i].y, path[i - 1].y);
  }
  EXPECT_TRUE(has_text(drawing, "no other is faster and better"));
}

TEST(BubbleDots, GuidesLieWhereTheirValuesAre) {
  for (const Scale x : {Scale::linear, Scale::log})
    for (const Scale y : {Scale::linear, Scale::log}) {
      Figure figure = against(x, y);
      auto& bubbles = std::get<Bubbles>(figure.content);
      bubbles.guides.resize(1);
      // All on the line, and so their dots.
      for (auto& bubble : bubbles.bubbles) bubble.y = bubble.x;
      const Drawing drawing = canvas::draw(figure);
      std::vector<canvas::Point> path;
      for (const auto& line : shapes_of<canvas::Polyline>(drawing))
        if (line.dash == canvas::Dash::dashed) path = line.points;
      ASSERT_GE(path.size(), 2u);
      for (const auto& at : markers(drawing, canvas::palette(0))) {
        double nearest = HUGE_VAL;
        for (size_t i = 1; i < path.size(); ++i)
          if (path[i - 1].x <= at.x && at.x <= path[i].x) {
            const double part = (at.x - path[i - 1].x) / (path[i].x - path[i - 1].x);
            nearest = path[i - 1].y + part * (path[i].y - path[i - 1].y) - at.y;
          }
        EXPECT_LT(std::abs(nearest), x == y ? 1e-6 : 0.5);
      }
    }
}

TEST(BubbleDots, GuideThatMissesTheFrameHasNoName) {
  const Drawing drawing = canvas::draw(against(Scale::linear, Scale::linear));
  EXPECT_TRUE(has_text(drawing, "the same"));
  EXPECT_TRUE(has_text(drawing, "half"));
  EXPECT_FALSE(has_text(canvas::draw(against(Scale::log, Scale::log)), "not in the frame"));
}

TEST(BubbleDots, ThatCannotBeShownNameTheirRow) {
  Figure figure = front();
  auto& bubbles = std::get<Bubbles>(figure.content);
  bubbles.bubbles[0].spread = Spread{0, std::nan("")};
  EXPECT_EQ(error_of(figure), "c: Top-1 (%) is nan, which no figure can show");
  figure = front();
  bubbles.front = {4};
  EXPECT_EQ(error_of(figure), "no other is faster and better: there is no bubble 4 of 4");
  figure = against(Scale::log, Scale::log);
  std::get<Bubbles>(figure.content).guides[0].slope = 0;
  EXPECT_EQ(error_of(figure), "the same: a guide's slope is 0, expected more than 0");
}

}  // namespace
}  // namespace convscope

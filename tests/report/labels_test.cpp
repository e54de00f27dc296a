#include "suite/report/labels.h"

#include <gtest/gtest.h>

#include <random>

namespace convscope::canvas {
namespace {

constexpr Box page = {0, 0, 300, 250};

// std::uniform_real_distribution differs between standard libraries; the engine does not.
struct Random {
  std::minstd_rand engine;
  double between(double low, double high) {
    return low + (high - low) * static_cast<double>(engine() - 1) / (2147483646.0 - 1);
  }
};

struct Scene {
  std::vector<Label> labels;
  Obstacles obstacles{page, {}, {}, {}};

  void add(Point point, double radius, double width) {
    obstacles.circles.push_back({point, radius});
    labels.push_back({point, radius, width, 8});
  }
};

Scene random_scene(unsigned seed) {
  Random random{std::minstd_rand(seed)};
  Scene scene;
  for (int i = 0; i < 37; ++i) {
    // A third of the points lie upon one another, as networks with and without normalisation do.
    Point point{random.between(20, 280), random.between(20, 230)};
    if (i % 3 == 2) {
      const Point last = scene.labels.back().anchor;
      point = {last.x + random.between(-0.5, 0.5), last.y + random.between(-0.5, 0.5)};
    }
    scene.add(point, random.between(1, 10), random.between(15, 60));
  }
  for (int i = 0; i < 3; ++i)
    scene.obstacles.segments.push_back({{random.between(0, 300), random.between(0, 250)},
                                        {random.between(0, 300), random.between(0, 250)}});
  scene.obstacles.boxes.push_back({200, 0, 300, 20});
  return scene;
}

void expect_sound(const Scene& scene, const std::vector<std::optional<PlacedLabel>>& placed) {
  ASSERT_EQ(placed.size(), scene.labels.size());
  for (size_t i = 0; i < placed.size(); ++i) {
    if (!placed[i]) continue;
    const Box& box = placed[i]->box;
    EXPECT_NEAR(box.right - box.left, scene.labels[i].width, 1e-9);
    EXPECT_TRUE(box.left >= page.left && box.right <= page.right && box.bottom >= page.bottom &&
                box.top <= page.top);
    for (const Circle& circle : scene.obstacles.circles) EXPECT_FALSE(overlap(box, circle));
    for (const Segment& segment : scene.obstacles.segments) EXPECT_FALSE(overlap(box, segment));
    for (const Box& other : scene.obstacles.boxes) EXPECT_FALSE(overlap(box, other));
    for (size_t k = 0; k < placed.size(); ++k) {
      if (k == i || !placed[k]) continue;
      EXPECT_FALSE(overlap(box, placed[k]->box)) << i << " and " << k;
      EXPECT_FALSE(placed[k]->leader && overlap(box, *placed[k]->leader)) << i << " and " << k;
    }
  }
}

TEST(PlaceLabels, NeverOverlap) {
  for (unsigned seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE(seed);
    const Scene scene = random_scene(seed);
    expect_sound(scene, place_labels(scene.labels, scene.obstacles));
  }
}

TEST(PlaceLabels, FindPlacesForNearlyAllOfAFullFigure) {
  size_t placed = 0, all = 0;
  for (unsigned seed = 1; seed <= 6; ++seed) {
    const Scene scene = random_scene(seed);
    for (const auto& label : place_labels(scene.labels, scene.obstacles)) {
      ++all;
      placed += label.has_value();
    }
  }
  EXPECT_GE(placed, all * 97 / 100);
}

TEST(PlaceLabels, AreTheSameEachTime) {
  const Scene scene = random_scene(7);
  const auto once = place_labels(scene.labels, scene.obstacles);
  const auto again = place_labels(scene.labels, scene.obstacles);
  for (size_t i = 0; i < once.size(); ++i) {
    ASSERT_EQ(once[i].has_value(), again[i].has_value());
    EXPECT_TRUE(!once[i] || once[i]->box.left == again[i]->box.left);
  }
}

TEST(PlaceLabels, LonePointHasItsNameAtItsRightWithoutALeader) {
  Scene scene;
  scene.add({100, 100}, 5, 30);
  const auto placed = place_labels(scene.labels, scene.obstacles);
  ASSERT_TRUE(placed[0]);
  EXPECT_FALSE(placed[0]->leader);
  EXPECT_NEAR(placed[0]->box.left, 106.5, 1e-9);
  EXPECT_NEAR((placed[0]->box.bottom + placed[0]->box.top) / 2, 100, 1e-9);
}

TEST(PlaceLabels, NameThatMustMoveAwayHasALeaderFromItsPoint) {
  Scene scene;
  scene.add({150, 125}, 3, 30);
  scene.obstacles.circles.push_back({{152, 125}, 25});
  const auto placed = place_labels(scene.labels, scene.obstacles);
  ASSERT_TRUE(placed[0] && placed[0]->leader);
  EXPECT_EQ(placed[0]->leader->from.x, 150);
  EXPECT_EQ(placed[0]->leader->from.y, 125);
}

TEST(PlaceLabels, NameWithoutAPlaceIsLeftOut) {
  Scene scene;
  scene.add({150, 125}, 3, 30);
  scene.obstacles.boxes = {{0, 128, 300, 250}, {0, 0, 300, 122}};
  EXPECT_FALSE(place_labels(scene.labels, scene.obstacles)[0]);
}

TEST(PlaceLabels, NameIsNotNearerToAnotherPoint) {
  Scene scene;
  scene.add({100, 100}, 3, 40);
  scene.add({150, 100}, 3, 40);  // where the name of the first would end
  const auto placed = place_labels(scene.labels, scene.obstacles);
  ASSERT_TRUE(placed[0] && placed[1]);
  EXPECT_FALSE(overlap(placed[0]->box, scene.obstacles.circles[1], 3));
}

TEST(PlaceLabels, ThousandNamesAreSoundAndFast) {
  Random random{std::minstd_rand(5)};
  Scene scene;
  for (int i = 0; i < 1000; ++i)
    scene.add({random.between(5, 295), random.between(5, 245)}, 2, random.between(15, 60));
  expect_sound(scene, place_labels(scene.labels, scene.obstacles));
}

TEST(Overlap, OfASegmentIsWithTheInsideOfABox) {
  const Box box{10, 10, 20, 20};
  EXPECT_TRUE(overlap(box, Segment{{0, 15}, {30, 15}}));
  EXPECT_TRUE(overlap(box, Segment{{12, 12}, {13, 13}}));
  EXPECT_TRUE(overlap(box, Segment{{15, 0}, {15, 12}}));
  EXPECT_FALSE(overlap(box, Segment{{0, 0}, {9, 30}}));
  EXPECT_FALSE(overlap(box, Segment{{0, 25}, {30, 25}}));
  EXPECT_TRUE(overlap(box, Segment{{0, 25}, {30, 25}}, 6));
  EXPECT_FALSE(overlap(box, Segment{{0, 15}, {9, 15}}));
}

}  // namespace
}  // namespace convscope::canvas

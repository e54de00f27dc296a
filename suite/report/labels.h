// Where to put the names of points: a greedy search that gives each name the nearest free place, so
// that names cover neither each other nor what is drawn.
#pragma once

#include <optional>
#include <vector>

#include "suite/report/canvas.h"

namespace convscope::canvas {

struct Segment {
  Point from, to;
};

struct Circle {
  Point centre;
  double radius;
};

/// A name to place beside the point `anchor`.
struct Label {
  Point anchor;
  double clearance;  ///< the radius of what is drawn at the point
  double width, height;
};

struct PlacedLabel {
  Box box;
  /// From the point's rim to the box, when that is further away; from the point itself where
  /// another circle covers the rim, so that it is clear whose leader it is.
  std::optional<Segment> leader;
};

/// What labels must leave free.
struct Obstacles {
  Box page;                     ///< labels lie inside
  std::vector<Circle> circles;  ///< among them those at the labels' own points
  std::vector<Segment> segments;
  std::vector<Box> boxes;
};

bool overlap(const Box& a, const Box& b, double margin = 0);
bool overlap(const Box& box, const Circle& circle, double margin = 0);
bool overlap(const Box& box, const Segment& segment, double margin = 0);

/// A place for each label, nullopt where none is free within 90 points (20 for more than 100
/// labels, where long leaders would hide the points). Boxes do not overlap each other, a leader, or
/// an obstacle; leaders may cross circles and segments, but rarely do. The same input gives the
/// same places. Prefers the right side.
std::vector<std::optional<PlacedLabel>> place_labels(const std::vector<Label>& labels,
                                                     const Obstacles& obstacles);

}  // namespace convscope::canvas

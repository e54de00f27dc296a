#include "suite/report/labels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace convscope::canvas {
namespace {

constexpr double touching = 1.5;    // from a point's rim to its label
constexpr double free_margin = 1;   // between a label and anything that is not its own
constexpr double leader_from = 4.5;  // a label further away than this needs a leader

double square(double x) { return x * x; }

double distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

Point nearest_in(const Box& box, Point p) {
  return {std::clamp(p.x, box.left, box.right), std::clamp(p.y, box.bottom, box.top)};
}

double distance_to(const Segment& s, Point p) {
  const double dx = s.to.x - s.from.x, dy = s.to.y - s.from.y;
  const double length2 = square(dx) + square(dy);
  if (length2 == 0) return distance(p, s.from);
  const double t =
      std::clamp(((p.x - s.from.x) * dx + (p.y - s.from.y) * dy) / length2, 0.0, 1.0);
  return distance(p, {s.from.x + t * dx, s.from.y + t * dy});
}

bool cross(const Segment& a, const Segment& b) {
  const auto side = [](const Segment& s, Point p) {
    return (s.to.x - s.from.x) * (p.y - s.from.y) - (s.to.y - s.from.y) * (p.x - s.from.x);
  };
  return side(a, b.from) * side(a, b.to) < 0 && side(b, a.from) * side(b, a.to) < 0;
}

// A place as seen from the point: how far from its rim, and in which direction.
struct Place {
  double gap, angle, cost;
};

// Nearest first; at the same distance the right side, where a name starts at its point.
std::vector<Place> places(double furthest) {
  std::vector<Place> all;
  for (double gap = touching; gap <= furthest; gap += gap < leader_from ? 1.5 : 3)
    for (int k = 0; k < 24; ++k) {
      const double angle = k * M_PI / 12;
      all.push_back({gap, angle, gap + 1.5 * (1 - std::cos(angle)) + 0.3 * std::abs(std::sin(angle))});
    }
  std::stable_sort(all.begin(), all.end(),
                   [](const Place& a, const Place& b) { return a.cost < b.cost; });
  return all;
}

PlacedLabel at(const Label& label, const Place& place, const Obstacles& obstacles) {
  const double cos = std::cos(place.angle), sin = std::sin(place.angle);
  const double reach = label.clearance + place.gap;
  // The box touches the circle of radius `reach` with the middle of a side or with a corner.
  const auto part = [](double t) { return std::clamp(t * M_SQRT2, -1.0, 1.0) / 2; };
  const double x = label.anchor.x + reach * cos + part(cos) * label.width;
  const double y = label.anchor.y + reach * sin + part(sin) * label.height;
  PlacedLabel placed{{x - label.width / 2, y - label.height / 2, x + label.width / 2,
                      y + label.height / 2},
                     {}};
  const Point end = nearest_in(placed.box, label.anchor);
  const double length = distance(label.anchor, end);
  if (length - label.clearance <= leader_from) return placed;

  const double t = label.clearance / length;
  const Point rim{label.anchor.x + t * (end.x - label.anchor.x),
                  label.anchor.y + t * (end.y - label.anchor.y)};
  const bool covered = std::any_of(
      obstacles.circles.begin(), obstacles.circles.end(), [&](const Circle& circle) {
        return distance(circle.centre, label.anchor) > 0 && distance(circle.centre, rim) < circle.radius;
      });
  placed.leader = Segment{covered ? label.anchor : rim, end};
  return placed;
}

bool box_is_free(const Box& box, const Obstacles& obstacles, const std::vector<PlacedLabel>& placed) {
  const Box& page = obstacles.page;
  if (box.left < page.left || box.right > page.right || box.bottom < page.bottom || box.top > page.top)
    return false;
  for (const PlacedLabel& other : placed)
    if (overlap(box, other.box, free_margin) ||
        (other.leader && overlap(box, *other.leader, free_margin)))
      return false;
  for (const Box& other : obstacles.boxes)
    if (overlap(box, other, free_margin)) return false;
  for (const Circle& circle : obstacles.circles)
    if (overlap(box, circle, free_margin)) return false;
  for (const Segment& segment : obstacles.segments)
    if (overlap(box, segment, free_margin)) return false;
  return true;
}

bool leader_is_free(const Segment& leader, const Obstacles& obstacles,
                    const std::vector<PlacedLabel>& placed) {
  for (const PlacedLabel& other : placed)
    if (overlap(other.box, leader, free_margin) || (other.leader && cross(*other.leader, leader)))
      return false;
  return std::none_of(obstacles.boxes.begin(), obstacles.boxes.end(),
                      [&leader](const Box& box) { return overlap(box, leader); });
}

// What a leader costs beyond its length: it should not cross what it does not name.
double leader_cost(const Label& label, const Segment& leader, const Obstacles& obstacles) {
  double cost = 4;
  for (const Circle& circle : obstacles.circles) {
    const bool own = distance(circle.centre, label.anchor) <= circle.radius;
    if (!own && distance_to(leader, circle.centre) < circle.radius + free_margin) cost += 12;
  }
  for (const Segment& segment : obstacles.segments)
    if (cross(segment, leader)) cost += 5;
  return cost;
}

// Labels in a crowd first: they have the fewest places to choose from.
std::vector<size_t> placing_order(const std::vector<Label>& labels) {
  std::vector<double> crowd(labels.size(), 0);
  for (size_t i = 0; i < labels.size(); ++i)
    for (const Label& other : labels)
      crowd[i] += std::exp(-square(distance(labels[i].anchor, other.anchor) / 25));
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&crowd](size_t a, size_t b) { return crowd[a] > crowd[b]; });
  return order;
}

// One pass over the labels in some order.
struct Attempt {
  std::vector<std::optional<PlacedLabel>> labels;
  std::vector<double> costs;

  double cost() const { return std::accumulate(costs.begin(), costs.end(), 0.0); }
};

constexpr double late_cost = 20, no_place_cost = 500;

Attempt place_in_order(const std::vector<Label>& labels, const Obstacles& obstacles,
                       const std::vector<Place>& candidates, const std::vector<size_t>& order) {
  Attempt attempt{std::vector<std::optional<PlacedLabel>>(labels.size()),
                  std::vector<double>(labels.size(), no_place_cost)};
  std::vector<PlacedLabel> placed;
  for (const size_t i : order) {
    for (const Place& place : candidates) {
      if (place.cost >= attempt.costs[i]) break;  // the rest is no better
      const PlacedLabel candidate = at(labels[i], place, obstacles);
      if (!box_is_free(candidate.box, obstacles, placed)) continue;
      double cost = place.cost;
      if (candidate.leader) {
        if (!leader_is_free(*candidate.leader, obstacles, placed)) continue;
        cost += leader_cost(labels[i], *candidate.leader, obstacles);
      }
      if (cost >= attempt.costs[i]) continue;
      attempt.costs[i] = cost;
      attempt.labels[i] = candidate;
    }
    if (attempt.labels[i]) placed.push_back(*attempt.labels[i]);
  }
  return attempt;
}

}  // namespace

bool overlap(const Box& a, const Box& b, double margin) {
  return a.left < b.right + margin && b.left < a.right + margin && a.bottom < b.top + margin &&
         b.bottom < a.top + margin;
}

bool overlap(const Box& box, const Circle& circle, double margin) {
  return distance(circle.centre, nearest_in(box, circle.centre)) < circle.radius + margin;
}

// Liang and Barsky's clipping: does any part of the segment remain?
bool overlap(const Box& box, const Segment& segment, double margin) {
  const double dx = segment.to.x - segment.from.x, dy = segment.to.y - segment.from.y;
  const double edges[4][2] = {{-dx, segment.from.x - (box.left - margin)},
                              {dx, (box.right + margin) - segment.from.x},
                              {-dy, segment.from.y - (box.bottom - margin)},
                              {dy, (box.top + margin) - segment.from.y}};
  double enter = 0, leave = 1;
  for (const auto& [towards, room] : edges) {
    if (towards == 0) {
      if (room <= 0) return false;
    } else if (towards < 0) {
      enter = std::max(enter, room / towards);
    } else {
      leave = std::min(leave, room / towards);
    }
  }
  return enter < leave;
}

std::vector<std::optional<PlacedLabel>> place_labels(const std::vector<Label>& labels,
                                                     const Obstacles& obstacles) {
  const bool many = labels.size() > 100;
  const std::vector<Place> candidates = places(many ? 20 : 90);
  std::vector<size_t> order = placing_order(labels);
  Attempt best = place_in_order(labels, obstacles, candidates, order);
  // A label that ended up far away, or nowhere, may have been too late: it goes first next time.
  Attempt last = best;
  for (int round = 0; round < (many ? 0 : 24); ++round) {
    std::stable_sort(order.begin(), order.end(), [&last](size_t a, size_t b) {
      return last.costs[a] >= late_cost && last.costs[b] < late_cost;
    });
    last = place_in_order(labels, obstacles, candidates, order);
    if (last.cost() < best.cost()) best = last;
  }
  return best.labels;
}

}  // namespace convscope::canvas

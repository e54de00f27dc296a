#include "suite/report/labels.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace convscope::canvas {
namespace {

constexpr double touching = 1.5;     // from a point's rim to its label
constexpr double free_margin = 1;    // between a label and anything that is not its own
constexpr double leader_gap = 1;     // between a leader and the name that it leads to
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
  const double t = std::clamp(((p.x - s.from.x) * dx + (p.y - s.from.y) * dy) / length2, 0.0, 1.0);
  return distance(p, {s.from.x + t * dx, s.from.y + t * dy});
}

bool cross(const Segment& a, const Segment& b) {
  const auto side = [](const Segment& s, Point p) {
    return (s.to.x - s.from.x) * (p.y - s.from.y) - (s.to.y - s.from.y) * (p.x - s.from.x);
  };
  return side(a, b.from) * side(a, b.to) < 0 && side(b, a.from) * side(b, a.to) < 0;
}

// A place that the obstacles leave free, and how little it is liked.
struct Option {
  PlacedLabel label;
  double cost;
};

// The label so far away from its point's rim, in some direction.
PlacedLabel at(const Label& label, double gap, double angle, const Obstacles& obstacles) {
  const double cos = std::cos(angle), sin = std::sin(angle);
  const double reach = label.clearance + gap;
  // The box touches the circle of radius `reach` with the middle of a side or with a corner.
  const auto part = [](double t) { return std::clamp(t * M_SQRT2, -1.0, 1.0) / 2; };
  const double x = label.anchor.x + reach * cos + part(cos) * label.width;
  const double y = label.anchor.y + reach * sin + part(sin) * label.height;
  PlacedLabel placed{
      {x - label.width / 2, y - label.height / 2, x + label.width / 2, y + label.height / 2}, {}};
  const Point end = nearest_in(placed.box, label.anchor);
  const double length = distance(label.anchor, end);
  if (length - label.clearance <= leader_from) return placed;

  const double t = label.clearance / length;
  const Point rim{label.anchor.x + t * (end.x - label.anchor.x),
                  label.anchor.y + t * (end.y - label.anchor.y)};
  const bool covered =
      std::any_of(obstacles.circles.begin(), obstacles.circles.end(), [&](const Circle& circle) {
        return distance(circle.centre, label.anchor) > 0 &&
               distance(circle.centre, rim) < circle.radius;
      });
  const double stop = 1 - leader_gap / length;
  placed.leader = Segment{covered ? label.anchor : rim,
                          {label.anchor.x + stop * (end.x - label.anchor.x),
                           label.anchor.y + stop * (end.y - label.anchor.y)}};
  return placed;
}

bool obstacles_leave(const PlacedLabel& label, const Obstacles& obstacles) {
  const Box &box = label.box, &page = obstacles.page;
  const auto covers = [&box](const auto& obstacle) { return overlap(box, obstacle, free_margin); };
  const auto crosses = [&label](const Box& other) {
    return label.leader && overlap(other, *label.leader);
  };
  return box.left >= page.left && box.right <= page.right && box.bottom >= page.bottom &&
         box.top <= page.top &&
         std::none_of(obstacles.boxes.begin(), obstacles.boxes.end(), covers) &&
         std::none_of(obstacles.boxes.begin(), obstacles.boxes.end(), crosses) &&
         std::none_of(obstacles.circles.begin(), obstacles.circles.end(), covers) &&
         std::none_of(obstacles.segments.begin(), obstacles.segments.end(), covers);
}

// What a place costs beyond its distance. A leader should not cross what it does not name; and a
// name nearer to another point than to its own would be read as that point's.
double ambiguity(const Label& label, const PlacedLabel& place, const Obstacles& obstacles) {
  double cost = place.leader ? 4 : 0;
  const double own = distance(label.anchor, nearest_in(place.box, label.anchor)) - label.clearance;
  for (const Circle& circle : obstacles.circles) {
    const double separation = distance(circle.centre, label.anchor);
    const double gap =
        distance(circle.centre, nearest_in(place.box, circle.centre)) - circle.radius;
    // Points that coincide cannot be told apart anyway.
    if (separation > 2 && gap < (place.leader ? 3 : own + 1.5)) cost += place.leader ? 8 : 20;
    if (place.leader && separation > circle.radius &&
        distance_to(*place.leader, circle.centre) < circle.radius + free_margin)
      cost += 15;
  }
  for (const Segment& segment : obstacles.segments)
    if (place.leader && cross(segment, *place.leader)) cost += 5;
  return cost;
}

// The obstacles that any place of a label, or its leader, can touch.
Obstacles nearby(const Label& label, const Obstacles& all, double furthest) {
  const double reach = label.clearance + furthest + 2 * free_margin;
  const Box around = {label.anchor.x - reach - label.width, label.anchor.y - reach - label.height,
                      label.anchor.x + reach + label.width, label.anchor.y + reach + label.height};
  Obstacles near{all.page, {}, {}, {}};
  const auto touches = [&around](const auto& obstacle) { return overlap(around, obstacle, 3); };
  std::copy_if(all.circles.begin(), all.circles.end(), std::back_inserter(near.circles), touches);
  std::copy_if(all.segments.begin(), all.segments.end(), std::back_inserter(near.segments),
               touches);
  std::copy_if(all.boxes.begin(), all.boxes.end(), std::back_inserter(near.boxes), touches);
  return near;
}

// What a label can choose from, the best first: near, and rather to the right, where a name starts
// at its point.
std::vector<Option> options(const Label& label, const Obstacles& all_obstacles, double furthest) {
  const Obstacles obstacles = nearby(label, all_obstacles, furthest);
  std::vector<Option> all;
  for (double gap = touching; gap <= furthest; gap += gap < leader_from ? 1.5 : 3)
    for (int k = 0; k < 24; ++k) {
      const double angle = k * M_PI / 12;
      const PlacedLabel place = at(label, gap, angle, obstacles);
      if (!obstacles_leave(place, obstacles)) continue;
      const double dislike = 1.5 * (1 - std::cos(angle)) + 0.3 * std::abs(std::sin(angle));
      all.push_back({place, gap + dislike + ambiguity(label, place, obstacles)});
    }
  std::stable_sort(all.begin(), all.end(),
                   [](const Option& a, const Option& b) { return a.cost < b.cost; });
  return all;
}

bool apart(const PlacedLabel& a, const PlacedLabel& b) {
  return !overlap(a.box, b.box, free_margin) &&
         !(a.leader && overlap(b.box, *a.leader, free_margin)) &&
         !(b.leader && overlap(a.box, *b.leader, free_margin)) &&
         !(a.leader && b.leader && cross(*a.leader, *b.leader));
}

// One pass over the labels in some order.
struct Attempt {
  std::vector<std::optional<PlacedLabel>> labels;
  std::vector<double> costs;

  double cost() const { return std::accumulate(costs.begin(), costs.end(), 0.0); }
};

constexpr double no_place_cost = 300;

Attempt place_in_order(const std::vector<std::vector<Option>>& choices,
                       const std::vector<size_t>& order) {
  Attempt attempt{std::vector<std::optional<PlacedLabel>>(choices.size()),
                  std::vector<double>(choices.size(), no_place_cost)};
  std::vector<PlacedLabel> placed;
  for (const size_t i : order)
    for (const Option& option : choices[i])
      if (std::all_of(placed.begin(), placed.end(),
                      [&option](const PlacedLabel& other) { return apart(option.label, other); })) {
        placed.push_back(option.label);
        attempt.labels[i] = option.label;
        attempt.costs[i] = option.cost;
        break;
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
  std::vector<std::vector<Option>> choices;
  for (const Label& label : labels) choices.push_back(options(label, obstacles, many ? 20 : 90));

  // A label with few choices goes first. Then, as in Joslin and Clements, "Squeaky wheel
  // optimization", 1999: what was placed badly moves forward, until no order is better.
  std::vector<double> urgency;
  for (const auto& choice : choices) urgency.push_back(-static_cast<double>(choice.size()) / 10);
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Attempt best;
  for (int round = 0, since_best = 0; since_best < (many ? 1 : 80); ++round, ++since_best) {
    std::stable_sort(order.begin(), order.end(),
                     [&urgency](size_t a, size_t b) { return urgency[a] > urgency[b]; });
    const Attempt attempt = place_in_order(choices, order);
    for (size_t i = 0; i < labels.size(); ++i) urgency[i] += attempt.costs[i] / 100;
    if (round == 0 || attempt.cost() < best.cost()) {
      best = attempt;
      since_best = 0;
    }
  }
  return best.labels;
}

}  // namespace convscope::canvas

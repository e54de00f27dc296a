// Points in groups that are named where they lie: many images in two dimensions.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/labels.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

constexpr double room_around = 0.04;                      // of the range, on each side
constexpr double least_height = 0.55, most_height = 1.0;  // of the width
constexpr double name_size = 7.2, longest_group = 90;
constexpr size_t layers = 8;  // in which points of all groups are drawn in turn

void check(const Scatter& scatter) {
  if (scatter.points.empty()) throw std::invalid_argument("a scatter needs a point");
  if (scatter.points.size() > Scatter::most_points)
    throw std::invalid_argument(fmt::format("{} points do not fit a scatter: at most {}",
                                            scatter.points.size(), Scatter::most_points));
  for (const Scatter::Item& point : scatter.points) {
    check_value(scatter.x, point.x, point.label);
    check_value(scatter.y, point.y, point.label);
  }
}

// Smaller and lighter where there are many.
double radius_for(size_t points) {
  return std::clamp(2.4 * std::sqrt(150.0 / static_cast<double>(points)), 0.9, 2.4);
}
double opacity_for(size_t points) { return points > 1000 ? 0.6 : 0.8; }

// A frame in which a unit is as long across as upwards.
Frame frame_of(const Scatter& scatter) {
  Range x = nothing, y = nothing;
  for (const Scatter::Item& point : scatter.points) {
    widen(x, point.x);
    widen(y, point.y);
  }
  const bool flat = y.low == y.high && x.low != x.high;
  x = padded(scatter.x, x, room_around, room_around);
  y = flat ? Range{y.low, y.high} : padded(scatter.y, y, room_around, room_around);
  Frame frame{{}, scatter.x, scatter.y, x, y};
  const double left = page_margin + room_left_of(scatter.y, padded(scatter.y, y, 0.5, 0.5));
  const double width = page_width - page_margin - 4 - left;
  const double unit = width / (x.high - x.low);
  const double height =
      std::clamp(unit * (y.high - y.low), least_height * width, most_height * width);
  const double bottom = page_margin + room_below_frame(scatter.x) - 5;
  frame.box = {left, bottom, left + width, bottom + height};
  const auto widened = [](Range range, double length) {
    const double middle = (range.low + range.high) / 2;
    return Range{middle - length / 2, middle + length / 2};
  };
  const double units = std::max((x.high - x.low) / width, (y.high - y.low) / height);
  frame.x_range = widened(x, units * width);
  frame.y_range = widened(y, units * height);
  return frame;
}

double middle_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Group {
  std::string name;
  size_t points = 0;
  Point middle{};
};

// The medians, which lie among the points even where some are far off.
std::vector<Group> groups_of(const Scatter& scatter, const Frame& frame,
                             const std::vector<std::string>& names) {
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> values;
  for (const Scatter::Item& point : scatter.points) {
    values[point.group].first.push_back(point.x);
    values[point.group].second.push_back(point.y);
  }
  std::vector<Group> groups;
  for (const std::string& name : names) {
    auto& [x, y] = values[name];
    if (x.empty()) continue;
    const size_t points = x.size();
    groups.push_back({name, points, frame.at(middle_of(x), middle_of(y))});
  }
  return groups;
}

void draw_points(Drawing& drawing, const Scatter& scatter, const Frame& frame,
                 const std::vector<std::string>& names) {
  const double radius = radius_for(scatter.points.size());
  const bool coloured = names.size() <= Scatter::most_colours;
  std::vector<size_t> places;
  std::map<std::string, size_t> place_of;
  for (size_t g = 0; g < names.size(); ++g) place_of[names[g]] = g;
  for (const Scatter::Item& point : scatter.points) places.push_back(place_of[point.group]);
  // No group lies above another, and yet the same kind of marks comes in a row, which is quick.
  std::vector<size_t> order(places.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(a % layers, places[a]) < std::pair(b % layers, places[b]);
  });
  for (const size_t i : order) {
    const Point at = frame.at(scatter.points[i].x, scatter.points[i].y);
    draw_marker(drawing, coloured ? places[i] : 0, at, radius,
                coloured ? palette(places[i]) : rule);
    std::get<Polygon>(drawing.shapes.back()).opacity = opacity_for(scatter.points.size());
  }
}

Box around(Point middle, double width, double height) {
  return {middle.x - width / 2, middle.y - height / 2, middle.x + width / 2, middle.y + height / 2};
}

// Where the names of groups lie one over the other, they move apart; those of large groups less.
void draw_names(Drawing& drawing, const Frame& frame, std::vector<Group> groups,
                const std::vector<std::string>& names) {
  std::stable_sort(groups.begin(), groups.end(),
                   [](const Group& a, const Group& b) { return a.points > b.points; });
  std::vector<Box> taken;
  std::vector<Polygon> grounds;  // above all leaders
  std::vector<std::optional<PlacedLabel>> placed;
  for (const Group& group : groups) {
    const std::string name = shortened(group.name, longest_group, name_size);
    const double width = text_width(name, name_size, /*bold=*/true) + 3, height = 1.2 * name_size;
    std::optional<Box> found;
    for (double away = 0; away <= 70 && !found; away += 3) {
      for (int step = 0; step < (away == 0 ? 1 : 24) && !found; ++step) {
        const double angle = 2 * M_PI * step / 24;
        const Box box = around(
            {group.middle.x + away * std::cos(angle), group.middle.y + away * std::sin(angle)},
            width, height);
        const bool inside = box.left > frame.box.left && box.right < frame.box.right &&
                            box.bottom > frame.box.bottom && box.top < frame.box.top;
        const bool free = std::none_of(taken.begin(), taken.end(),
                                       [&](const Box& other) { return overlap(box, other, 0.5); });
        if (inside && free) found = box;
      }
    }
    placed.push_back(found ? std::optional(PlacedLabel{*found, std::nullopt}) : std::nullopt);
    if (!found) continue;
    taken.push_back(*found);
    const Color color = text_color(palette(group_index(names, group.name)));
    const Point end{std::clamp(group.middle.x, found->left, found->right),
                    std::clamp(group.middle.y, found->bottom, found->top)};
    if (std::hypot(end.x - group.middle.x, end.y - group.middle.y) > 3) {
      drawing.shapes.push_back(Polyline{{group.middle, end}, color, 0.8});
      draw_marker(drawing, 0, group.middle, 1.4, color);
    }
    grounds.push_back(Polygon{{{found->left, found->bottom},
                               {found->right, found->bottom},
                               {found->right, found->top},
                               {found->left, found->top}},
                              paper,
                              0.8});
    drawing.texts.push_back({{(found->left + found->right) / 2, (found->bottom + found->top) / 2},
                             name,
                             Anchor::centre,
                             name_size,
                             color,
                             /*bold=*/true});
  }
  drawing.shapes.insert(drawing.shapes.end(), grounds.begin(), grounds.end());
  note_left_out(drawing, placed);
}

// More groups than colours: their middles as points of their own.
void draw_middles(Drawing& drawing, const Frame& frame, const std::vector<Group>& groups) {
  constexpr double radius = 1.5, size = 6.4;
  Obstacles obstacles{frame.box, {}, {}, {}};
  std::vector<Label> labels;
  for (const Group& group : groups) {
    draw_marker(drawing, 0, group.middle, radius, palette(0));
    obstacles.circles.push_back({group.middle, radius});
    labels.push_back({group.middle, radius,
                      text_width(shortened(group.name, longest_group, size), size), 1.1 * size});
  }
  const auto placed = place_labels(labels, obstacles);
  for (size_t g = 0; g < groups.size(); ++g) {
    if (!placed[g]) continue;
    const Box& box = placed[g]->box;
    if (placed[g]->leader) draw_leader(drawing, *placed[g]->leader, groups[g].middle);
    drawing.texts.push_back({{box.left, (box.bottom + box.top) / 2},
                             shortened(groups[g].name, longest_group, size),
                             Anchor::left,
                             size,
                             ink});
  }
  note_left_out(drawing, placed);
}

}  // namespace

Drawing draw_scatter(const std::string& title, const Scatter& scatter) {
  check(scatter);
  const Frame frame = frame_of(scatter);
  std::vector<std::string> seen;
  for (const Scatter::Item& point : scatter.points) {
    if (seen.empty() || seen.back() != point.group) seen.push_back(point.group);
  }
  const std::vector<std::string> names = group_order(scatter.groups, seen);
  Drawing drawing{
      page_width, frame.box.top + room_above_frame + 5 + header_height(title, {}), {}, {}};
  draw_header(drawing, title, {});
  draw_frame(drawing, frame);
  draw_points(drawing, scatter, frame, names);
  std::vector<Group> groups = groups_of(scatter, frame, names);
  const bool coloured = names.size() <= Scatter::most_colours;
  groups.erase(std::remove_if(groups.begin(), groups.end(),
                              [](const Group& group) { return group.name.empty(); }),
               groups.end());
  if (coloured) {
    draw_names(drawing, frame, groups, names);
  } else {
    draw_middles(drawing, frame, groups);
  }
  return drawing;
}

}  // namespace convscope::canvas

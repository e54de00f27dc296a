// Lines with their names at their ends: how something grows through the depth of networks.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/labels.h"

namespace convscope::canvas {
namespace {

constexpr double lines_height = 200, marker_radius = 1.7, end_radius = 2.4;
constexpr double marker_distance = 18, label_gap = 5;

void check(const Lines& lines) {
  if (lines.series.empty()) throw std::invalid_argument("a figure of lines needs a line");
  for (const Lines::Series& series : lines.series) {
    if (series.points.empty())
      throw std::invalid_argument("the line '" + series.label + "' has no points");
    for (const Lines::Point& point : series.points) {
      check_value(lines.x, point.x, series.label);
      check_value(lines.y, point.y, series.label);
    }
  }
  if (lines.reference) check_value(lines.y, lines.reference->y, lines.reference->label);
}

void widen(Range& range, double value) {
  range.low = std::min(range.low, value);
  range.high = std::max(range.high, value);
}

constexpr Range nothing = {std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()};

Range x_range(const Lines& lines) {
  Range range = nothing;
  for (const Lines::Series& series : lines.series)
    for (const Lines::Point& point : series.points) widen(range, point.x);
  // A count of layers starts at 0 for the eye to compare lengths.
  if (lines.x.scale == Scale::linear && range.low >= 0 && range.low < 0.3 * range.high)
    range.low = 0;
  return range.low == range.high ? padded(lines.x, range, 0, 0) : range;
}

Range y_range(const Lines& lines) {
  Range range = nothing;
  for (const Lines::Series& series : lines.series)
    for (const Lines::Point& point : series.points) widen(range, point.y);
  if (lines.reference) widen(range, lines.reference->y);
  const bool from_zero = lines.y.scale == Scale::linear && range.low >= 0;
  range = padded(lines.y, range, 0.04, 0.04);
  if (from_zero) range.low = 0;
  return range;
}

// The furthest right edge of the plot at which every name still fits beside the end of its line.
double plot_right(const Lines& lines, Range range, double left) {
  double right = page_width - page_margin - end_radius;
  for (const Lines::Series& series : lines.series) {
    const double share = along(lines.x, range, series.points.back().x, 0, 1);
    const double room = page_width - page_margin - end_radius - label_gap -
                        text_width(series.label, small_size) - left;
    if (share > 0) right = std::min(right, left + std::max(80.0, room / share));
  }
  return right;
}

// The reference line's name: above or below its right end, or as near to it as the lines leave
// room.
void draw_reference(Drawing& drawing, const Frame& frame, const Lines::Reference& reference,
                    Obstacles& obstacles) {
  const double y = frame.at(frame.x_range.high, reference.y).y;
  drawing.shapes.push_back(
      Polyline{{{frame.box.left, y}, {frame.box.right, y}}, ink, 0.9, Dash::dashed});
  const std::string name = shortened(reference.label, longest_name, small_size);
  const auto is_free = [&](const Box& box) {
    const auto covers = [&box](const auto& obstacle) { return overlap(box, obstacle, 1.5); };
    return box.left > frame.box.left && box.right < page_width - page_margin &&
           box.bottom > frame.box.bottom && box.top < frame.box.top &&
           std::none_of(obstacles.segments.begin(), obstacles.segments.end(), covers) &&
           std::none_of(obstacles.circles.begin(), obstacles.circles.end(), covers);
  };
  std::vector<Text> candidates;
  for (double shift = 0; shift < frame.box.right - frame.box.left; shift += 4)
    for (const double right : {frame.box.right - shift, frame.box.right + shift})
      for (const double middle : {y + 6, y - 6})
        candidates.push_back({{right, middle}, name, Anchor::right, small_size, ink});
  const auto found = std::find_if(candidates.begin(), candidates.end(),
                                  [&is_free](const Text& text) { return is_free(bounds(text)); });
  const Text& text = found == candidates.end() ? candidates.front() : *found;
  drawing.texts.push_back(text);
  obstacles.boxes.push_back(bounds(text));
  obstacles.segments.push_back({{frame.box.left, y}, {frame.box.right, y}});
}

}  // namespace

Drawing draw_lines(const std::string& title, Lines lines) {
  check(lines);
  for (Lines::Series& series : lines.series)
    series.label = shortened(series.label, longest_name, small_size);
  std::vector<std::string> seen;
  for (const Lines::Series& series : lines.series) seen.push_back(series.group);
  const std::vector<std::string> groups = group_order(lines.groups, seen);

  Frame frame{{}, lines.x, lines.y, x_range(lines), y_range(lines)};
  const double left = page_margin + room_left_of(lines.y, frame.y_range);
  const double bottom = page_margin + room_below_frame - 5;
  frame.box = {left, bottom, plot_right(lines, frame.x_range, left), bottom + lines_height};
  Drawing drawing{page_width, frame.box.top + room_above_frame + header_height(title, {}), {}, {}};
  draw_header(drawing, title, {});
  draw_frame(drawing, frame);

  Obstacles obstacles{
      {frame.box.left, bottom, page_width - page_margin, frame.box.top}, {}, {}, {}};
  std::vector<std::vector<Point>> paths;
  for (const Lines::Series& series : lines.series) {
    std::vector<Point>& path = paths.emplace_back();
    for (const Lines::Point& point : series.points) path.push_back(frame.at(point.x, point.y));
    for (size_t i = 1; i < path.size(); ++i) obstacles.segments.push_back({path[i - 1], path[i]});
    obstacles.circles.push_back({path.back(), end_radius});
  }
  if (lines.reference) draw_reference(drawing, frame, *lines.reference, obstacles);

  std::map<std::string, size_t> seen_in_group;
  for (size_t i = 0; i < lines.series.size(); ++i) {
    const size_t group = group_index(groups, lines.series[i].group);
    const Dash dash = static_cast<Dash>(seen_in_group[lines.series[i].group]++ % 4);
    drawing.shapes.push_back(Polyline{paths[i], palette(group), 1.1, dash});
  }
  for (size_t i = 0; i < lines.series.size(); ++i) {
    const size_t group = group_index(groups, lines.series[i].group);
    Point last{-1e9, -1e9};
    for (const Point& point : paths[i]) {
      const Point& end = paths[i].back();
      if (std::hypot(point.x - last.x, point.y - last.y) < marker_distance ||
          std::hypot(point.x - end.x, point.y - end.y) < marker_distance / 2)
        continue;
      draw_marker(drawing, group, point, marker_radius, palette(group));
      last = point;
    }
    draw_marker(drawing, group, paths[i].back(), end_radius, palette(group));
  }

  std::vector<Label> labels;
  for (size_t i = 0; i < lines.series.size(); ++i)
    labels.push_back({paths[i].back(), end_radius, text_width(lines.series[i].label, small_size),
                      1.1 * small_size});
  const auto placed = place_labels(labels, obstacles);
  for (size_t i = 0; i < placed.size(); ++i) {
    if (!placed[i]) continue;
    const Color color = text_color(palette(group_index(groups, lines.series[i].group)));
    const Box& box = placed[i]->box;
    if (placed[i]->leader) draw_leader(drawing, *placed[i]->leader, paths[i].back());
    drawing.texts.push_back({{box.left, (box.bottom + box.top) / 2},
                             lines.series[i].label,
                             Anchor::left,
                             small_size,
                             color});
  }
  note_left_out(drawing, placed);
  return drawing;
}

}  // namespace convscope::canvas

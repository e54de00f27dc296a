// Lines with their names at their ends: how something grows through the depth of networks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/labels.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

constexpr double lines_height = 200, marker_radius = 1.7, end_radius = 2.4;
constexpr double marker_distance = 18, label_gap = 5;
constexpr double dot_radius = 0.9, bar_pitch = 3.4, bar_width = 0.7, band_opacity = 0.15;

void check(const Lines& lines) {
  if (lines.series.empty()) throw std::invalid_argument("a figure of lines needs a line");
  for (const Lines::Series& series : lines.series) {
    if (series.points.empty())
      throw std::invalid_argument("the line '" + series.label + "' has no points");
    for (const Lines::Point& point : series.points) {
      check_value(lines.x, point.x, series.label);
      check_value(lines.y, point.y, series.label);
    }
    if (!series.spread.empty() && series.spread.size() != series.points.size())
      throw std::invalid_argument(fmt::format("the line '{}' has {} points and {} spreads",
                                              printable(series.label), series.points.size(),
                                              series.spread.size()));
    for (const Spread& spread : series.spread) check_spread(lines.y, spread, series.label);
    for (const Lines::Point& dot : series.dots) {
      check_value(lines.x, dot.x, series.label);
      check_value(lines.y, dot.y, series.label);
    }
  }
  for (const Lines::Mark& mark : lines.marks) {
    check_value(lines.x, mark.x, mark.label);
    check_value(lines.y, mark.y, mark.label);
  }
  if (!lines.reference) return;
  check_value(lines.y, lines.reference->y, lines.reference->label);
  if (lines.reference->spread)
    check_spread(lines.y, *lines.reference->spread, lines.reference->label);
}

Range x_range(const Lines& lines) {
  Range range = nothing;
  for (const Lines::Series& series : lines.series) {
    for (const Lines::Point& point : series.points) widen(range, point.x);
    for (const Lines::Point& dot : series.dots) widen(range, dot.x);
  }
  for (const Lines::Mark& mark : lines.marks) widen(range, mark.x);
  range = horizontal_range(lines.x, range);
  // Room for the bars of the lines that stand left and right of their x.
  return lines.bars ? padded(lines.x, range, 0.05, 0.05) : range;
}

Range y_range(const Lines& lines) {
  Range range = nothing;
  for (const Lines::Series& series : lines.series) {
    for (const Lines::Point& point : series.points) widen(range, point.y);
    for (const Lines::Point& dot : series.dots) widen(range, dot.y);
    for (const Spread& spread : series.spread) widen(range, spread);
  }
  for (const Lines::Mark& mark : lines.marks) widen(range, mark.y);
  if (lines.reference) widen(range, lines.reference->y);
  if (lines.reference && lines.reference->spread) widen(range, *lines.reference->spread);
  const bool from_zero = lines.y.from_zero && lines.y.scale == Scale::linear && range.low >= 0;
  range = padded(lines.y, range, 0.04, 0.04);
  if (from_zero) range.low = 0;
  return range;
}

// From the middle of the lines that stand side by side to the outermost.
double half_of_bars(const Lines& lines) {
  return lines.bars ? (static_cast<double>(lines.series.size()) - 1) / 2 * bar_pitch : 0;
}

// The furthest right edge of the plot at which every name still fits beside the end of its line.
double plot_right(const Lines& lines, Range range, double left) {
  double right = page_width - page_margin - end_radius;
  const double beside = half_of_bars(lines);
  for (const Lines::Series& series : lines.series) {
    const double share = along(lines.x, range, series.points.back().x, 0, 1);
    const double room = page_width - page_margin - end_radius - label_gap -
                        text_width(series.label, small_size) - left - beside;
    if (share > 0) right = std::min(right, left + std::max(80.0, room / share));
  }
  return right;
}

// The reference line's name: above or below its right end, as near to it as the lines leave room,
// or where they leave none, at the end of a leader.
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
  Text text = found == candidates.end() ? candidates.front() : *found;
  obstacles.segments.push_back({{frame.box.left, y}, {frame.box.right, y}});
  if (found == candidates.end()) {
    const Point named{frame.box.right - (frame.box.right - frame.box.left) / 12, y};
    const auto placed =
        place_labels({{named, 0, text_width(name, small_size), 1.1 * small_size}}, obstacles)[0];
    if (placed) text.at = {placed->box.right, (placed->box.bottom + placed->box.top) / 2};
    if (placed && placed->leader) draw_leader(drawing, *placed->leader, named);
  }
  drawing.texts.push_back(text);
  obstacles.boxes.push_back(bounds(text));
}

// A figure's lines on the page.
struct Laid {
  std::vector<std::vector<Point>> paths;  // of each series
  std::vector<size_t> groups;             // which colour and marker it has
};

Laid lay(const Lines& lines, const Frame& frame) {
  std::vector<std::string> seen;
  for (const Lines::Series& series : lines.series) seen.push_back(series.group);
  const std::vector<std::string> groups = group_order(lines.groups, seen);
  Laid laid;
  for (size_t i = 0; i < lines.series.size(); ++i) {
    laid.groups.push_back(group_index(groups, lines.series[i].group));
    const double beside = lines.bars ? static_cast<double>(i) * bar_pitch - half_of_bars(lines) : 0;
    std::vector<Point>& path = laid.paths.emplace_back();
    for (const Lines::Point& point : lines.series[i].points) {
      const Point at = frame.at(point.x, point.y);
      path.push_back({at.x + beside, at.y});
    }
  }
  return laid;
}

void draw_bars(Drawing& drawing, const Frame& frame, const Lines::Series& series,
               const std::vector<Point>& path, Color color, Obstacles& obstacles) {
  for (size_t k = 0; k < series.spread.size(); ++k) {
    const double low = frame.at(series.points[k].x, series.spread[k].low).y;
    const double high = frame.at(series.points[k].x, series.spread[k].high).y;
    const double x = path[k].x;
    drawing.shapes.push_back(Rectangle{{x - bar_width / 2, low, x + bar_width / 2, high}, color});
    obstacles.segments.push_back({{x, low}, {x, high}});
  }
}

// No obstacle: names may stand on it.
void draw_band(Drawing& drawing, const Frame& frame, const Lines::Series& series, Color color) {
  if (series.spread.empty()) return;
  Polygon band{{}, color, band_opacity};
  for (size_t k = 0; k < series.spread.size(); ++k)
    band.corners.push_back(frame.at(series.points[k].x, series.spread[k].high));
  for (size_t k = series.spread.size(); k-- > 0;)
    band.corners.push_back(frame.at(series.points[k].x, series.spread[k].low));
  drawing.shapes.push_back(band);
}

void draw_dots(Drawing& drawing, const Frame& frame, const Lines::Series& series, Color color,
               Obstacles& obstacles) {
  for (const Lines::Point& dot : series.dots) {
    const Point at = frame.at(dot.x, dot.y);
    draw_marker(drawing, 0, at, dot_radius, mixed(paper, color, 0.5));
    // No circle, since nobody takes a name near it for its own.
    obstacles.segments.push_back({{at.x, at.y - dot_radius}, {at.x, at.y + dot_radius}});
  }
}

// What lies under the lines.
void draw_spreads(Drawing& drawing, const Frame& frame, const Lines& lines, const Laid& laid,
                  Obstacles& obstacles) {
  for (size_t i = 0; i < lines.series.size(); ++i) {
    const Color color = palette(laid.groups[i]);
    draw_dots(drawing, frame, lines.series[i], color, obstacles);
    if (lines.bars)
      draw_bars(drawing, frame, lines.series[i], laid.paths[i], color, obstacles);
    else
      draw_band(drawing, frame, lines.series[i], color);
  }
}

void draw_markers(Drawing& drawing, size_t group, const std::vector<Point>& path) {
  const Point& end = path.back();
  Point last{-1e9, -1e9};
  for (const Point& point : path) {
    if (std::hypot(point.x - last.x, point.y - last.y) < marker_distance ||
        std::hypot(point.x - end.x, point.y - end.y) < marker_distance / 2)
      continue;
    draw_marker(drawing, group, point, marker_radius, palette(group));
    last = point;
  }
}

void draw_paths(Drawing& drawing, const Lines& lines, const Laid& laid) {
  std::map<size_t, size_t> seen_in_group;
  for (size_t i = 0; i < laid.paths.size(); ++i) {
    const Dash dash = static_cast<Dash>(seen_in_group[laid.groups[i]]++ % 4);
    drawing.shapes.push_back(Polyline{laid.paths[i], palette(laid.groups[i]), 1.1, dash});
  }
  for (size_t i = 0; i < laid.paths.size(); ++i) {
    if (lines.series[i].dots.empty()) draw_markers(drawing, laid.groups[i], laid.paths[i]);
    draw_marker(drawing, laid.groups[i], laid.paths[i].back(), end_radius, palette(laid.groups[i]));
  }
}

// The names at the ends of the lines and beside the marks, which share the room.
void draw_names(Drawing& drawing, const Frame& frame, const Lines& lines, const Laid& laid,
                const Obstacles& obstacles) {
  std::vector<Label> labels;
  std::vector<Text> texts;
  std::vector<Point> named;
  const auto add = [&](Point point, Point at, const std::string& name, Color color) {
    named.push_back(point);
    labels.push_back({at, end_radius, text_width(name, small_size), 1.1 * small_size});
    texts.push_back({at, name, Anchor::left, small_size, color});
  };
  for (size_t i = 0; i < lines.series.size(); ++i) {
    // Right of the bars that stand beside its own.
    const double beside =
        lines.bars ? static_cast<double>(lines.series.size() - 1 - i) * bar_pitch : 0;
    const Point& end = laid.paths[i].back();
    add(end, {end.x + beside, end.y}, lines.series[i].label, text_color(palette(laid.groups[i])));
  }
  for (const Lines::Mark& mark : lines.marks) {
    const Point at = frame.at(mark.x, mark.y);
    add(at, at, mark.label, ink);
  }
  const auto placed = place_labels(labels, obstacles);
  for (size_t i = 0; i < placed.size(); ++i) {
    if (!placed[i]) continue;
    const Box& box = placed[i]->box;
    if (placed[i]->leader) {
      const bool moved = labels[i].anchor.x != named[i].x;
      draw_leader(drawing, {moved ? named[i] : placed[i]->leader->from, placed[i]->leader->to},
                  named[i]);
    }
    texts[i].at = {box.left, (box.bottom + box.top) / 2};
    drawing.texts.push_back(texts[i]);
  }
  note_left_out(drawing, placed);
}

}  // namespace

Drawing draw_lines(const std::string& title, Lines lines) {
  check(lines);
  for (Lines::Series& series : lines.series)
    series.label = shortened(series.label, longest_name, small_size);
  for (Lines::Mark& mark : lines.marks)
    mark.label = shortened(mark.label, longest_name, small_size);

  Frame frame{{}, lines.x, lines.y, x_range(lines), y_range(lines)};
  const double left = page_margin + room_left_of(lines.y, frame.y_range);
  const double bottom = page_margin + room_below_frame(lines.x) - 5;
  frame.box = {left, bottom, plot_right(lines, frame.x_range, left), bottom + lines_height};
  Drawing drawing{page_width, frame.box.top + room_above_frame + header_height(title, {}), {}, {}};
  draw_header(drawing, title, {});
  if (lines.reference && lines.reference->spread)
    drawing.shapes.push_back(
        Rectangle{{left, frame.at(frame.x_range.low, lines.reference->spread->low).y,
                   frame.box.right, frame.at(frame.x_range.low, lines.reference->spread->high).y},
                  band});
  draw_frame(drawing, frame);

  Obstacles obstacles{
      {frame.box.left, bottom, page_width - page_margin, frame.box.top}, {}, {}, {}};
  const Laid laid = lay(lines, frame);
  for (const std::vector<Point>& path : laid.paths) {
    for (size_t i = 1; i < path.size(); ++i) obstacles.segments.push_back({path[i - 1], path[i]});
    obstacles.circles.push_back({path.back(), end_radius});
  }
  for (const Lines::Mark& mark : lines.marks)
    obstacles.circles.push_back({frame.at(mark.x, mark.y), end_radius});
  draw_spreads(drawing, frame, lines, laid, obstacles);
  if (lines.reference) draw_reference(drawing, frame, *lines.reference, obstacles);
  draw_paths(drawing, lines, laid);
  for (const Lines::Mark& mark : lines.marks) {
    draw_marker(drawing, 0, frame.at(mark.x, mark.y), end_radius + 0.9, paper);
    draw_marker(drawing, 0, frame.at(mark.x, mark.y), end_radius, ink);
  }
  draw_names(drawing, frame, lines, laid, obstacles);
  return drawing;
}

}  // namespace convscope::canvas

// Bubbles with their names beside them: three costs of many networks at once.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/labels.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

// Around the points. The names of the largest, often in the upper right corner, need room there.
constexpr double room_left = 14, room_right = 48, room_below = 16, room_above = 34;
constexpr double smallest_radius = 1, label_size = 6.8;
constexpr double dot_radius = 2.6, bar_width = 0.8;

// More names need more room.
double height_for(size_t bubbles) {
  return 265 * std::clamp(static_cast<double>(bubbles) / 50.0, 1.0, 1.25);
}

// The radius of the largest bubble: smaller where there are more than can stand side by side.
double largest_radius(size_t bubbles) {
  return std::clamp(11 * std::sqrt(50.0 / static_cast<double>(bubbles)), 3.0, 11.0);
}

void check(const Bubbles& bubbles) {
  if (bubbles.bubbles.empty()) throw std::invalid_argument("a figure of bubbles needs a bubble");
  for (const Bubbles::Bubble& bubble : bubbles.bubbles) {
    check_value(bubbles.x, bubble.x, bubble.label);
    check_value(bubbles.y, bubble.y, bubble.label);
    if (!std::isfinite(bubble.size) || bubble.size < 0)
      throw std::invalid_argument(fmt::format("{}: {} is {}, which no area can show",
                                              printable(bubble.label), bubbles.size_label,
                                              bubble.size));
    if (bubble.spread) check_spread(bubbles.y, *bubble.spread, bubble.label);
  }
  for (const Bubbles::Guide& guide : bubbles.guides)
    if (!std::isfinite(guide.slope) || guide.slope <= 0)
      throw std::invalid_argument(fmt::format("{}: a guide's slope is {}, expected more than 0",
                                              printable(guide.label), guide.slope));
  for (const size_t place : bubbles.front)
    if (place >= bubbles.bubbles.size())
      throw std::invalid_argument(fmt::format("{}: there is no bubble {} of {}",
                                              printable(bubbles.front_label), place,
                                              bubbles.bubbles.size()));
}

double highest(const Bubbles::Roof& roof) {
  double y = 0;
  for (const Bubbles::Roof::Ceiling& ceiling : roof.ceilings) y = std::max(y, ceiling.y);
  return y;
}

void check(const Bubbles& bubbles, const Bubbles::Roof& roof) {
  if (roof.ceilings.empty()) throw std::invalid_argument("a roof needs a ceiling");
  check_value(bubbles.y, roof.slope, roof.slope_label);
  if (roof.slope <= 0)
    throw std::invalid_argument(printable(roof.slope_label) + ": a roof's slope is positive");
  for (const Bubbles::Roof::Ceiling& ceiling : roof.ceilings)
    check_value(bubbles.y, ceiling.y, ceiling.label);
}

// The ranges with the corner of the roof in them, and some of its slope and of its ceiling.
void make_room_for(const Bubbles::Roof& roof, Range& x, Range& y) {
  const double corner = highest(roof) / roof.slope;
  x = {std::min(x.low, corner / 8), std::max(x.high, corner * 4)};
  y = {std::min(y.low, highest(roof) / 8), std::max(y.high, highest(roof))};
}

// A name beside a line, right-aligned, at the first of the places that covers neither a bubble nor
// what else is there; at the first of all if there is none.
void name_line(Drawing& drawing, const Frame& frame, const std::string& name,
               const std::vector<Point>& right_ends, Obstacles& obstacles, Color color = ink) {
  std::vector<Text> candidates;
  for (const Point& end : right_ends)
    candidates.push_back(
        {end, shortened(name, 2 * longest_name, small_size), Anchor::right, small_size, color});
  const auto is_free = [&](const Text& text) {
    const Box box = bounds(text);
    const auto covers = [&box](const auto& obstacle) { return overlap(box, obstacle, 1); };
    return box.left > frame.box.left + 1 && box.right < page_width - page_margin &&
           box.top < frame.box.top + 8 && box.bottom > frame.box.bottom &&
           std::none_of(obstacles.circles.begin(), obstacles.circles.end(), covers) &&
           std::none_of(obstacles.segments.begin(), obstacles.segments.end(), covers) &&
           std::none_of(obstacles.boxes.begin(), obstacles.boxes.end(), covers);
  };
  const auto found = std::find_if(candidates.begin(), candidates.end(), is_free);
  const Text& text = found == candidates.end() ? candidates.front() : *found;
  drawing.texts.push_back(text);
  obstacles.boxes.push_back(bounds(text));
}

void draw_roof(Drawing& drawing, const Frame& frame, const Bubbles::Roof& roof,
               Obstacles& obstacles) {
  const double top = highest(roof);
  const auto on_slope = [&](double y) { return frame.at(y / roof.slope, y); };
  // The slope enters the frame from the left or from below.
  const double start = std::max(frame.y_range.low, roof.slope * frame.x_range.low);
  const Point low = on_slope(start), corner = on_slope(top);
  drawing.shapes.push_back(
      Polyline{{low, corner, frame.at(frame.x_range.high, top)}, ink, 1.1, Dash::solid});
  obstacles.segments.push_back({low, corner});
  for (const Bubbles::Roof::Ceiling& ceiling : roof.ceilings) {
    const Point from = on_slope(ceiling.y), to = frame.at(frame.x_range.high, ceiling.y);
    if (ceiling.y < top) drawing.shapes.push_back(Polyline{{from, to}, ink, 0.8, Dash::dashed});
    obstacles.segments.push_back({from, to});
  }
  for (const Bubbles::Roof::Ceiling& ceiling : roof.ceilings) {
    const Point end = frame.at(frame.x_range.high, ceiling.y);
    std::vector<Point> places;
    for (double shift = 0; shift < frame.box.right - frame.box.left; shift += 4)
      for (const double away : {6.0, -6.0}) places.push_back({end.x - shift, end.y + away});
    name_line(drawing, frame, ceiling.label, places, obstacles);
  }
  // Left of the slope, as near to its middle as there is room.
  std::vector<Point> places;
  for (const double share : {0.5, 0.6, 0.4, 0.7, 0.3, 0.8, 0.2, 0.9})
    places.push_back(
        {low.x + share * (corner.x - low.x) - 7, low.y + share * (corner.y - low.y) + 4});
  name_line(drawing, frame, roof.slope_label, places, obstacles);
}

// The largest of 1, 2 or 5 times a power of ten up to `value`.
double round_down(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  return (value >= 5 * power ? 5 : value >= 2 * power ? 2 : 1) * power;
}

// Three circles and what they stand for, at the top right of the frame.
void draw_size_key(Drawing& drawing, const Bubbles& bubbles, double largest, double right,
                   double y) {
  const double biggest = round_down(largest);
  double x = right;
  for (const double size : {biggest, biggest / 5, biggest / 50}) {
    const double radius = largest_radius(bubbles.bubbles.size()) * std::sqrt(size / largest);
    const std::string text = si_text(size);
    drawing.texts.push_back({{x, y}, text, Anchor::right, small_size, ink});
    x -= text_width(text, small_size) + 2.5 + radius;
    drawing.shapes.push_back(Disc{{x, y}, std::max(radius, smallest_radius), rim});
    x -= radius + 7;
  }
  drawing.texts.push_back({{x, y}, "area: " + bubbles.size_label, Anchor::right, small_size, ink});
}

// A line where neither axis bends it, and a curve where one does.
std::vector<Point> path_of(const Bubbles::Guide& guide, const Frame& frame) {
  const double from = std::max(frame.x_range.low, frame.y_range.low / guide.slope);
  const double to = std::min(frame.x_range.high, frame.y_range.high / guide.slope);
  if (from >= to) return {};
  const bool straight = frame.x.scale == frame.y.scale;
  const int pieces = straight ? 1 : 120;
  std::vector<Point> path;
  for (int i = 0; i <= pieces; ++i) {
    const double share = static_cast<double>(i) / pieces;
    const double x = straight ? from + share * (to - from) : from * std::pow(to / from, share);
    path.push_back(frame.at(x, guide.slope * x));
  }
  return path;
}

void add_obstacle(Obstacles& obstacles, const std::vector<Point>& path) {
  for (size_t i = 1; i < path.size(); ++i) obstacles.segments.push_back({path[i - 1], path[i]});
}

void draw_guides(Drawing& drawing, const Frame& frame, const std::vector<Bubbles::Guide>& guides,
                 Obstacles& obstacles) {
  std::vector<std::vector<Point>> paths;
  for (const Bubbles::Guide& guide : guides) {
    paths.push_back(path_of(guide, frame));
    if (paths.back().empty()) continue;
    drawing.shapes.push_back(Polyline{paths.back(), rim, 0.8, Dash::dashed});
    add_obstacle(obstacles, paths.back());
  }
  for (size_t g = 0; g < guides.size(); ++g) {
    if (paths[g].empty() || guides[g].label.empty()) continue;
    // Above or below the line, from its upper end down.
    const double width =
        text_width(shortened(guides[g].label, 2 * longest_name, small_size), small_size);
    std::vector<Point> places;
    for (double share = 0.98; share > 0; share -= 0.02) {
      const double along = share * static_cast<double>(paths[g].size() - 1);
      const auto piece = static_cast<size_t>(along);
      const Point &a = paths[g][piece], &b = paths[g][piece + 1];
      const double part = along - static_cast<double>(piece);
      const Point on{a.x + part * (b.x - a.x), a.y + part * (b.y - a.y)};
      for (const double away : {3.0, 6.0, 10.0}) {
        places.push_back({on.x - away, on.y + 4});
        places.push_back({on.x + away + width, on.y - 4});
      }
    }
    name_line(drawing, frame, guides[g].label, places, obstacles, muted);
  }
}

// What has been reached at each x stays reached until the next bubble is higher.
void draw_front(Drawing& drawing, const Frame& frame, const Bubbles& bubbles,
                Obstacles& obstacles) {
  std::vector<Point> corners;
  for (const size_t i : bubbles.front)
    corners.push_back(frame.at(bubbles.bubbles[i].x, bubbles.bubbles[i].y));
  std::sort(corners.begin(), corners.end(),
            [](const Point& a, const Point& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
  std::vector<Point> path;
  for (const Point& corner : corners) {
    if (!path.empty()) path.push_back({corner.x, path.back().y});
    path.push_back(corner);
  }
  if (path.empty()) return;
  path.push_back({frame.box.right, path.back().y});
  drawing.shapes.push_back(Polyline{path, rim, 1.2});
  add_obstacle(obstacles, path);
  if (bubbles.front_label.empty()) return;
  std::vector<Point> places;
  for (size_t i = path.size() - 1; i-- > 0;)
    if (path[i].y == path[i + 1].y)
      for (double x = path[i + 1].x; x > path[i].x; x -= 4)
        for (const double away : {6.0, 9.0, -6.0}) places.push_back({x - 2, path[i].y + away});
  name_line(drawing, frame, bubbles.front_label, places, obstacles, muted);
}

// The largest first, so that none hides a small one.
std::vector<size_t> from_the_largest(const std::vector<Disc>& discs) {
  std::vector<size_t> order(discs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&discs](size_t a, size_t b) { return discs[a].radius > discs[b].radius; });
  return order;
}

void draw_spreads(Drawing& drawing, const Frame& frame, const std::vector<Bubbles::Bubble>& all,
                  const std::vector<Disc>& discs, Obstacles& obstacles) {
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].spread) continue;
    const Point low = frame.at(all[i].x, all[i].spread->low),
                high = frame.at(all[i].x, all[i].spread->high);
    drawing.shapes.push_back(
        Rectangle{{low.x - bar_width / 2, low.y, low.x + bar_width / 2, high.y}, discs[i].fill});
    obstacles.segments.push_back({low, high});
  }
}

// Where there is no room for all names, those of the front stay.
void draw_names(Drawing& drawing, const Bubbles& bubbles, const std::vector<Disc>& discs,
                const std::vector<size_t>& which, Obstacles obstacles) {
  const auto on_front = [&](size_t i) {
    return std::count(bubbles.front.begin(), bubbles.front.end(), i) > 0;
  };
  std::vector<std::optional<PlacedLabel>> all_placed;
  for (const bool front : {true, false}) {
    std::vector<Label> labels;
    std::vector<size_t> bubble_of;
    for (const size_t i : which) {
      if (on_front(i) != front) continue;
      const double width = text_width(bubbles.bubbles[i].label, label_size);
      labels.push_back({discs[i].centre, discs[i].radius, width, 1.1 * label_size});
      bubble_of.push_back(i);
    }
    const auto placed = place_labels(labels, obstacles);
    for (size_t k = 0; k < placed.size(); ++k) {
      if (!placed[k]) continue;
      const Box& box = placed[k]->box;
      const size_t i = bubble_of[k];
      if (placed[k]->leader) {
        draw_leader(drawing, *placed[k]->leader, discs[i].centre);
        obstacles.segments.push_back(*placed[k]->leader);
      }
      obstacles.boxes.push_back(box);
      drawing.texts.push_back({{box.left, (box.bottom + box.top) / 2},
                               bubbles.bubbles[i].label,
                               Anchor::left,
                               label_size,
                               text_color(discs[i].fill)});
    }
    all_placed.insert(all_placed.end(), placed.begin(), placed.end());
  }
  note_left_out(drawing, all_placed);
}

// The frame round values in these ranges, with room for names.
Frame frame_of(const Bubbles& bubbles, Range x, Range y) {
  const double bottom = page_margin + room_below_frame(bubbles.x) - 5;
  const double full_height = height_for(bubbles.bubbles.size());
  Frame frame{{}, bubbles.x, bubbles.y, x, y};
  frame.box = {page_margin + room_left_of(bubbles.y, padded(bubbles.y, y, 0.1, 0.1)), bottom,
               page_width - page_margin - 4, bottom + full_height};
  const double width = frame.box.right - frame.box.left - room_left - room_right;
  const double height = full_height - room_below - room_above;
  frame.x_range = padded(bubbles.x, x, room_left / width, room_right / width);
  frame.y_range = padded(bubbles.y, y, room_below / height, room_above / height);
  return frame;
}

std::vector<Disc> place(const std::vector<Bubbles::Bubble>& all, const Frame& frame, double largest,
                        const std::vector<std::string>& groups) {
  std::vector<Disc> discs;
  for (const Bubbles::Bubble& bubble : all) {
    const double radius =
        largest == 0 ? dot_radius
                     : std::max(largest_radius(all.size()) * std::sqrt(bubble.size / largest),
                                smallest_radius);
    discs.push_back(
        {frame.at(bubble.x, bubble.y), radius, palette(group_index(groups, bubble.group))});
  }
  return discs;
}

}  // namespace

Drawing draw_bubbles(const std::string& title, Bubbles bubbles) {
  check(bubbles);
  if (bubbles.roof) check(bubbles, *bubbles.roof);
  for (Bubbles::Bubble& bubble : bubbles.bubbles)
    bubble.label = shortened(bubble.label, longest_name, label_size);
  const std::vector<Bubbles::Bubble>& all = bubbles.bubbles;
  std::vector<std::string> seen;
  double largest = 0;
  Range x = nothing, y = nothing;
  for (const Bubbles::Bubble& bubble : all) {
    seen.push_back(bubble.group);
    largest = std::max(largest, bubble.size);
    widen(x, bubble.x);
    widen(y, bubble.y);
    if (bubble.spread) widen(y, *bubble.spread);
  }
  const bool dots = largest == 0;
  if (bubbles.roof) make_room_for(*bubbles.roof, x, y);
  const std::vector<std::string> groups = group_order(bubbles.groups, seen);
  std::vector<LegendEntry> legend;
  for (size_t g = 0; g < groups.size(); ++g)
    if (groups.size() > 1 && std::find(seen.begin(), seen.end(), groups[g]) != seen.end())
      legend.push_back({groups[g], palette(g), dots ? std::optional(g) : std::nullopt});

  const Frame frame = frame_of(bubbles, x, y);
  // A line above the axis's label where both do not fit into one.
  const bool beside = text_width(bubbles.y.label, text_size) < page_width / 2.4;
  const double key_room = dots ? 5 : beside ? 12 : 17;
  Drawing drawing{page_width,
                  frame.box.top + room_above_frame + key_room + header_height(title, legend),
                  {},
                  {}};
  draw_header(drawing, title, legend);
  draw_frame(drawing, frame);
  if (!dots)
    draw_size_key(drawing, bubbles, largest, frame.box.right, frame.box.top + (beside ? 14 : 23));

  const std::vector<Disc> discs = place(all, frame, largest, groups);
  Obstacles obstacles{
      {frame.box.left + 1, frame.box.bottom + 1, page_width - page_margin, frame.box.top},
      {},
      {},
      {}};
  for (const Disc& disc : discs) obstacles.circles.push_back({disc.centre, disc.radius});
  draw_spreads(drawing, frame, all, discs, obstacles);
  draw_guides(drawing, frame, bubbles.guides, obstacles);
  draw_front(drawing, frame, bubbles, obstacles);
  std::vector<size_t> order = from_the_largest(discs);
  for (const size_t i : order) {
    if (dots)
      draw_marker(drawing, group_index(groups, all[i].group), discs[i].centre, dot_radius,
                  discs[i].fill);
    else
      drawing.shapes.push_back(discs[i]);
  }
  if (bubbles.roof) draw_roof(drawing, frame, *bubbles.roof, obstacles);
  order.erase(std::remove_if(order.begin(), order.end(), [&](size_t i) { return !all[i].named; }),
              order.end());
  order.resize(std::min(order.size(), bubbles.named.value_or(order.size())));
  if (!bubbles.named) std::sort(order.begin(), order.end());
  draw_names(drawing, bubbles, discs, order, obstacles);
  return drawing;
}

}  // namespace convscope::canvas

// Dots in rows on a common axis: how the values of a few series compare, row by row.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

constexpr double dot_radius = 2.3, raw_radius = 0.9, interval_width = 1;
constexpr double lane_pitch = 5.2, lane_gap = 1;
constexpr double beside_rows = 6;  // from the frame to the names, and to what lies at its ends
constexpr size_t most_rows = 200, most_series = 7;

void check(const Dots& dots) {
  if (dots.rows.empty()) throw std::invalid_argument("a figure of dots needs a row");
  check_row_count(dots.rows.size(), most_rows, "rows");
  bool any = false;
  for (const Dots::Row& row : dots.rows)
    for (const Dots::Dot& dot : row.dots) {
      any = true;
      check_value(dots.x, dot.x, row.label);
      if (dot.spread) check_spread(dots.x, *dot.spread, row.label);
      for (const double raw : dot.raw) check_value(dots.x, raw, row.label);
    }
  if (!any) throw std::invalid_argument("a figure of dots needs a dot");
  if (dots.reference) check_value(dots.x, dots.reference->x, dots.reference->label);
}

std::vector<std::string> series_order(const Dots& dots) {
  std::vector<std::string> seen;
  for (const Dots::Row& row : dots.rows)
    for (const Dots::Dot& dot : row.dots) seen.push_back(dot.series);
  std::vector<std::string> order = group_order(dots.series, seen);
  if (order.size() > most_series)
    throw std::invalid_argument(fmt::format("{} series cannot be told apart by color: at most {}",
                                            order.size(), most_series));
  return order;
}

Range extent(const Dots::Dot& dot) {
  Range range{dot.x, dot.x};
  if (dot.spread) widen(range, *dot.spread);
  for (const double raw : dot.raw) widen(range, raw);
  return range;
}

Range x_range(const Dots& dots) {
  Range range = nothing;
  for (const Dots::Row& row : dots.rows)
    for (const Dots::Dot& dot : row.dots) {
      widen(range, extent(dot).low);
      widen(range, extent(dot).high);
    }
  if (dots.reference) widen(range, dots.reference->x);
  return horizontal_range(dots.x, range);
}

// Which lane of its row each dot lies in, from the top: the first in which it covers no other.
std::vector<size_t> lanes(const Dots& dots, const Dots::Row& row, Range range, double width) {
  std::vector<std::vector<Range>> taken;
  std::vector<size_t> lane_of;
  for (const Dots::Dot& dot : row.dots) {
    const Range values = extent(dot);
    const Range own{along(dots.x, range, values.low, 0, width) - dot_radius - lane_gap / 2,
                    along(dots.x, range, values.high, 0, width) + dot_radius + lane_gap / 2};
    const auto is_free = [&own](const std::vector<Range>& lane) {
      return std::none_of(lane.begin(), lane.end(), [&own](const Range& other) {
        return own.low < other.high && other.low < own.high;
      });
    };
    const auto found = std::find_if(taken.begin(), taken.end(), is_free);
    lane_of.push_back(static_cast<size_t>(found - taken.begin()));
    if (found == taken.end()) taken.emplace_back();
    taken[lane_of.back()].push_back(own);
  }
  return lane_of;
}

size_t lane_count(const std::vector<size_t>& lanes) {
  return lanes.empty() ? 1 : *std::max_element(lanes.begin(), lanes.end()) + 1;
}

double height(size_t lanes) {
  return std::max(row_pitch, static_cast<double>(lanes) * lane_pitch + 3);
}

// A dot on the page.
struct LaidDot {
  const Dots::Dot* dot;
  size_t series;
  Point at;
};

std::vector<LaidDot> lay(const Dots& dots, const Dots::Row& row, const std::vector<size_t>& lanes,
                         const std::vector<std::string>& series, const Range& range, const Box& box,
                         double middle) {
  std::vector<LaidDot> laid;
  const double top = middle + static_cast<double>(lane_count(lanes) - 1) / 2 * lane_pitch;
  for (size_t i = 0; i < row.dots.size(); ++i)
    laid.push_back({&row.dots[i],
                    group_index(series, row.dots[i].series),
                    {along(dots.x, range, row.dots[i].x, box.left, box.right),
                     top - static_cast<double>(lanes[i]) * lane_pitch}});
  return laid;
}

void join(Drawing& drawing, const std::vector<LaidDot>& row) {
  if (row.size() < 2) return;
  const auto [least, most] = std::minmax_element(
      row.begin(), row.end(), [](const LaidDot& a, const LaidDot& b) { return a.at.x < b.at.x; });
  drawing.shapes.push_back(Polyline{{least->at, most->at}, rule, 0.9});
}

// Series by series, since neighbours of one color are one element of the picture.
void draw_all(Drawing& drawing, const Dots& dots, const std::vector<LaidDot>& all, size_t series,
              const Range& range, const Box& box) {
  const auto x_of = [&](double value) { return along(dots.x, range, value, box.left, box.right); };
  const auto of_each_series = [&](const auto& draw) {
    for (size_t s = 0; s < series; ++s)
      for (const LaidDot& laid : all)
        if (laid.series == s) draw(laid, palette(s));
  };
  of_each_series([&](const LaidDot& laid, Color color) {
    for (const double raw : laid.dot->raw)
      draw_marker(drawing, 0, {x_of(raw), laid.at.y}, raw_radius, mixed(paper, color, 0.5));
  });
  of_each_series([&](const LaidDot& laid, Color color) {
    if (laid.dot->spread)
      drawing.shapes.push_back(
          Rectangle{{x_of(laid.dot->spread->low), laid.at.y - interval_width / 2,
                     x_of(laid.dot->spread->high), laid.at.y + interval_width / 2},
                    color});
  });
  of_each_series([&](const LaidDot& laid, Color color) {
    draw_marker(drawing, laid.series, laid.at, dot_radius, color);
  });
}

void draw_reference(Drawing& drawing, const Dots::Reference& reference, double x, const Box& box) {
  drawing.shapes.push_back(Polyline{{{x, box.bottom}, {x, box.top}}, ink, 0.9, Dash::dashed});
  const std::string name = shortened(reference.label, page_width - 2 * page_margin, small_size);
  const double half = text_width(name, small_size) / 2;
  const double middle = std::clamp(x, page_margin + half, page_width - page_margin - half);
  drawing.texts.push_back({{middle, box.bottom - 6}, name, Anchor::centre, small_size, ink});
}

}  // namespace

Drawing draw_dots(const std::string& title, const Dots& dots) {
  check(dots);
  const std::vector<std::string> series = series_order(dots);
  std::vector<LegendEntry> legend;
  for (size_t s = 0; s < series.size(); ++s)
    if (series.size() > 1) legend.push_back({series[s], palette(s), s});

  std::vector<RowHead> heads;
  for (const Dots::Row& row : dots.rows) heads.push_back({row.label, row.group, row_pitch});
  const double names_end = page_margin + shorten_labels(heads);
  const double left = names_end + beside_rows, right = page_width - page_margin - beside_rows;
  const Range range = x_range(dots);
  std::vector<std::vector<size_t>> lanes_of;
  for (size_t r = 0; r < heads.size(); ++r) {
    lanes_of.push_back(lanes(dots, dots.rows[r], range, right - left));
    heads[r].height = height(lane_count(lanes_of.back()));
  }

  const std::vector<std::string> label =
      wrapped(dots.x.label, page_width - page_margin - left, text_size, false);
  const double above_rows = header_height(title, legend) + room_of_ticks_above +
                            label_line * static_cast<double>(label.size());
  const double below_rows = page_margin + (dots.reference ? small_size * line_height + 2 : 0);
  Drawing drawing{page_width, above_rows - place_rows(heads, 0).bottom + below_rows, {}, {}};
  draw_header(drawing, title, legend);
  const Rows rows = place_rows(heads, drawing.height - above_rows);
  const Box box{left, rows.bottom, right, drawing.height - above_rows};
  for (const double y : rows.middles)
    drawing.shapes.push_back(Polyline{{{left, y}, {page_width - page_margin, y}}, grid, 0.5});
  draw_ticks_above(drawing, dots.x, range, box);
  draw_label_above(drawing, label, left, box.top);
  draw_row_heads(drawing, heads, rows, names_end);
  if (dots.reference)
    draw_reference(drawing, *dots.reference, along(dots.x, range, dots.reference->x, left, right),
                   box);
  std::vector<LaidDot> all;
  for (size_t r = 0; r < heads.size(); ++r) {
    const auto row = lay(dots, dots.rows[r], lanes_of[r], series, range, box, rows.middles[r]);
    if (dots.joined) join(drawing, row);
    all.insert(all.end(), row.begin(), row.end());
  }
  draw_all(drawing, dots, all, series.size(), range, box);
  return drawing;
}

}  // namespace convscope::canvas

// Histograms in rows on a common axis: how samples are spread, and whether they have one peak.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

constexpr double tallest_row = 26, lowest_row = 19, between_rows = 3.5;
constexpr double note_size = 6.8, note_line = 8.2, beside_frame = 6, longest_note = 90;
constexpr double median_overhang = 2.4, median_width = 0.9, interval_height = 2.4,
                 fill_opacity = 0.3;
constexpr size_t most_rows = 100;

void check_share(double share, const std::string& row) {
  if (!(share >= 0 && share <= 1 + 1e-9))
    throw std::invalid_argument(
        fmt::format("{}: {} is no share, expected 0 to 1", printable(row), share));
}

void check(const Distributions& all) {
  if (all.rows.empty()) throw std::invalid_argument("a figure of distributions needs a row");
  check_row_count(all.rows.size(), most_rows, "rows");
  if (all.x.scale != Scale::linear)
    throw std::invalid_argument("bins of equal width need a linear axis");
  if (!std::isfinite(all.low) || !std::isfinite(all.high) || all.low >= all.high)
    throw std::invalid_argument(
        fmt::format("an axis from {} to {} has no length", all.low, all.high));
  for (const Distributions::Row& row : all.rows) {
    if (row.shares.empty())
      throw std::invalid_argument(printable(row.label) + ": a distribution needs a bin");
    for (const double share : row.shares) check_share(share, row.label);
    check_share(row.below, row.label);
    check_share(row.above, row.label);
    check_value(all.x, row.median, row.label);
    if (row.interval) check_spread(all.x, *row.interval, row.label);
  }
}

// Rounded so that nobody reads a sample too few as none.
std::string beyond(double share) {
  if (share == 0) return "";
  return share < 0.005 ? "<1 % beyond" : fmt::format("{:.0f} % beyond", 100 * share);
}

std::string shortened_note(const std::string& note) {
  return shortened(note, longest_note, note_size);
}

// The area between the names and the notes.
struct Plot {
  double left, right, low, high;

  double at(double value) const { return left + (value - low) / (high - low) * (right - left); }
  double inside(double value) const { return std::clamp(at(value), left, right); }
};

std::vector<Point> outline(const Distributions::Row& row, const Plot& plot, double base,
                           double height) {
  const double highest = *std::max_element(row.shares.begin(), row.shares.end());
  const double bin = (plot.right - plot.left) / static_cast<double>(row.shares.size());
  std::vector<Point> points = {{plot.left, base}};
  for (size_t b = 0; b < row.shares.size(); ++b) {
    const double y = base + (highest > 0 ? row.shares[b] / highest * height : 0);
    if (points.back().y != y) {
      points.push_back({plot.left + static_cast<double>(b) * bin, points.back().y});
      points.push_back({points.back().x, y});
    }
  }
  points.push_back({plot.right, points.back().y});
  points.push_back({plot.right, base});
  return points;
}

void draw_row(Drawing& drawing, const Distributions::Row& row, const Plot& plot, double base,
              double height, Color color) {
  const std::vector<Point> points = outline(row, plot, base, height);
  drawing.shapes.push_back(Polygon{points, color, fill_opacity});
  drawing.shapes.push_back(Polyline{points, color, 0.7});
  if (row.interval)
    drawing.shapes.push_back(
        Rectangle{{plot.inside(row.interval->low), base - interval_height / 2,
                   plot.inside(row.interval->high), base + interval_height / 2},
                  ink});
  const double median = plot.at(row.median);
  if (median >= plot.left && median <= plot.right)
    drawing.shapes.push_back(Rectangle{{median - median_width / 2, base - median_overhang,
                                        median + median_width / 2, base + height},
                                       ink});
}

// A text at the row's side, and below it what lies beyond the axis on that side.
void draw_side(Drawing& drawing, const Text& text, const std::string& below) {
  const bool two = !text.text.empty() && !below.empty();
  if (!text.text.empty()) {
    drawing.texts.push_back(text);
    if (two) drawing.texts.back().at.y += note_line / 2;
  }
  if (!below.empty())
    drawing.texts.push_back(
        {{text.at.x, text.at.y - (two ? note_line / 2 : 0)}, below, text.anchor, note_size, muted});
}

}  // namespace

Drawing draw_distributions(const std::string& title, const Distributions& all) {
  check(all);
  const auto count = static_cast<double>(all.rows.size());
  const double pitch = std::clamp(400 / count, lowest_row, tallest_row);
  std::vector<RowHead> heads;
  std::vector<std::string> seen;
  double beside_names = 0, beside_notes = 0;
  for (const Distributions::Row& row : all.rows) {
    heads.push_back({row.label, row.group, pitch});
    seen.push_back(row.group);
    beside_names = std::max(beside_names, text_width(beyond(row.below), note_size));
    for (const std::string& text : {shortened_note(row.note), beyond(row.above)})
      beside_notes = std::max(beside_notes, text_width(text, note_size));
  }
  const double names_end = page_margin + std::max(shorten_labels(heads), beside_names);
  const Plot plot{names_end + beside_frame, page_width - page_margin - beside_frame - beside_notes,
                  all.low, all.high};

  const std::vector<std::string> label =
      wrapped(all.x.label, page_width - page_margin - plot.left, text_size, false);
  const double above_rows = header_height(title, {}) + room_of_ticks_above +
                            label_line * static_cast<double>(label.size());
  Drawing drawing{page_width, above_rows - place_rows(heads, 0).bottom + page_margin, {}, {}};
  draw_header(drawing, title, {});
  const double top = drawing.height - above_rows;
  const Rows rows = place_rows(heads, top);
  draw_ticks_above(drawing, all.x, {all.low, all.high}, {plot.left, rows.bottom, plot.right, top});
  draw_label_above(drawing, label, plot.left, top);
  draw_row_lines(drawing, rows);

  const std::vector<std::string> groups = group_order({}, seen);
  for (size_t r = 0; r < heads.size(); ++r) {
    const Distributions::Row& row = all.rows[r];
    const double middle = rows.middles[r], base = middle - pitch / 2 + between_rows / 2;
    draw_row(drawing, row, plot, base, pitch - between_rows,
             palette(group_index(groups, row.group)));
    draw_side(drawing, {{names_end, middle}, heads[r].label, Anchor::right, small_size, ink},
              beyond(row.below));
    draw_side(drawing,
              {{plot.right + beside_frame, middle},
               shortened_note(row.note),
               Anchor::left,
               note_size,
               muted},
              beyond(row.above));
  }
  return drawing;
}

}  // namespace convscope::canvas

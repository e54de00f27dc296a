#include "suite/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace convscope::canvas {
namespace {

constexpr double legend_line = 12, swatch = 6, swatch_gap = 3, entry_gap = 10;
constexpr double between_groups = 5;

double entry_width(const LegendEntry& entry) {
  return swatch + swatch_gap + text_width(entry.text, small_size);
}

// Legend entries as lines that fit the page.
std::vector<std::vector<LegendEntry>> legend_lines(const std::vector<LegendEntry>& legend) {
  std::vector<std::vector<LegendEntry>> lines;
  double used = 0;
  for (LegendEntry entry : legend) {
    entry.text =
        shortened(entry.text, page_width - 2 * page_margin - swatch - swatch_gap, small_size);
    if (lines.empty() || used + entry_width(entry) > page_width - 2 * page_margin) {
      lines.emplace_back();
      used = 0;
    }
    lines.back().push_back(entry);
    used += entry_width(entry) + entry_gap;
  }
  return lines;
}

std::vector<std::string> title_lines(const std::string& title) {
  return wrapped(title, page_width - 2 * page_margin, title_size, true);
}

}  // namespace

std::vector<std::string> group_order(std::vector<std::string> listed,
                                     const std::vector<std::string>& seen) {
  for (const std::string& group : seen)
    if (std::find(listed.begin(), listed.end(), group) == listed.end()) listed.push_back(group);
  return listed;
}

size_t group_index(const std::vector<std::string>& order, const std::string& group) {
  return static_cast<size_t>(std::find(order.begin(), order.end(), group) - order.begin());
}

void draw_marker(Drawing& drawing, size_t kind, Point centre, double radius, Color color) {
  // The number of corners, the direction of the first, and a radius that makes the areas look
  // alike.
  struct Form {
    int corners;
    double turn, scale;
  };
  constexpr Form forms[] = {{24, 0, 1}, {4, 45, 1.2}, {3, 90, 1.4}, {4, 0, 1.35}, {3, 270, 1.4}};
  const Form& form = forms[kind % std::size(forms)];
  const int corners = radius < 1.2 ? std::min(form.corners, 12) : form.corners;
  Polygon polygon{{}, color};
  for (int k = 0; k < corners; ++k) {
    const double angle = (form.turn + 360.0 * k / corners) * M_PI / 180;
    polygon.corners.push_back({centre.x + radius * form.scale * std::cos(angle),
                               centre.y + radius * form.scale * std::sin(angle)});
  }
  drawing.shapes.push_back(polygon);
}

void draw_leader(Drawing& drawing, const Segment& leader, Point named) {
  drawing.shapes.push_back(Polyline{{leader.from, leader.to}, muted, 0.4});
  if (leader.from.x == named.x && leader.from.y == named.y)
    draw_marker(drawing, 0, named, 0.8, muted);
}

void note_left_out(Drawing& drawing, const std::vector<std::optional<PlacedLabel>>& placed) {
  const auto left_out =
      std::count_if(placed.begin(), placed.end(), [](const auto& label) { return !label; });
  if (left_out == 0) return;
  drawing.below = small_size * line_height;
  drawing.texts.push_back(
      {{drawing.width - page_margin, 0},
       fmt::format("{} of {} names left out for want of room", left_out, placed.size()),
       Anchor::right,
       small_size,
       muted});
}

double header_height(const std::string& title, const std::vector<LegendEntry>& legend) {
  return page_margin + static_cast<double>(title_lines(title).size()) * title_size * line_height +
         3 + legend_line * static_cast<double>(legend_lines(legend).size());
}

void draw_header(Drawing& drawing, const std::string& title,
                 const std::vector<LegendEntry>& legend) {
  double y = drawing.height - page_margin;
  for (const std::string& line : title_lines(title)) {
    drawing.texts.push_back({{page_margin, y - title_size * line_height / 2},
                             line,
                             Anchor::left,
                             title_size,
                             ink,
                             true});
    y -= title_size * line_height;
  }
  y -= 3;
  for (const auto& line : legend_lines(legend)) {
    double x = page_margin;
    const double middle = y - legend_line / 2;
    for (const LegendEntry& entry : line) {
      if (entry.marker)
        draw_marker(drawing, *entry.marker, {x + swatch / 2, middle}, swatch / 2.2, entry.color);
      else
        drawing.shapes.push_back(
            Rectangle{{x, middle - swatch / 2, x + swatch, middle + swatch / 2}, entry.color});
      drawing.texts.push_back(
          {{x + swatch + swatch_gap, middle}, entry.text, Anchor::left, small_size, ink});
      x += entry_width(entry) + entry_gap;
    }
    y -= legend_line;
  }
}

void check_row_count(size_t rows, size_t at_most, const std::string& what) {
  if (rows > at_most)
    throw std::invalid_argument(
        fmt::format("{} {} do not fit a page: choose at most {}", rows, what, at_most));
}

Rows place_rows(const std::vector<RowHead>& heads, double top) {
  Rows rows{{}, {}, top};
  for (size_t r = 0; r < heads.size(); ++r) {
    if (r > 0 && heads[r].group != heads[r - 1].group) {
      rows.lines.push_back(rows.bottom - between_groups / 2);
      rows.bottom -= between_groups;
    }
    rows.middles.push_back(rows.bottom - heads[r].height / 2);
    rows.bottom -= heads[r].height;
  }
  return rows;
}

double shorten_labels(std::vector<RowHead>& heads) {
  double width = 0;
  for (RowHead& head : heads) {
    head.label = shortened(head.label, longest_name, small_size);
    width = std::max(width, text_width(head.label, small_size));
  }
  return width;
}

void draw_row_lines(Drawing& drawing, const Rows& rows) {
  for (const double y : rows.lines)
    drawing.shapes.push_back(
        Polyline{{{page_margin, y}, {page_width - page_margin, y}}, grid, 0.5});
}

void draw_row_heads(Drawing& drawing, const std::vector<RowHead>& heads, const Rows& rows,
                    double names_end) {
  draw_row_lines(drawing, rows);
  for (size_t r = 0; r < heads.size(); ++r)
    drawing.texts.push_back(
        {{names_end, rows.middles[r]}, heads[r].label, Anchor::right, small_size, ink});
}

void draw_ticks_above(Drawing& drawing, const Axis& axis, Range range, const Box& box) {
  for (const Tick& tick : ticks_across(axis, range, box.right - box.left)) {
    const double x = along(axis, range, tick.value, box.left, box.right);
    drawing.shapes.push_back(
        Polyline{{{x, box.bottom}, {x, box.top}}, tick.value == 0 ? rule : grid, 0.5});
    drawing.texts.push_back(tick_text_at(tick.text, {x, box.top + 6}));
  }
}

void draw_label_above(Drawing& drawing, const std::vector<std::string>& lines, double left,
                      double top) {
  for (size_t i = 0; i < lines.size(); ++i) {
    const double above = static_cast<double>(lines.size() - 1 - i) * label_line;
    drawing.texts.push_back({{left, top + 17 + above}, lines[i], Anchor::left, text_size, ink});
  }
}

std::string short_number(double value) {
  const double magnitude = std::abs(value);
  if (magnitude == 0) return "0";
  if (magnitude >= 99.95) return fmt::format("{:.0f}", value);
  if (magnitude >= 9.995) return fmt::format("{:.1f}", value);
  if (magnitude >= 0.995) return fmt::format("{:.2f}", value);
  // Two digits, the zero of 0.30 among them.
  const int decimals = 1 - static_cast<int>(std::floor(std::log10(magnitude)));
  return decimals <= 7 ? fmt::format("{:.{}f}", value, decimals) : fmt::format("{:.1e}", value);
}

Drawing draw(const Figure& figure) {
  struct {
    const std::string& title;
    Drawing operator()(const StackedBars& bars) const { return draw_stacked_bars(title, bars); }
    Drawing operator()(const Lines& lines) const { return draw_lines(title, lines); }
    Drawing operator()(const Bubbles& bubbles) const { return draw_bubbles(title, bubbles); }
    Drawing operator()(const HeatMap& map) const { return draw_heat_map(title, map); }
    Drawing operator()(const Dots& dots) const { return draw_dots(title, dots); }
    Drawing operator()(const Distributions& all) const { return draw_distributions(title, all); }
    Drawing operator()(const Columns& columns) const { return draw_columns(title, columns); }
    Drawing operator()(const Sheet& sheet) const { return draw_sheet(title, sheet); }
    Drawing operator()(const Scatter& scatter) const { return draw_scatter(title, scatter); }
  } const by_kind{figure.title};
  return std::visit(by_kind, figure.content);
}

}  // namespace convscope::canvas

// Horizontal bars in panels that share the rows: what each network is made of.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

constexpr double bar_height = 7, panel_gap = 12, number_gap = 3;
constexpr size_t most_rows = 200, most_kinds = 7;

void check(const StackedBars& bars) {
  if (bars.rows.empty() || bars.panels.empty() || bars.kinds.empty())
    throw std::invalid_argument("a figure of bars needs a row, a panel and a kind");
  check_row_count(bars.rows.size(), most_rows, "bars");
  if (bars.kinds.size() > most_kinds)
    throw std::invalid_argument(fmt::format("{} kinds cannot be told apart by color: at most {}",
                                            bars.kinds.size(), most_kinds));
  for (const StackedBars::Panel& panel : bars.panels)
    if (!(panel.unit > 0) || !std::isfinite(panel.unit))
      throw std::invalid_argument(
          fmt::format("the unit of '{}' is {}, expected more than 0", panel.label, panel.unit));
  for (const StackedBars::Row& row : bars.rows) {
    if (row.values.size() != bars.panels.size())
      throw std::invalid_argument(fmt::format("{}: values for {} panels, expected {}",
                                              printable(row.label), row.values.size(),
                                              bars.panels.size()));
    for (size_t p = 0; p < bars.panels.size(); ++p) {
      if (row.values[p].size() != bars.kinds.size())
        throw std::invalid_argument(fmt::format("{}: {} values in '{}', expected {}",
                                                printable(row.label), row.values[p].size(),
                                                bars.panels[p].label, bars.kinds.size()));
      for (const double value : row.values[p])
        if (!std::isfinite(value) || value < 0)
          throw std::invalid_argument(fmt::format("{}: a part of '{}' is {}, which no bar can show",
                                                  printable(row.label), bars.panels[p].label,
                                                  value));
    }
  }
}

double total(const std::vector<double>& parts) {
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

void draw_panel(Drawing& drawing, const StackedBars& bars, size_t p, double left, double right,
                double top, const Rows& rows) {
  const StackedBars::Panel& panel = bars.panels[p];
  std::vector<std::string> totals;
  double longest = 0;
  for (const StackedBars::Row& row : bars.rows) {
    const double value = total(row.values[p]) / panel.unit;
    totals.push_back(short_number(value));
    longest = std::max(longest, value);
  }
  if (longest == 0) longest = 1;
  // The longest bar is as long as leaves each number its room behind its own bar.
  double full = right - left;
  for (size_t r = 0; r < bars.rows.size(); ++r) {
    const double room = right - left - number_gap - text_width(totals[r], small_size);
    const double share = total(bars.rows[r].values[p]) / panel.unit / longest;
    if (share > 0) full = std::min(full, room / share);
  }
  draw_ticks_above(drawing, Axis{panel.label}, {0, longest}, {left, rows.bottom, left + full, top});
  draw_label_above(drawing, wrapped(panel.label, right - left, text_size, false), left, top);

  for (size_t r = 0; r < bars.rows.size(); ++r) {
    const std::vector<double>& parts = bars.rows[r].values[p];
    const double y = rows.middles[r];
    // From the whole bar down to its first part, one over the other: parts that only touch would
    // show a light seam.
    double end = total(parts);
    for (size_t k = parts.size(); k-- > 0; end -= parts[k]) {
      if (parts[k] == 0) continue;
      const double x = left + end / panel.unit / longest * full;
      drawing.shapes.push_back(
          Rectangle{{left, y - bar_height / 2, x, y + bar_height / 2}, palette(k)});
    }
    const double x = left + total(parts) / panel.unit / longest * full;
    drawing.texts.push_back({{x + number_gap, y}, totals[r], Anchor::left, small_size, ink});
  }
}

}  // namespace

Drawing draw_stacked_bars(const std::string& title, const StackedBars& bars) {
  check(bars);
  std::vector<LegendEntry> legend;
  for (size_t k = 0; k < bars.kinds.size(); ++k) legend.push_back({bars.kinds[k], palette(k)});

  std::vector<RowHead> heads;
  for (const StackedBars::Row& row : bars.rows) heads.push_back({row.label, row.group, row_pitch});
  const double names_end = page_margin + shorten_labels(heads);
  const double first_left = names_end + 5;
  const auto count = static_cast<double>(bars.panels.size());
  const double width = (page_width - page_margin - first_left - panel_gap * (count - 1)) / count;

  size_t label_lines = 1;
  for (const StackedBars::Panel& panel : bars.panels)
    label_lines = std::max(label_lines, wrapped(panel.label, width, text_size, false).size());
  const double above_rows = header_height(title, legend) + room_of_ticks_above +
                            label_line * static_cast<double>(label_lines);
  Drawing drawing{page_width, above_rows - place_rows(heads, 0).bottom + page_margin, {}, {}};
  draw_header(drawing, title, legend);
  const double top = drawing.height - above_rows;
  const Rows rows = place_rows(heads, top);

  draw_row_heads(drawing, heads, rows, names_end);
  for (size_t p = 0; p < bars.panels.size(); ++p) {
    const double left = first_left + static_cast<double>(p) * (width + panel_gap);
    draw_panel(drawing, bars, p, left, left + width, top, rows);
  }
  return drawing;
}

}  // namespace convscope::canvas

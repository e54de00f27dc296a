// Columns in panels above each other that share the horizontal axis: what each layer costs.
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

constexpr double between_panels = 8, room_for_names = 22, label_size = 6.8;
constexpr double narrowest = 0.4;  // columns narrower than this share one
constexpr double widest = 24;
constexpr size_t most_columns = 5000, most_panels = 8, most_kinds = 7, named = 4;
constexpr int panel_ticks = 4;

double panel_height(size_t panels) {
  return std::clamp(260 / static_cast<double>(panels), 62.0, 150.0);
}

void check(const Columns& columns) {
  if (columns.columns.empty() || columns.panels.empty())
    throw std::invalid_argument("a figure of columns needs a column and a panel");
  const auto at_most = [](size_t count, size_t most, const char* what) {
    if (count > most)
      throw std::invalid_argument(
          fmt::format("{} {} do not fit a figure of columns: at most {}", count, what, most));
  };
  at_most(columns.columns.size(), most_columns, "columns");
  at_most(columns.panels.size(), most_panels, "panels");
  for (const Columns::Panel& panel : columns.panels)
    if (!(panel.unit > 0) || !std::isfinite(panel.unit))
      throw std::invalid_argument(fmt::format("the unit of '{}' is {}, expected more than 0",
                                              printable(panel.label), panel.unit));
  for (const Columns::Column& column : columns.columns) {
    if (column.values.size() != columns.panels.size())
      throw std::invalid_argument(fmt::format("{}: values for {} panels, expected {}",
                                              printable(column.label), column.values.size(),
                                              columns.panels.size()));
    for (size_t p = 0; p < column.values.size(); ++p)
      if (!std::isfinite(column.values[p]) || column.values[p] < 0)
        throw std::invalid_argument(
            fmt::format("{}: '{}' is {}, which no column can show", printable(column.label),
                        printable(columns.panels[p].label), column.values[p]));
  }
}

std::vector<std::string> kind_order(const Columns& columns) {
  std::vector<std::string> seen;
  for (const Columns::Column& column : columns.columns) seen.push_back(column.kind);
  std::vector<std::string> order = group_order(columns.kinds, seen);
  if (order.size() > most_kinds)
    throw std::invalid_argument(fmt::format("{} kinds cannot be told apart by color: at most {}",
                                            order.size(), most_kinds));
  return order;
}

// The columns of a panel on the page.
struct Panel {
  Box box;
  double highest;  // what reaches the top, in the panel's unit
  size_t columns;

  double left_of(size_t column) const {
    return box.left +
           static_cast<double>(column) / static_cast<double>(columns) * (box.right - box.left);
  }
  double y(double value) const { return box.bottom + value / highest * (box.top - box.bottom); }
};

// Some columns as one: the highest of each kind.
struct Slot {
  double left, right;
  std::map<size_t, double> heights;  // of each kind
};

std::vector<Slot> slots(const Panel& panel, const std::vector<double>& values,
                        const std::vector<size_t>& kinds) {
  const double width = panel.left_of(1) - panel.left_of(0);
  const double gap = width > 4 ? std::max(0.15 * width, width - widest) : 0;
  std::vector<Slot> all;
  for (size_t i = 0; i < values.size(); ++i) {
    if (all.empty() || panel.left_of(i + 1) - all.back().left > narrowest || width > narrowest)
      all.push_back({panel.left_of(i) + gap / 2, 0, {}});
    all.back().right = panel.left_of(i + 1) - gap / 2;
    double& height = all.back().heights[kinds[i]];
    height = std::max(height, values[i]);
  }
  return all;
}

// Kind by kind, since neighbours of one color are one element of the picture. Within a slot, a
// lower column hides the lower part of a higher one.
void draw_slots(Drawing& drawing, const Panel& panel, const std::vector<Slot>& slots,
                size_t kinds) {
  for (size_t kind = 0; kind < kinds; ++kind)
    for (const Slot& slot : slots) {
      const auto own = slot.heights.find(kind);
      if (own == slot.heights.end() || own->second == 0) continue;
      double bottom = 0;
      for (const auto& [other, height] : slot.heights)
        if (height < own->second || (height == own->second && other < kind))
          bottom = std::max(bottom, height);
      if (bottom == own->second) continue;
      drawing.shapes.push_back(
          Rectangle{{slot.left, panel.y(bottom), slot.right, panel.y(own->second)}, palette(kind)});
    }
}

void draw_axes(Drawing& drawing, const Panel& panel, const std::string& label) {
  const Axis axis{label};
  const auto& [left, bottom, right, top] = panel.box;
  for (const Tick& tick : ticks(axis, {0, panel.highest}, panel_ticks)) {
    const double y = panel.y(tick.value);
    drawing.shapes.push_back(Polyline{{{left, y}, {right, y}}, grid, 0.5});
    drawing.texts.push_back({{left - 4, y}, tick.text, Anchor::right, small_size, muted});
  }
  drawing.shapes.push_back(Polyline{{{left, bottom}, {right, bottom}}, rule, 0.6});
  drawing.texts.push_back({{page_margin, top + room_for_names + 4},
                           shortened(label, page_width - 2 * page_margin, text_size),
                           Anchor::left,
                           text_size,
                           ink});
}

// Of the highest columns, each name but once: of layers that are alike, the first.
void name_highest(Drawing& drawing, const Panel& panel, const Columns& columns,
                  const std::vector<double>& values, const std::vector<size_t>& kinds,
                  const std::vector<Slot>& slots) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&values](size_t a, size_t b) { return values[a] > values[b]; });
  order.resize(std::min(order.size(), named));

  Obstacles obstacles{{panel.box.left + 1, panel.box.bottom, page_width - page_margin,
                       panel.box.top + room_for_names - 2},
                      {},
                      {},
                      {}};
  for (const Slot& slot : slots) {
    double height = 0;
    for (const auto& entry : slot.heights) height = std::max(height, entry.second);
    obstacles.boxes.push_back({slot.left, panel.box.bottom, slot.right, panel.y(height) - 0.1});
  }
  std::vector<Label> labels;
  std::vector<std::string> names;
  for (const size_t i : order) {
    if (values[i] == 0) continue;
    names.push_back(shortened(columns.columns[i].label, longest_name, label_size));
    const double x = (panel.left_of(i) + panel.left_of(i + 1)) / 2;
    labels.push_back(
        {{x, panel.y(values[i])}, 0.4, text_width(names.back(), label_size), 1.1 * label_size});
  }
  const auto placed = place_labels(labels, obstacles);
  for (size_t k = 0; k < placed.size(); ++k) {
    if (!placed[k]) continue;
    const Box& box = placed[k]->box;
    if (placed[k]->leader) draw_leader(drawing, *placed[k]->leader, labels[k].anchor);
    drawing.texts.push_back({{box.left, (box.bottom + box.top) / 2},
                             names[k],
                             Anchor::left,
                             label_size,
                             text_color(palette(kinds[order[k]]))});
  }
}

}  // namespace

Drawing draw_columns(const std::string& title, const Columns& columns) {
  check(columns);
  const std::vector<std::string> kinds = kind_order(columns);
  std::vector<size_t> kind_of;
  for (const Columns::Column& column : columns.columns)
    kind_of.push_back(group_index(kinds, column.kind));
  std::vector<LegendEntry> legend;
  for (size_t k = 0; k < kinds.size(); ++k)
    if (kinds.size() > 1 && std::find(kind_of.begin(), kind_of.end(), k) != kind_of.end())
      legend.push_back({kinds[k], palette(k)});

  std::vector<std::vector<double>> values(columns.panels.size());
  std::vector<double> highest(columns.panels.size(), 0);
  double room_left = 0;
  for (size_t p = 0; p < columns.panels.size(); ++p) {
    for (const Columns::Column& column : columns.columns)
      values[p].push_back(column.values[p] / columns.panels[p].unit);
    highest[p] = *std::max_element(values[p].begin(), values[p].end());
    if (highest[p] == 0) highest[p] = 1;
    room_left = std::max(room_left,
                         room_left_of(Axis{columns.panels[p].label}, {0, highest[p]}, panel_ticks));
  }

  const auto count = static_cast<double>(columns.panels.size());
  const double height = panel_height(columns.panels.size());
  const double pitch = height + room_for_names + label_line + between_panels;
  const std::vector<std::string> x_label =
      wrapped(columns.x_label, page_width - 2 * page_margin, text_size, false);
  const double below = page_margin + 4 + label_line * static_cast<double>(x_label.size());
  Drawing drawing{page_width, below + count * pitch + header_height(title, legend), {}, {}};
  draw_header(drawing, title, legend);
  for (size_t p = 0; p < columns.panels.size(); ++p) {
    const double bottom = below + (count - 1 - static_cast<double>(p)) * pitch;
    const Panel panel{{page_margin + room_left, bottom, page_width - page_margin, bottom + height},
                      highest[p],
                      columns.columns.size()};
    draw_axes(drawing, panel, columns.panels[p].label);
    const std::vector<Slot> all = slots(panel, values[p], kind_of);
    draw_slots(drawing, panel, all, kinds.size());
    name_highest(drawing, panel, columns, values[p], kind_of, all);
  }
  for (size_t i = 0; i < x_label.size(); ++i)
    drawing.texts.push_back(
        {{page_width - page_margin, below - 10 - static_cast<double>(i) * label_line},
         x_label[i],
         Anchor::right,
         text_size,
         ink});
  return drawing;
}

}  // namespace convscope::canvas

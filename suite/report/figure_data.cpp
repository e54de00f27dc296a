// The numbers behind figures, as tables.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "suite/report/figure.h"

namespace convscope {
namespace {

const Cell none;

Cell low(const std::optional<Spread>& spread) { return spread ? Cell(spread->low) : none; }
Cell high(const std::optional<Spread>& spread) { return spread ? Cell(spread->high) : none; }

template <class... Cells>
void add_row(Table& table, const Cells&... cells) {
  std::vector<Cell>& row = table.rows.emplace_back();
  (row.emplace_back(cells), ...);
}

TableColumn low_of(const std::string& name, const std::string& label) {
  return {name + "_low", label + ", low"};
}
TableColumn high_of(const std::string& name, const std::string& label) {
  return {name + "_high", label + ", high"};
}

// Columns without a value in any row are noise: spreads of a figure that has none.
Table without_empty_columns(const Table& table) {
  Table result;
  result.rows.resize(table.rows.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const auto is_empty = [c](const std::vector<Cell>& row) {
      if (const auto* text = std::get_if<std::string>(&row[c])) return text->empty();
      return std::holds_alternative<std::monostate>(row[c]);
    };
    if (!table.rows.empty() && std::all_of(table.rows.begin(), table.rows.end(), is_empty))
      continue;
    result.columns.push_back(table.columns[c]);
    for (size_t r = 0; r < table.rows.size(); ++r) result.rows[r].push_back(table.rows[r][c]);
  }
  return result;
}

Table data(const StackedBars& bars) {
  Table table{{{"row", "Row"},
               {"group", "Group"},
               {"panel", "Panel"},
               {"kind", "Kind"},
               {"value", "Value"},
               {"unit", "Unit of the panel"}},
              {}};
  for (const StackedBars::Row& row : bars.rows)
    for (size_t p = 0; p < row.values.size(); ++p)
      for (size_t k = 0; k < row.values[p].size(); ++k)
        add_row(table, row.label, row.group, bars.panels.at(p).label, bars.kinds.at(k),
                row.values[p][k], bars.panels[p].unit);
  return table;
}

// `what` tells the points of a line from the dots that it sums up, and from what stands alone.
Table data(const Lines& lines) {
  Table table{{{"series", "Series"},
               {"group", "Group"},
               {"what", "What"},
               {"x", lines.x.label},
               {"y", lines.y.label},
               low_of("y", lines.y.label),
               high_of("y", lines.y.label)},
              {}};
  for (const Lines::Series& series : lines.series) {
    for (size_t i = 0; i < series.points.size(); ++i) {
      const auto spread = i < series.spread.size() ? std::optional(series.spread[i]) : std::nullopt;
      add_row(table, series.label, series.group, "point", series.points[i].x, series.points[i].y,
              low(spread), high(spread));
    }
    for (const Lines::Point& dot : series.dots)
      add_row(table, series.label, series.group, "dot", dot.x, dot.y, none, none);
  }
  for (const Lines::Mark& mark : lines.marks)
    add_row(table, mark.label, "", "mark", mark.x, mark.y, none, none);
  if (lines.reference)
    add_row(table, lines.reference->label, "", "reference", none, lines.reference->y,
            low(lines.reference->spread), high(lines.reference->spread));
  return table;
}

Table data(const Bubbles& bubbles) {
  Table table{{{"label", "Name"},
               {"group", "Group"},
               {"what", "What"},
               {"x", bubbles.x.label},
               {"y", bubbles.y.label},
               {"size", bubbles.size_label},
               low_of("y", bubbles.y.label),
               high_of("y", bubbles.y.label),
               {"slope", "Slope"}},
              {}};
  const auto& all = bubbles.bubbles;
  const bool sized = std::any_of(all.begin(), all.end(), [](const auto& b) { return b.size != 0; });
  for (size_t i = 0; i < all.size(); ++i) {
    const bool in_front =
        std::find(bubbles.front.begin(), bubbles.front.end(), i) != bubbles.front.end();
    add_row(table, all[i].label, all[i].group, in_front ? "front" : "point", all[i].x, all[i].y,
            sized ? Cell(all[i].size) : none, low(all[i].spread), high(all[i].spread), none);
  }
  for (const Bubbles::Guide& guide : bubbles.guides)
    add_row(table, guide.label, "", "guide", none, none, none, none, none, guide.slope);
  if (!bubbles.roof) return table;
  for (const Bubbles::Roof::Ceiling& ceiling : bubbles.roof->ceilings)
    add_row(table, ceiling.label, "", "ceiling", none, ceiling.y, none, none, none, none);
  add_row(table, bubbles.roof->slope_label, "", "roof", none, none, none, none, none,
          bubbles.roof->slope);
  return table;
}

Table data(const HeatMap& map) {
  Table table{{{"row", map.rows}, {"column", map.columns}, {"share", "Share"}}, {}};
  for (size_t r = 0; r < map.shares.size(); ++r)
    for (size_t c = 0; c < map.shares[r].size(); ++c)
      add_row(table, map.labels.at(r), map.labels.at(c), map.shares[r][c]);
  return table;
}

Table data(const Dots& dots) {
  Table table{{{"row", "Row"},
               {"group", "Group"},
               {"series", "Series"},
               {"what", "What"},
               {"x", dots.x.label},
               low_of("x", dots.x.label),
               high_of("x", dots.x.label)},
              {}};
  for (const Dots::Row& row : dots.rows)
    for (const Dots::Dot& dot : row.dots) {
      add_row(table, row.label, row.group, dot.series, "dot", dot.x, low(dot.spread),
              high(dot.spread));
      for (const double raw : dot.raw)
        add_row(table, row.label, row.group, dot.series, "raw", raw, none, none);
    }
  if (dots.reference)
    add_row(table, dots.reference->label, "", "", "reference", dots.reference->x, none, none);
  return table;
}

// A row for each bin with samples, and for what lies beyond the ends. The median stands in each.
Table data(const Distributions& all) {
  Table table{{{"row", "Row"},
               {"group", "Group"},
               {"bin_start", all.x.label + ", from"},
               {"bin_end", all.x.label + ", to"},
               {"share", "Share of the samples"},
               {"median", all.x.label + ", median"},
               low_of("median", all.x.label + ", median"),
               high_of("median", all.x.label + ", median"),
               {"note", "Note"}},
              {}};
  for (const Distributions::Row& row : all.rows) {
    const auto add = [&](const Cell& from, const Cell& to, double share) {
      if (share != 0)
        add_row(table, row.label, row.group, from, to, share, row.median, low(row.interval),
                high(row.interval), row.note);
    };
    const auto bins = static_cast<double>(row.shares.size());
    const auto edge = [&](size_t bin) {
      return all.low + static_cast<double>(bin) / bins * (all.high - all.low);
    };
    add(none, all.low, row.below);
    for (size_t b = 0; b < row.shares.size(); ++b) add(edge(b), edge(b + 1), row.shares[b]);
    add(all.high, none, row.above);
  }
  return table;
}

Table data(const Columns& columns) {
  Table table{{{"column", columns.x_label}, {"kind", "Kind"}}, {}};
  for (size_t p = 0; p < columns.panels.size(); ++p)
    table.columns.push_back({"panel_" + std::to_string(p + 1), columns.panels[p].label});
  for (const Columns::Column& column : columns.columns) {
    add_row(table, column.label, column.kind);
    for (const double value : column.values) table.rows.back().emplace_back(value);
  }
  return table;
}

// Of a picture, no more than what it is called: its pixels are in the picture.
Table data(const Sheet& sheet) {
  Table table{{{"tile", "Tile"}, {"width", "Width (pixels)"}, {"height", "Height (pixels)"}}, {}};
  for (const Sheet::Tile& tile : sheet.tiles) {
    std::string label = tile.label;
    std::replace(label.begin(), label.end(), '\n', ' ');
    add_row(table, label, int64_t{tile.width}, int64_t{tile.height});
  }
  return table;
}

Table data(const Scatter& scatter) {
  Table table{
      {{"label", "Name"}, {"group", "Group"}, {"x", scatter.x.label}, {"y", scatter.y.label}}, {}};
  for (const Scatter::Item& point : scatter.points)
    add_row(table, point.label, point.group, point.x, point.y);
  return table;
}

}  // namespace

Table figure_data(const Figure& figure) {
  return std::visit([](const auto& content) { return without_empty_columns(data(content)); },
                    figure.content);
}

}  // namespace convscope

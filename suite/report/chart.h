// What the kinds of figures share, and the function that lays out each kind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "suite/report/axis.h"
#include "suite/report/canvas.h"
#include "suite/report/figure.h"
#include "suite/report/labels.h"

namespace convscope::canvas {

constexpr double longest_name = 115;  ///< in points; longer names of networks are shortened

/// The groups of a figure in the order of their colours: those that the figure lists and then the
/// others as they come.
std::vector<std::string> group_order(std::vector<std::string> listed,
                                     const std::vector<std::string>& seen);
size_t group_index(const std::vector<std::string>& order, const std::string& group);

/// A mark of about `radius`; `kind` picks one of five forms and wraps.
void draw_marker(Drawing& drawing, size_t kind, Point centre, double radius, Color color);

/// A thin line to the name of a point, with a dot if it starts at the point and not at a rim.
void draw_leader(Drawing& drawing, const Segment& leader, Point named);

/// Says at the bottom of the page how many names found no place, if any.
void note_left_out(Drawing& drawing, const std::vector<std::optional<PlacedLabel>>& placed);

/// What a color stands for, with the marker that goes with it or a square.
struct LegendEntry {
  std::string text;
  Color color;
  std::optional<size_t> marker = {};
};

/// The height that the title and the line or lines of the legend take.
double header_height(const std::string& title, const std::vector<LegendEntry>& legend);

/// Writes them at the top of the page.
void draw_header(Drawing& drawing, const std::string& title,
                 const std::vector<LegendEntry>& legend);

/// What stands at the left of a row.
struct RowHead {
  std::string label, group;
  double height;
};

/// Where rows lie below each other.
struct Rows {
  std::vector<double> middles;
  std::vector<double> lines;  ///< between rows of different groups
  double bottom;
};
constexpr double row_pitch = 10.4;  ///< the height of a row with a line of text

/// Throws std::invalid_argument if there are more than `at_most`, which are called `what`.
void check_row_count(size_t rows, size_t at_most, const std::string& what);

Rows place_rows(const std::vector<RowHead>& heads, double top);

/// The width of the names, each of which is shortened to `longest_name`.
double shorten_labels(std::vector<RowHead>& heads);

void draw_row_lines(Drawing& drawing, const Rows& rows);

/// The names, which end at `names_end`, and the lines between the groups.
void draw_row_heads(Drawing& drawing, const std::vector<RowHead>& heads, const Rows& rows,
                    double names_end);

/// Light vertical lines at the ticks of an axis down to `bottom`, with their texts above `top`.
void draw_ticks_above(Drawing& drawing, const Axis& axis, Range range, const Box& box);
constexpr double room_of_ticks_above = 18;

/// The label of the axis in lines above its ticks.
void draw_label_above(Drawing& drawing, const std::vector<std::string>& lines, double left,
                      double top);
constexpr double label_line = text_size * line_height;

/// 138, 25.6, 4.09, 0.62, 0.00065: what the end of a bar says.
std::string short_number(double value);

/// Each throws std::invalid_argument that names the row for values that it cannot show.
Drawing draw_stacked_bars(const std::string& title, const StackedBars& bars);
Drawing draw_lines(const std::string& title, Lines lines);
Drawing draw_heat_map(const std::string& title, HeatMap map);
Drawing draw_bubbles(const std::string& title, Bubbles bubbles);
Drawing draw_dots(const std::string& title, const Dots& dots);
Drawing draw_distributions(const std::string& title, const Distributions& distributions);
Drawing draw_columns(const std::string& title, const Columns& columns);
Drawing draw_sheet(const std::string& title, const Sheet& sheet);
Drawing draw_scatter(const std::string& title, const Scatter& scatter);
Drawing draw(const Figure& figure);

}  // namespace convscope::canvas

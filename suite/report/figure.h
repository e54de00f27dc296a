// Figures as plain data, drawn by gnuplot. All have one look, which canvas.h holds: labels beside
// what they name instead of legends, a palette that the colour-blind can read, light grids.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "suite/report/table.h"

namespace convscope {

enum class Scale { linear, log };
enum class TickText {
  plain,  ///< 0.5, 20, 1000
  si,     ///< 500 k, 20 M, 1 G
};

struct Axis {
  std::string label;  ///< with the unit: "Receptive field (pixels)"
  Scale scale = Scale::linear;
  TickText ticks = TickText::plain;
  /// Where no value is negative, a linear axis of lines starts at 0: the vertical one always, the
  /// horizontal one where that is not far. Without this, each starts with its values.
  bool from_zero = true;
  bool whole = false;  ///< a linear axis of what is counted: no ticks between whole numbers
  std::vector<double> at = {};  ///< where the ticks are, as far as there is room: 1, 2, 4, 8
  std::map<double, std::string> names = {};  ///< a second line under the ticks at these values
};

/// From where to where: an interval, or a range.
struct Spread {
  double low, high;
};

/// Horizontal bars, a row for each network, with panels side by side that share the rows.
struct StackedBars {
  struct Panel {
    std::string label;  ///< "Parameters (millions)"
    double unit = 1;    ///< what values are divided by: 1e6 for millions
  };
  struct Row {
    std::string label;
    std::string group;                        ///< a thin line parts the rows of different groups
    std::vector<std::vector<double>> values;  ///< [panel][kind], at least 0
  };
  std::vector<std::string> kinds;  ///< "convolution", "linear", ...: the parts of a bar, at most 7
  std::vector<Panel> panels;
  std::vector<Row> rows;  ///< from the top; at most 200
};

/// Lines with their names at their ends. The colour and the marker say the group, the dashes which
/// one of the group.
struct Lines {
  struct Point {
    double x, y;
  };
  struct Series {
    std::string label;
    std::string group;
    std::vector<Point> points;        ///< in the order of the line
    std::vector<Spread> spread = {};  ///< of each point, or empty
    std::vector<Point> dots = {};     ///< what the line sums up; small and light, without markers
  };
  struct Reference {
    double y;
    std::string label;  ///< "input: 224 pixels"
    std::optional<Spread> spread = {};
  };
  /// A point of interest, with its name beside it.
  struct Mark {
    double x, y;
    std::string label;
  };
  Axis x, y;
  std::vector<Series> series;
  std::optional<Reference> reference;
  std::vector<std::string> groups;  ///< the order of the colours; groups not named here come after
  std::vector<Mark> marks = {};
  /// Spreads are bars, with the lines side by side at each x; without this, they are bands, which
  /// suit few lines of many points.
  bool bars = false;
};

/// A square of cells that are the darker the more they hold: what is taken for what.
struct HeatMap {
  static constexpr size_t most_labels = 30;
  std::vector<std::string> labels;          ///< of the rows from the top, and of the columns
  std::vector<std::vector<double>> shares;  ///< [row][column], 0 to 1; drawn in percent
  std::string rows, columns;                ///< "Class", "Predicted class"
};

/// Bubbles with their names beside them. The area is proportional to `size`, except that none is
/// drawn smaller than a dot of 2 points. Where all sizes are 0, all are dots of one size.
struct Bubbles {
  struct Bubble {
    std::string label;
    std::string group;
    double x, y, size;
    std::optional<Spread> spread = {};  ///< of y
    bool named = true;                  ///< with its name beside it
  };
  /// The line y = `slope` * x, over the whole frame.
  struct Guide {
    double slope;
    std::string label;
  };
  /// What no bubble can be above: y = `slope` * x up to the ceilings, the highest of them solid,
  /// the others dashed. Of a roofline: bytes per second and operations per second.
  struct Roof {
    struct Ceiling {
      double y;
      std::string label;  ///< "FMA: 235 GFLOP/s"
    };
    double slope;
    std::string slope_label;
    std::vector<Ceiling> ceilings;
  };
  Axis x, y;
  std::string size_label;  ///< what the area is: "activations"
  std::vector<Bubble> bubbles;
  std::vector<std::string> groups;  ///< the order of the colours; groups not named here come after
  std::optional<Roof> roof = {};
  std::optional<size_t> named = {};  ///< only so many get their names, the largest
  std::vector<Guide> guides = {};
  /// The places of those that no other beats in both x (the less the better) and y (the more the
  /// better), joined by steps; "" is drawn without a name.
  std::vector<size_t> front = {};
  std::string front_label = {};
};

/// Rows with a value of each of a few series on a common axis: what is compared stands in one row.
struct Dots {
  struct Dot {
    std::string series;
    double x;
    std::optional<Spread> spread = {};
    std::vector<double> raw = {};  ///< what it sums up; small and light
  };
  struct Row {
    std::string label;
    std::string group;  ///< a thin line parts the rows of different groups
    std::vector<Dot> dots;
  };
  struct Reference {
    double x;
    std::string label;
  };
  Axis x;
  std::vector<std::string> series;  ///< the order of the colours and of the legend
  std::vector<Row> rows;            ///< from the top; at most 200
  std::optional<Reference> reference = {};
  bool joined = false;  ///< a thin line from the least to the most of a row
};

/// How samples are spread, a row for each case, as histograms over a common linear axis. Each is as
/// high as its row, so that a wide one can be seen beside a narrow one: compare shapes, not
/// heights.
struct Distributions {
  struct Row {
    std::string label;
    std::string group;
    std::vector<double> shares;   ///< of the samples in equal bins from the axis's start to its end
    double below = 0, above = 0;  ///< shares of the samples that lie beyond the ends
    double median = 0;
    std::optional<Spread> interval = {};  ///< of the median
    std::string note = {};                ///< at the right of the row: "44.5 ms, n = 600"
  };
  Axis x;
  double low, high;       ///< the ends of the axis
  std::vector<Row> rows;  ///< from the top; at most 100
};

/// Columns side by side in panels above each other, which share the horizontal axis: what each
/// layer of a network costs, from the first to the last.
struct Columns {
  struct Panel {
    std::string label;  ///< "Parameters (thousands)"
    double unit = 1;    ///< what values are divided by
  };
  struct Column {
    std::string label;  ///< "layer1.0.conv1"; the highest of a panel are named
    std::string kind;
    std::vector<double> values;  ///< of each panel, at least 0
  };
  std::vector<std::string> kinds;  ///< the order of the colours
  std::string x_label;             ///< "Layer, in the order of execution"
  std::vector<Panel> panels;
  std::vector<Column> columns;  ///< at most 5000
};

/// Pictures in rows and columns, each with its name below: kernels, feature maps, photographs.
struct Sheet {
  struct Tile {
    std::string label;          ///< in lines; "" where no name is needed
    int width = 0, height = 0;  ///< in pixels
    std::vector<uint8_t> rgb;   ///< three bytes for each pixel, row by row from the top
    bool framed = false;        ///< with a frame that tells it from the others
  };
  std::vector<Tile> tiles;  ///< row by row; at most 1024
  size_t columns = 0;       ///< 0: by the number of tiles
  std::string key = {};     ///< a line at the bottom: what colours mean
};

/// Points in groups, with the name of each group in the middle of its points. A unit is as long on
/// both axes, so that distances can be compared. With more groups than there are colours, points
/// are grey, and the middles are marked as far as there is room for their names.
struct Scatter {
  static constexpr size_t most_colours = 14, most_points = 20000;
  struct Item {
    std::string label;
    std::string group;  ///< "" is not named
    double x, y;
  };
  Axis x, y;  ///< linear
  std::vector<Item> points;
  std::vector<std::string> groups = {};  ///< the order of the colours; others come after
};

struct Figure {
  std::string name;   ///< of the files, without an ending: letters, digits, '-' and '_'
  std::string title;  ///< a short statement; text is drawn as it is, never as mark-up
  std::variant<StackedBars, Lines, Bubbles, HeatMap, Dots, Distributions, Columns, Sheet, Scatter>
      content;
  std::string caption = {};  ///< what is shown and how to read it, in a sentence or three
};

/// The numbers behind a figure, a row for each thing that is drawn: with the table's formats, what
/// a reader needs to check it or to draw it otherwise.
Table figure_data(const Figure& figure);

enum class ImageFormat { svg, png, pdf };

/// Throws std::runtime_error that names the Debian package if there is no gnuplot in PATH. For
/// commands that would otherwise find out after hours of work.
void check_gnuplot();

/// Draws a figure into `folder`, which is created if need be, and returns the paths in the order of
/// `formats`: NAME.svg, and after it NAME-dark.svg for dark pages, NAME.png, NAME.pdf. The files
/// replace older ones only when all of them are complete. The same figure gives the same bytes on
/// the same machine. In PNG and PDF, a character that no installed font has is U+FFFD. Throws
/// std::invalid_argument that names the row if the figure has nothing to draw, a value that is not
/// finite, or one that its scale cannot show, and std::runtime_error if gnuplot is missing or
/// fails, or the folder cannot be written.
std::vector<std::filesystem::path> render(const Figure& figure, const std::filesystem::path& folder,
                                          const std::vector<ImageFormat>& formats = {
                                              ImageFormat::svg, ImageFormat::png,
                                              ImageFormat::pdf});

/// Draws figures as render() does, on as many cores as there are, and returns their paths in order.
/// If some fail, the others are drawn, and the first error is thrown.
std::vector<std::vector<std::filesystem::path>> render_all(const std::vector<Figure>& figures,
                                                           const std::filesystem::path& folder,
                                                           const std::vector<ImageFormat>& formats);

/// The element <svg> of a light picture that render() wrote, to stand in an HTML page: of the
/// page's size by its style sheet, and each color as "var(--cRRGGBB, #RRGGBB)", so that the page
/// decides on it. It has no ids and no title. Throws std::invalid_argument if there is no such
/// element.
std::string themed_svg(const std::string& svg);

/// For each color of a light picture that render() wrote its counterpart on a dark page, both as
/// "#RRGGBB": what a page sets themed_svg()'s variables to.
std::map<std::string, std::string> dark_colors(const std::string& svg);

}  // namespace convscope

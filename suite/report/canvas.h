// What every figure is made of: shapes and text on a page measured in points, the look that all
// figures share, and the gnuplot commands that paint them. Charts compute their own geometry, so
// that labels can be placed, and tested, before anything is drawn.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace convscope::canvas {

using Color = uint32_t;  ///< 0xRRGGBB

/// Points (1/72 inch) from the lower left corner.
struct Point {
  double x, y;
};

struct Box {
  double left, bottom, right, top;
};

enum class Anchor { left, centre, right };
enum class Dash { solid, dashed, dotted, dash_dotted };

struct Rectangle {
  Box box;
  Color fill;
};

/// Translucent, with a solid rim.
struct Disc {
  Point centre;
  double radius;
  Color fill;
};

struct Polygon {
  std::vector<Point> corners;
  Color fill;
  double opacity = 1;
};

struct Polyline {
  std::vector<Point> points;
  Color color;
  double width;
  Dash dash = Dash::solid;
};

/// A picture of pixels, stretched over the box.
struct Raster {
  Box box;
  int width, height;
  std::vector<uint8_t> rgb;  ///< three bytes for each pixel, row by row from the top
};

struct Text {
  Point at;  ///< half-way up the letters
  std::string text;
  Anchor anchor;
  double size;
  Color color;
  bool bold = false;
};

struct Drawing {
  double width, height;
  std::vector<std::variant<Rectangle, Disc, Polygon, Polyline, Raster>>
      shapes;               ///< the last on top
  std::vector<Text> texts;  ///< above all shapes
  double below = 0;         ///< how far the page reaches below 0, for a note that is found out late
};

// The look. A page is 4.5 inches wide, so that its smallest text is still 5 points high when a
// paper of two columns shrinks it to 3.4 inches, and not clumsy when a page of text widens it
// to 6.5.
constexpr double page_width = 324, page_margin = 5;
constexpr double title_size = 9.5, text_size = 8, small_size = 7.2;
constexpr double line_height = 1.25;  ///< of the text's size
constexpr Color ink = 0x262626, muted = 0x5C5C5C, rim = 0x999999, rule = 0xBDBDBD, grid = 0xE6E6E6;
constexpr Color paper = 0xFFFFFF, band = 0xF1F1F1, empty_cell = 0xF4F4F4;
constexpr Color on_color = 0xFEFEFE;  ///< of text on a full color, which is light on any page

/// Okabe and Ito's palette without its yellow and black, and a grey, then these in darker. Wraps
/// after 14.
Color palette(size_t index);

/// `from` at a share of 0, `to` at 1.
Color mixed(Color from, Color to, double share);

/// A color dark enough to write with: 4.5 to 1 against white for each of the palette.
Color text_color(Color color);

/// What stands for a color of a figure where the page is dark. Marks have at least 3 to 1 against
/// that page, texts 4.5 to 1. For colors that no figure uses, the inverse.
Color in_dark(Color color);

/// The width in points that text takes in DejaVu Sans. Exact for ASCII without kerning, generous
/// for the rest.
double text_width(const std::string& text, double size, bool bold = false);

/// The box around a text.
Box bounds(const Text& text);

/// The text cut into lines at spaces; a word wider than `width` stays whole.
std::vector<std::string> wrapped(const std::string& text, double width, double size, bool bold);

/// The text, or its beginning and end around "…" where it is wider than `width`: networks with long
/// names differ at the end.
std::string shortened(const std::string& text, double width, double size);

/// The gnuplot commands that define everything on the page and end in `plot`; each further terminal
/// needs only `replot`. Nothing in a text can end its string or be run. Pixels are read from the
/// file `rasters`, which holds raster_bytes().
std::string gnuplot_commands(const Drawing& drawing, const std::string& rasters = "");

/// The pixels of all rasters, one after the other.
std::string raster_bytes(const Drawing& drawing);

/// The command that lets the n-th text of the drawing say something else.
std::string gnuplot_text_command(size_t n, const std::string& text);

/// The font of all figures. It comes with fontconfig on Debian 12 (package fonts-dejavu-core), and
/// so with gnuplot-nox; without it pango takes the system's sans-serif. It was measured for
/// text_width().
inline const char* const font = "DejaVu Sans";

}  // namespace convscope::canvas

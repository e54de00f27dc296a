#include "suite/report/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <type_traits>

#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

// Advance widths of the ASCII characters from the space on, in thousandths of the font's size, from
// the table hmtx of DejaVuSans.ttf 2.37.
constexpr uint16_t ascii_widths[] = {
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361,  318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635,  611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352,  635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,  525, 636, 337, 636, 838};
constexpr double bold_factor = 1.125;  // at most, over the letters

std::string hex(Color color) { return fmt::format("'#{:06X}'", color); }

// A gnuplot string. Whatever could mean something to gnuplot's scanner is an octal escape, since
// neither of its quotes is safe: it runs `commands` within double ones, and loses its way where two
// single ones meet. The bytes of UTF-8 mean nothing to it.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  bool plain = true;
  for (const char c : printable(text)) {
    // To gnuplot, a digit after an escape is a part of it.
    const bool joins = !plain && std::isdigit(static_cast<unsigned char>(c));
    plain = !joins && (std::isalnum(static_cast<unsigned char>(c)) || c == ' ' || c == '_' ||
                       c == '.' || c == '-' || static_cast<unsigned char>(c) >= 0x80);
    out += plain ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned>(c));
  }
  return out + '"';
}

std::string style(const Rectangle& shape) {
  return fmt::format("using 1:2:3:4:5:6 with boxxyerror fc rgb {} fs solid 1 noborder",
                     hex(shape.fill));
}

std::string style(const Disc& shape) {
  return fmt::format(
      "using 1:2 with filledcurves closed fc rgb {0} fs transparent solid 0.65 border rgb {0} lw "
      "0.6",
      hex(shape.fill));
}

std::string style(const Polygon& shape) {
  return fmt::format(
      "using 1:2 with filledcurves closed fc rgb {} fs {} noborder", hex(shape.fill),
      shape.opacity < 1 ? fmt::format("transparent solid {:.2f}", shape.opacity) : "solid 1");
}

std::string style(const Polyline& shape) {
  const char* const dashes[] = {"solid", "(12,6)", "(3,5)", "(12,5,3,5)"};
  return fmt::format("using 1:2 with lines lc rgb {} lw {} dt {}", hex(shape.color), shape.width,
                     dashes[static_cast<size_t>(shape.dash)]);
}

std::string style(const Raster& shape) {
  // The origin is the middle of the lowest pixel at the left.
  const double dx = (shape.box.right - shape.box.left) / shape.width,
               dy = (shape.box.top - shape.box.bottom) / shape.height;
  return fmt::format(
      "array=({},{}) flipy format='%uchar' origin=({:.4f},{:.4f}) dx={:.6f} dy={:.6f} "
      "with rgbimage",
      shape.width, shape.height, shape.box.left + dx / 2, shape.box.bottom + dy / 2, dx, dy);
}

std::string data(const Raster&) { return {}; }  // it lies in a file

std::string data(const Rectangle& shape) {
  const Box& b = shape.box;
  return fmt::format("{:.2f} {:.2f} {:.2f} {:.2f} {:.2f} {:.2f}\n", b.left, b.bottom, b.left,
                     b.right, b.bottom, b.top);
}

std::string data(const std::vector<Point>& points) {
  std::string rows;
  for (const Point& point : points) rows += fmt::format("{:.2f} {:.2f}\n", point.x, point.y);
  return rows + '\n';  // the empty line parts two lines of one style
}

// As many corners as hide that it has any: gnuplot's own circles have 144, twice.
std::vector<Point> rim_of(const Disc& shape) {
  const int corners = shape.radius < 4 ? 24 : 48;
  std::vector<Point> rim;
  for (int k = 0; k <= corners; ++k) {  // the rim is drawn as a line, so it ends where it starts
    const double angle = 2 * M_PI * k / corners;
    rim.push_back({shape.centre.x + shape.radius * std::cos(angle),
                   shape.centre.y + shape.radius * std::sin(angle)});
  }
  return rim;
}

std::string data(const Disc& shape) { return data(rim_of(shape)); }
std::string data(const Polygon& shape) { return data(shape.corners); }
std::string data(const Polyline& shape) { return data(shape.points); }

}  // namespace

Color palette(size_t index) {
  constexpr Color colors[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x7F7F7F};
  const Color color = colors[index % std::size(colors)];
  return index / std::size(colors) % 2 == 0 ? color : mixed(color, ink, 0.45);
}

Color mixed(Color from, Color to, double share) {
  const auto channel = [&](int shift) {
    const double a = from >> shift & 0xFF, b = to >> shift & 0xFF;
    return static_cast<Color>(std::lround(a + share * (b - a))) << shift;
  };
  return channel(16) | channel(8) | channel(0);
}

Color text_color(Color color) {
  const auto darkened = [](Color channel) { return channel * 62 / 100; };
  return darkened(color >> 16) << 16 | darkened(color >> 8 & 0xFF) << 8 | darkened(color & 0xFF);
}

double text_width(const std::string& text, double size, bool bold) {
  double thousandths = 0;
  for (const char32_t c : code_points(printable(text))) {
    if (c >= U' ' && c < U'\x7F')
      thousandths += ascii_widths[c - U' '];
    else
      thousandths += is_wide(c) ? 1000 : 840;
  }
  return thousandths / 1000 * size * (bold ? bold_factor : 1);
}

Box bounds(const Text& text) {
  const double width = text_width(text.text, text.size, text.bold);
  const double left = text.at.x - (text.anchor == Anchor::left     ? 0
                                   : text.anchor == Anchor::centre ? width / 2
                                                                   : width);
  return {left, text.at.y - 0.55 * text.size, left + width, text.at.y + 0.55 * text.size};
}

std::vector<std::string> wrapped(const std::string& text, double width, double size, bool bold) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find(' ', i), text.size());
    const std::string word = text.substr(i, end - i);
    if (lines.empty() || text_width(lines.back() + ' ' + word, size, bold) > width)
      lines.push_back(word);
    else
      lines.back() += ' ' + word;
    i = end + 1;
  }
  return lines;
}

std::string shortened(const std::string& text, double width, double size) {
  if (text_width(text, size) <= width) return text;
  const std::u32string points = code_points(printable(text));
  for (size_t kept = points.size() - 1; kept > 1; --kept) {
    std::string shorter = utf8(points.substr(0, (kept + 1) / 2) + U'\u2026' +
                               points.substr(points.size() - kept / 2));
    if (text_width(shorter, size) <= width) return shorter;
  }
  return "\u2026";
}

std::string gnuplot_text_command(size_t n, const std::string& text) {
  return fmt::format("set label {} {}\n", n + 1, quoted(text));
}

std::string raster_bytes(const Drawing& drawing) {
  std::string bytes;
  for (const auto& shape : drawing.shapes)
    if (const auto* raster = std::get_if<Raster>(&shape))
      bytes.append(raster->rgb.begin(), raster->rgb.end());
  return bytes;
}

std::string gnuplot_commands(const Drawing& drawing, const std::string& rasters) {
  std::string commands = fmt::format(
      "set encoding utf8\n"
      "set border 0\nunset tics\nunset key\n"
      "set lmargin at screen 0\nset rmargin at screen 1\n"
      "set bmargin at screen 0\nset tmargin at screen 1\n"
      "set xrange [0:{:.2f}]\nset yrange [{:.2f}:{:.2f}]\n",
      drawing.width, -drawing.below, drawing.height);

  std::string plot;
  size_t read = 0;  // of the file of pixels
  for (size_t i = 0, block = 0; i < drawing.shapes.size(); ++block) {
    if (const auto* raster = std::get_if<Raster>(&drawing.shapes[i])) {
      plot += fmt::format("{}'{}' binary skip={} {} notitle", plot.empty() ? "" : ", ", rasters,
                          read, style(*raster));
      read += raster->rgb.size();
      ++i;
      continue;
    }
    // Neighbours of one style share a data block, so that a grid is one element, not twenty.
    const auto style_of = [](const auto& shape) { return style(shape); };
    const auto data_of = [](const auto& shape) { return data(shape); };
    const std::string style = std::visit(style_of, drawing.shapes[i]);
    commands += fmt::format("$shapes{} << END\n", block);
    for (; i < drawing.shapes.size() && std::visit(style_of, drawing.shapes[i]) == style; ++i)
      commands += std::visit(data_of, drawing.shapes[i]);
    commands += "END\n";
    plot += fmt::format("{}$shapes{} {} notitle", plot.empty() ? "" : ", ", block, style);
  }
  for (size_t i = 0; i < drawing.texts.size(); ++i) {
    const Text& text = drawing.texts[i];
    const char* const anchors[] = {"left", "center", "right"};
    commands += fmt::format("set label {} {} at {:.2f},{:.2f} {} font '{}{},{}' tc rgb {} front\n",
                            i + 1, quoted(text.text), text.at.x, text.at.y,
                            anchors[static_cast<size_t>(text.anchor)], font,
                            text.bold ? ":Bold" : "", text.size, hex(text.color));
  }
  return commands + "plot " + (plot.empty() ? "-1 notitle" : plot) + '\n';
}

}  // namespace convscope::canvas

#include "suite/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string_view>

#include "suite/report/canvas.h"
#include "suite/report/figure.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

using canvas::Color;

bool has(std::string_view line, std::string_view part) {
  return line.find(part) != std::string_view::npos;
}

bool starts_with(std::string_view line, std::string_view part) {
  return line.substr(0, part.size()) == part;
}

// Only what lies in these lines was written by a user. Each such text is one line.
bool is_text(std::string_view line) { return has(line, "<text") || starts_with(line, "<title>"); }

std::string with_lines(const std::string& svg,
                       const std::function<void(std::string_view, std::string&)>& append) {
  std::string out;
  out.reserve(svg.size());
  for (size_t begin = 0; begin < svg.size();) {
    const size_t end = std::min(svg.find('\n', begin), svg.size() - 1) + 1;
    append(std::string_view(svg).substr(begin, end - begin), out);
    begin = end;
  }
  return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// Removes ` name="..."`, in either quotes.
void remove_attribute(std::string& line, const std::string& name) {
  const size_t begin = line.find(' ' + name + '=');
  if (begin == std::string::npos) return;
  const size_t value = begin + name.size() + 2;
  const size_t end = line.find(line.at(value), value + 1);
  if (end != std::string::npos) line.erase(begin, end + 1 - begin);
}

std::string hex(Color color) { return fmt::format("#{:06X}", color); }

// "rgb(  0, 114, 178)" as "#0072B2".
void write_colors_as_hex(std::string& line) {
  for (size_t at = line.find("rgb("); at != std::string::npos; at = line.find("rgb(", at + 1)) {
    unsigned r = 0, g = 0, b = 0;
    const size_t end = line.find(')', at);
    if (end == std::string::npos || std::sscanf(line.c_str() + at, "rgb(%u,%u,%u", &r, &g, &b) != 3)
      continue;
    line.replace(at, end + 1 - at, hex(r << 16 | g << 8 | b));
  }
}

// Writes the line with `replacement` of each color for the color.
void replace_colors(std::string_view line, std::string& out,
                    const std::function<std::string(Color)>& replacement) {
  size_t from = 0;
  for (size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    Color color = 0;
    const std::string_view digits = line.substr(at + 1, 6);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), color, 16);
    if (error != std::errc() || end != digits.data() + 6) continue;
    out += line.substr(from, at - from);
    out += replacement(color);
    from = at + 7;
  }
  out += line.substr(from);
}

std::string with_colors(const std::string& svg,
                        const std::function<std::string(Color)>& replacement) {
  return with_lines(svg, [&replacement](std::string_view line, std::string& out) {
    if (is_text(line))
      out += line;
    else
      replace_colors(line, out, replacement);
  });
}

// A line without what gnuplot writes for nobody: its state in groups, ids, and titles that would
// show as tooltips.
std::string tidied(std::string_view from) {
  std::string line(from);
  if (starts_with(line, "<g fill=\"none\"")) {
    remove_attribute(line, "color");
    remove_attribute(line, "stroke");
  }
  remove_attribute(line, "id");
  replace_all(line, "<g >", "<g>");
  remove_attribute(line, "shape-rendering");
  replace_all(line, "xlink:href=", "href=");  // of pictures; only old readers need the namespace
  if (const size_t title = line.find("<title>gnuplot_plot"); title != std::string::npos)
    line.replace(title, line.find("</title>") + 8 - title, "");
  const std::string family = std::string("font-family=\"") + canvas::font;
  const std::string families = family + ", Bitstream Vera Sans, Verdana, sans-serif\"";
  replace_all(line, family + ":Bold\"", families + " font-weight=\"bold\"");
  replace_all(line, family + "\"", families);
  write_colors_as_hex(line);
  return line;
}

}  // namespace

std::string finished_svg(const std::string& gnuplot_svg, const std::string& title, double width,
                         double height) {
  bool in_tag = false, in_definitions = false;
  std::string group;  // that may turn out to be empty
  return with_lines(gnuplot_svg, [&](std::string_view line, std::string& out) {
    if (in_tag || starts_with(line, "<svg")) {
      in_tag = !starts_with(line, ">");
      if (!in_tag)
        // gnuplot's units are 1/96 inch, ours 1/72: twice the size can be read on a page.
        out += fmt::format(
            "<svg width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {2} {3}\" role=\"img\" "
            "xmlns=\"http://www.w3.org/2000/svg\">\n<title>{4}</title>\n",
            2 * std::lround(width), 2 * std::lround(height), std::lround(width),
            std::lround(height), xml_escaped(printable(title)));
      return;
    }
    if (has(line, "<text")) {
      out += group;
      group.clear();
      out += line;
      return;
    }
    // Markers of points, of which no figure has any.
    in_definitions = in_definitions || starts_with(line, "<defs>");
    const bool skipped = in_definitions || starts_with(line, "<title>") ||
                         starts_with(line, "<desc>") || line == "\n" || line == "\t\n";
    if (starts_with(line, "</defs>")) in_definitions = false;
    if (skipped) return;
    if (starts_with(line, "</g>") && !group.empty()) {
      group.clear();
      return;
    }
    out += group;
    group.clear();
    (starts_with(line, "<g fill=\"none\"") ? group : out) += tidied(line);
  });
}

std::string dark_svg(const std::string& finished) {
  return with_colors(finished, [](Color color) { return hex(canvas::in_dark(color)); });
}

std::map<std::string, std::string> dark_colors(const std::string& svg) {
  std::map<std::string, std::string> colors;
  with_colors(svg, [&colors](Color color) {
    colors[hex(color)] = hex(canvas::in_dark(color));
    return std::string();
  });
  return colors;
}

std::string themed_svg(const std::string& svg) {
  const size_t begin = svg.find("<svg"), end = svg.rfind("</svg>");
  if (begin == std::string::npos || end == std::string::npos)
    throw std::invalid_argument("there is no <svg> in a picture that should be one");
  std::string element = svg.substr(begin, end + 6 - begin);
  std::string tag = element.substr(0, element.find('>'));
  element.erase(0, tag.size());
  remove_attribute(tag, "width");
  remove_attribute(tag, "height");
  if (const size_t title = element.find("<title>"); title != std::string::npos)
    element.erase(title, element.find("</title>") + 8 - title);
  return tag + with_colors(element, [](Color color) {
           return fmt::format("var(--c{0:06X}, #{0:06X})", color);
         });
}

}  // namespace convscope

#include "suite/report/figure.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "suite/report/chart.h"
#include "suite/report/fonts.h"
#include "suite/report/gnuplot.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;
using canvas::Drawing;

constexpr double png_width = 2000;  // pixels: 300 per inch on a page of text
// The cairo terminals draw a font of 72 points 96 units high; and a line of width 1 is half a point
// in PDF, which is why that terminal gets a linewidth of 2.
constexpr double cairo_font_scale = 0.75;

double page_height(const Drawing& drawing) { return drawing.height + drawing.below; }

const char* ending(ImageFormat format) {
  const char* const endings[] = {"svg", "png", "pdf"};
  return endings[static_cast<size_t>(format)];
}

std::string terminal(ImageFormat format, const Drawing& drawing) {
  switch (format) {
    case ImageFormat::svg:
      return fmt::format("svg size {},{} fixed font '{},8' noenhanced background 'white'",
                         std::lround(drawing.width), std::lround(page_height(drawing)),
                         canvas::font);
    case ImageFormat::png: {
      const double zoom = png_width / drawing.width;
      return fmt::format(
          "pngcairo size {},{} font '{},8' fontscale {:.4f} linewidth {:.4f} noenhanced background "
          "'white'",
          std::lround(png_width), std::lround(page_height(drawing) * zoom), canvas::font,
          zoom * cairo_font_scale, zoom);
    }
    case ImageFormat::pdf:
      // The terminal cuts the size off to whole points.
      return fmt::format(
          "pdfcairo size {:.5f}in,{:.5f}in font '{},8' fontscale {} linewidth 2 noenhanced "
          "background 'white'",
          (drawing.width + 0.01) / 72, (page_height(drawing) + 0.01) / 72, canvas::font,
          cairo_font_scale);
  }
  return {};
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush())
    throw std::runtime_error(
        fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// What gnuplot's terminal cannot be told: a size on the page that can be read (its units are 1/96
// inch, ours 1/72), the title for screen readers, fonts of the same width where there is no DejaVu
// (bold as an attribute), and smooth edges.
std::string finished_svg(const std::string& svg, const Figure& figure, const Drawing& drawing) {
  std::string out;
  for (size_t begin = 0; begin < svg.size();) {
    const size_t end = std::min(svg.find('\n', begin), svg.size() - 1) + 1;
    std::string line = svg.substr(begin, end - begin);
    begin = end;
    if (line.find("<text>") == std::string::npos) {  // nothing that a user wrote
      if (line.find(" width=\"") == 0)
        line = fmt::format(" width=\"{}\" height=\"{}\" role=\"img\"\n",
                           2 * std::lround(drawing.width), 2 * std::lround(page_height(drawing)));
      if (line.find("<title>Gnuplot") == 0)
        line = "<title>" + xml_escaped(printable(figure.title)) + "</title>\n";
      if (line.find("<desc>") == 0) line.clear();
      const std::string family = std::string("font-family=\"") + canvas::font;
      const std::string families = family + ", Bitstream Vera Sans, Verdana, sans-serif\"";
      replace_all(line, family + ":Bold\"", families + " font-weight=\"bold\"");
      replace_all(line, family + "\"", families);
      replace_all(line, " shape-rendering='crispEdges'", "");
    }
    out += line;
  }
  return out;
}

// cairo writes the time into the file. Spaces of the same length keep the offsets of its table.
std::string without_date(std::string pdf) {
  const size_t begin = pdf.rfind("/CreationDate (");
  if (begin != std::string::npos)
    if (const size_t end = pdf.find(')', begin); end != std::string::npos)
      pdf.replace(begin, end + 1 - begin, end + 1 - begin, ' ');
  return pdf;
}

// Files under names of this process until they are complete.
struct Unfinished {
  std::vector<fs::path> paths;
  ~Unfinished() {
    std::error_code ignored;
    for (const fs::path& path : paths) fs::remove(path, ignored);
  }
};

}  // namespace

void check_gnuplot() { find_gnuplot(); }

std::vector<fs::path> render(const Figure& figure, const fs::path& folder,
                             const std::vector<ImageFormat>& formats) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  if (figure.name.empty() || !std::all_of(figure.name.begin(), figure.name.end(), is_plain))
    throw std::invalid_argument(fmt::format(
        "'{}' cannot name a figure: use letters, digits, '-' and '_'", printable(figure.name)));
  const Drawing drawing = canvas::draw(figure);

  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw std::runtime_error(
        fmt::format("cannot create the folder {}: {}", folder.string(), error.message()));
  if (::access(folder.c_str(), W_OK) != 0)
    throw std::runtime_error(
        fmt::format("cannot write into {}: {}", folder.string(), std::strerror(errno)));

  // One process for all formats: starting it costs as much as a drawing.
  Unfinished unfinished;
  std::string script = canvas::gnuplot_commands(drawing);
  const size_t plot = script.rfind("\nplot ") + 1;
  const std::string plot_command = script.substr(plot);
  script.resize(plot);
  // Who reads an SVG has fonts of his own.
  std::vector<std::string> texts;
  for (const canvas::Text& text : drawing.texts) texts.push_back(text.text);
  const std::vector<std::string> drawn = drawable(texts);
  for (const ImageFormat format : formats) {
    const std::string name = fmt::format(".{}.{}.{}", figure.name, ::getpid(), ending(format));
    unfinished.paths.push_back(folder / name);
    script += fmt::format("set terminal {}\nset output '{}'\n", terminal(format, drawing), name);
    for (size_t i = 0; i < texts.size(); ++i)
      if (drawn[i] != texts[i])
        script += canvas::gnuplot_text_command(i, format == ImageFormat::svg ? texts[i] : drawn[i]);
    script += unfinished.paths.size() == 1 ? plot_command : "replot\n";
  }
  run_gnuplot(script + "set output\n", folder);

  for (size_t i = 0; i < formats.size(); ++i) {
    const fs::path& path = unfinished.paths[i];
    std::string bytes = read_file(path);
    if (bytes.empty())
      throw std::runtime_error(fmt::format("gnuplot wrote nothing to {}", path.string()));
    if (formats[i] == ImageFormat::svg) write_file(path, finished_svg(bytes, figure, drawing));
    if (formats[i] == ImageFormat::pdf) write_file(path, without_date(std::move(bytes)));
  }
  std::vector<fs::path> paths;
  for (size_t i = 0; i < formats.size(); ++i) {
    paths.push_back(folder / fmt::format("{}.{}", figure.name, ending(formats[i])));
    fs::rename(unfinished.paths[i], paths.back(), error);
    if (error)
      throw std::runtime_error(
          fmt::format("cannot write {}: {}", paths.back().string(), error.message()));
  }
  return paths;
}

}  // namespace convscope

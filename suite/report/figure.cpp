#include "suite/report/figure.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "suite/report/chart.h"
#include "suite/report/fonts.h"
#include "suite/report/gnuplot.h"
#include "suite/report/svg.h"
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

// cairo writes the time into the file. Spaces of the same length keep the offsets of its table.
std::string without_date(std::string pdf) {
  const size_t begin = pdf.rfind("/CreationDate (");
  if (begin != std::string::npos)
    if (const size_t end = pdf.find(')', begin); end != std::string::npos)
      pdf.replace(begin, end + 1 - begin, end + 1 - begin, ' ');
  return pdf;
}

// Files under names of this process until all are complete.
struct Files {
  struct File {
    fs::path unfinished, path;
  };
  std::vector<File> files;
  fs::path temporary;  // that goes in the end

  // In `folder`, with the name of the figure and of its variant, "-dark" or none.
  fs::path add(const fs::path& folder, const std::string& name, const std::string& variant,
               ImageFormat format) {
    const std::string end = fmt::format("{}.{}", variant, ending(format));
    files.push_back(
        {folder / fmt::format(".{}.{}{}", name, ::getpid(), end), folder / (name + end)});
    return files.back().unfinished;
  }

  std::vector<fs::path> put_in_place() const {
    std::vector<fs::path> paths;
    for (const File& file : files) {
      std::error_code error;
      fs::rename(file.unfinished, file.path, error);
      if (error)
        throw std::runtime_error(
            fmt::format("cannot write {}: {}", file.path.string(), error.message()));
      paths.push_back(file.path);
    }
    return paths;
  }

  ~Files() {
    std::error_code ignored;
    for (const File& file : files) fs::remove(file.unfinished, ignored);
    if (!temporary.empty()) fs::remove(temporary, ignored);
  }
};

std::string read_drawn(const fs::path& path) {
  std::string bytes = read_file(path);
  if (bytes.empty())
    throw std::runtime_error(fmt::format("gnuplot wrote nothing to {}", path.string()));
  return bytes;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw std::runtime_error(
        fmt::format("cannot create the folder {}: {}", folder.string(), error.message()));
  if (::access(folder.c_str(), W_OK) != 0)
    throw std::runtime_error(
        fmt::format("cannot write into {}: {}", folder.string(), std::strerror(errno)));
}

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

  make_folder(folder);

  // One process for all formats: starting it costs as much as a drawing.
  Files files;
  const std::string rasters = fmt::format(".{}.{}.rgb", figure.name, ::getpid());
  if (const std::string bytes = canvas::raster_bytes(drawing); !bytes.empty()) {
    files.temporary = folder / rasters;
    write_file(files.temporary, bytes);
  }
  std::string script = canvas::gnuplot_commands(drawing, rasters);
  const size_t plot = script.rfind("\nplot ") + 1;
  std::string plot_command = script.substr(plot);
  script.resize(plot);
  // Who reads an SVG has fonts of his own.
  std::vector<std::string> texts;
  for (const canvas::Text& text : drawing.texts) texts.push_back(text.text);
  const std::vector<std::string> drawn = drawable(texts);
  for (const ImageFormat format : formats) {
    const fs::path path = files.add(folder, figure.name, "", format);
    if (format == ImageFormat::svg) files.add(folder, figure.name, "-dark", format);
    script += fmt::format("set terminal {}\nset output '{}'\n", terminal(format, drawing),
                          path.filename().string());
    for (size_t i = 0; i < texts.size(); ++i)
      if (drawn[i] != texts[i])
        script += canvas::gnuplot_text_command(i, format == ImageFormat::svg ? texts[i] : drawn[i]);
    script += std::exchange(plot_command, "replot\n");
  }
  run_gnuplot(script + "set output\n", folder);

  auto file = files.files.begin();
  for (const ImageFormat format : formats) {
    const fs::path& path = (file++)->unfinished;
    std::string bytes = read_drawn(path);
    if (format == ImageFormat::svg) {
      const std::string svg =
          finished_svg(bytes, figure.title, drawing.width, page_height(drawing));
      write_file(path, svg);
      write_file((file++)->unfinished, dark_svg(svg));
    } else if (format == ImageFormat::pdf) {
      write_file(path, without_date(std::move(bytes)));
    }
  }
  return files.put_in_place();
}

std::vector<std::vector<fs::path>> render_all(const std::vector<Figure>& figures,
                                              const fs::path& folder,
                                              const std::vector<ImageFormat>& formats) {
  std::vector<std::vector<fs::path>> paths(figures.size());
  std::vector<std::exception_ptr> errors(figures.size());
  std::atomic<size_t> next = 0;
  const auto draw_some = [&] {
    for (size_t i = next++; i < figures.size(); i = next++) {
      try {
        paths[i] = render(figures[i], folder, formats);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> beside;
  for (size_t core = 1;
       core < std::min<size_t>(std::thread::hardware_concurrency(), figures.size()); ++core)
    beside.emplace_back(draw_some);
  draw_some();
  for (std::thread& thread : beside) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  return paths;
}

}  // namespace convscope

// Pictures in rows and columns.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "suite/report/chart.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

constexpr double tile_gap = 3, largest_tile = 150;
constexpr size_t most_tiles = 1024;

void check(const Sheet& sheet) {
  if (sheet.tiles.empty()) throw std::invalid_argument("a sheet needs a tile");
  if (sheet.tiles.size() > most_tiles)
    throw std::invalid_argument(
        fmt::format("{} tiles do not fit a sheet: at most {}", sheet.tiles.size(), most_tiles));
  for (const Sheet::Tile& tile : sheet.tiles) {
    const bool whole = tile.width > 0 && tile.height > 0 &&
                       tile.rgb.size() == size_t{3} * static_cast<size_t>(tile.width) *
                                              static_cast<size_t>(tile.height);
    if (!whole)
      throw std::invalid_argument(fmt::format("{}: {} bytes are no picture of {} x {} pixels",
                                              printable(tile.label), tile.rgb.size(), tile.width,
                                              tile.height));
  }
}

size_t columns_of(const Sheet& sheet) {
  if (sheet.columns > 0) return std::min(sheet.columns, sheet.tiles.size());
  const size_t tiles = sheet.tiles.size();
  const size_t columns = tiles <= 12 ? 4 : tiles <= 64 ? 8 : tiles <= 144 ? 12 : 16;
  return std::min(columns, tiles);
}

std::vector<std::string> lines_of(const std::string& label) {
  std::vector<std::string> lines;
  for (size_t from = 0; from <= label.size() && !label.empty();) {
    const size_t end = std::min(label.find('\n', from), label.size());
    lines.push_back(label.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

// Around the picture, so that it hides nothing of it.
void draw_frame_of(Drawing& drawing, const Box& box) {
  constexpr double away = 0.65, line = 1.3;
  drawing.shapes.push_back(Polyline{{{box.left - away, box.bottom - away},
                                     {box.right + away, box.bottom - away},
                                     {box.right + away, box.top + away},
                                     {box.left - away, box.top + away},
                                     {box.left - away, box.bottom - away}},
                                    palette(1),
                                    line});
}

// Few pixels as blocks of equal ones: viewers would blur them where they are drawn larger.
Raster raster_of(const Sheet::Tile& tile, const Box& box) {
  const int times = std::max(1, 96 / std::max(tile.width, tile.height));
  Raster raster{box, tile.width * times, tile.height * times, {}};
  raster.rgb.reserve(tile.rgb.size() * static_cast<size_t>(times * times));
  for (int y = 0; y < raster.height; ++y)
    for (int x = 0; x < raster.width; ++x) {
      const auto* pixel =
          &tile.rgb[size_t{3} * static_cast<size_t>(y / times * tile.width + x / times)];
      raster.rgb.insert(raster.rgb.end(), pixel, pixel + 3);
    }
  return raster;
}

}  // namespace

Drawing draw_sheet(const std::string& title, const Sheet& sheet) {
  check(sheet);
  const size_t columns = columns_of(sheet);
  const size_t rows = (sheet.tiles.size() + columns - 1) / columns;
  const auto across = static_cast<double>(columns);
  const double side =
      std::min(largest_tile, (page_width - 2 * page_margin - (across - 1) * tile_gap) / across);
  double tallest = 0;  // of its width
  size_t lines = 0;    // of the longest name
  for (const Sheet::Tile& tile : sheet.tiles) {
    tallest = std::max(tallest, static_cast<double>(tile.height) / tile.width);
    lines = std::max(lines, lines_of(tile.label).size());
  }
  // A tile that is taller than wide is made narrower, so that rows do not become columns.
  const double height = side * std::min(tallest, 1.5);
  const double line = small_size * line_height;
  const double label = static_cast<double>(lines) * line;
  const double row_height = height + label + tile_gap;
  const double key = sheet.key.empty() ? 0 : small_size * line_height + 2;
  const double above = header_height(title, {}) + 2;
  Drawing drawing{
      page_width, above + static_cast<double>(rows) * row_height + key + page_margin, {}, {}};
  draw_header(drawing, title, {});
  for (size_t i = 0; i < sheet.tiles.size(); ++i) {
    const Sheet::Tile& tile = sheet.tiles[i];
    const size_t row = i / columns, column = i % columns;
    const double left = page_margin + static_cast<double>(column) * (side + tile_gap),
                 top = drawing.height - above - static_cast<double>(row) * row_height;
    const double aspect = static_cast<double>(tile.height) / tile.width;
    const double width = std::min(side, height / aspect);
    const double x = left + (side - width) / 2;
    const Box box{x, top - width * aspect, x + width, top};
    drawing.shapes.push_back(raster_of(tile, box));
    if (tile.framed) draw_frame_of(drawing, box);
    double y = top - height - line / 2;
    for (const std::string& text : lines_of(tile.label)) {
      drawing.texts.push_back({{left + side / 2, y},
                               shortened(text, side, small_size),
                               Anchor::centre,
                               small_size,
                               muted});
      y -= line;
    }
  }
  if (!sheet.key.empty())
    drawing.texts.push_back({{page_margin, page_margin + small_size / 2},
                             shortened(sheet.key, page_width - 2 * page_margin, small_size),
                             Anchor::left,
                             small_size,
                             ink});
  return drawing;
}

}  // namespace convscope::canvas

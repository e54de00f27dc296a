// A square of cells, the darker the more they hold: which classes are taken for which.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/text.h"

namespace convscope::canvas {
namespace {

constexpr double cell_gap = 0.6, largest_cell = 34, longest_class = 96, number_gap = 4;
constexpr double key_height = 6, key_cell = 9;
// Few enough that neighbours of one shade are one element of the picture, and more than an eye
// tells apart.
constexpr int shades = 40;

void check(const HeatMap& map) {
  if (map.labels.empty()) throw std::invalid_argument("a heat map needs a row");
  if (map.labels.size() > HeatMap::most_labels)
    throw std::invalid_argument(fmt::format("{} rows do not fit a heat map: at most {}",
                                            map.labels.size(), HeatMap::most_labels));
  if (map.shares.size() != map.labels.size())
    throw std::invalid_argument(
        fmt::format("a heat map of {} rows, expected {}", map.shares.size(), map.labels.size()));
  for (size_t r = 0; r < map.shares.size(); ++r) {
    if (map.shares[r].size() != map.labels.size())
      throw std::invalid_argument(fmt::format("{}: {} values, expected {}",
                                              printable(map.labels[r]), map.shares[r].size(),
                                              map.labels.size()));
    for (const double share : map.shares[r])
      if (!(share >= 0 && share <= 1))
        throw std::invalid_argument(
            fmt::format("{}: {} is no share, expected 0 to 1", printable(map.labels[r]), share));
  }
}

int shade(double share) { return static_cast<int>(std::lround(share * shades)); }

// Nothing is not white, so that the square is seen.
Color color_of(int shade) { return mixed(empty_cell, palette(0), 1.0 * shade / shades); }

// Squares with numbers for names, since names under the columns would have to lie on their side.
struct Square {
  double left, top, cell;

  Box at(size_t row, size_t column) const {
    const double x = left + static_cast<double>(column) * cell,
                 y = top - static_cast<double>(row) * cell;
    return {x, y - cell + cell_gap, x + cell - cell_gap, y};
  }
};

Point middle(const Box& box) { return {(box.left + box.right) / 2, (box.bottom + box.top) / 2}; }

void draw_cells(Drawing& drawing, const HeatMap& map, const Square& square) {
  for (int s = 0; s <= shades; ++s)
    for (size_t r = 0; r < map.shares.size(); ++r)
      for (size_t c = 0; c < map.shares.size(); ++c)
        if (shade(map.shares[r][c]) == s)
          drawing.shapes.push_back(Rectangle{square.at(r, c), color_of(s)});
}

// Where three digits fit. What is less than half a percent is only a shade.
void draw_percentages(Drawing& drawing, const HeatMap& map, const Square& square) {
  if (square.cell - cell_gap < text_width("100", small_size) + 2) return;
  for (size_t r = 0; r < map.shares.size(); ++r)
    for (size_t c = 0; c < map.shares.size(); ++c) {
      const double share = map.shares[r][c];
      const std::string percent = fmt::format("{:.0f}", 100 * share);
      if (percent == "0") continue;
      drawing.texts.push_back({middle(square.at(r, c)), percent, Anchor::centre, small_size,
                               share > 0.8 ? on_color : ink});
    }
}

void draw_key(Drawing& drawing, double right, double y) {
  const std::string most = "100 %", least = "0 %";
  drawing.texts.push_back({{right, y}, most, Anchor::right, small_size, ink});
  double x = right - text_width(most, small_size) - 3;
  for (int step = 5; step >= 0; --step, x -= key_cell)
    drawing.shapes.push_back(
        Rectangle{{x - key_cell + cell_gap, y - key_height / 2, x, y + key_height / 2},
                  color_of(step * shades / 5)});
  drawing.texts.push_back({{x - 3, y}, least, Anchor::right, small_size, ink});
}

// The rows' names with their numbers, and the numbers over the columns, as many as have room.
void draw_labels(Drawing& drawing, const HeatMap& map, const Square& square, double names_end) {
  const auto widest = text_width(fmt::format("{}", map.labels.size()), small_size) + 2;
  const auto every = static_cast<size_t>(std::ceil(widest / square.cell));
  const double size = std::min(small_size, square.cell / 1.12);
  for (size_t i = 0; i < map.labels.size(); ++i) {
    const std::string number = fmt::format("{}", i + 1);
    const double y = middle(square.at(i, 0)).y;
    drawing.texts.push_back({{square.left - number_gap, y}, number, Anchor::right, size, muted});
    drawing.texts.push_back({{names_end, y}, map.labels[i], Anchor::right, size, ink});
    if (i % every == 0)
      drawing.texts.push_back(
          {{middle(square.at(0, i)).x, square.top + 6}, number, Anchor::centre, small_size, muted});
  }
}

}  // namespace

Drawing draw_heat_map(const std::string& title, HeatMap map) {
  check(map);
  double label_width = text_width(map.rows, text_size);
  for (std::string& label : map.labels) {
    label = shortened(label, longest_class, small_size);
    label_width = std::max(label_width, text_width(label, small_size));
  }
  const auto count = static_cast<double>(map.labels.size());
  const double names_end = page_margin + label_width;
  const double left = names_end + number_gap + number_gap +
                      text_width(fmt::format("{}", map.labels.size()), small_size);
  const double cell = std::min((page_width - page_margin - left) / count, largest_cell);
  const double above = header_height(title, {}) + 32;
  Drawing drawing{page_width, above + count * cell + page_margin, {}, {}};
  draw_header(drawing, title, {});
  const Square square{left, drawing.height - above, cell};
  draw_cells(drawing, map, square);
  draw_percentages(drawing, map, square);
  draw_labels(drawing, map, square, names_end);
  drawing.texts.push_back({{names_end, square.top + 6}, map.rows, Anchor::right, text_size, ink});
  drawing.texts.push_back({{left, square.top + 17}, map.columns, Anchor::left, text_size, ink});
  draw_key(drawing, page_width - page_margin, square.top + 28);
  return drawing;
}

}  // namespace convscope::canvas

// The colors of a figure on a dark page.
#include <iterator>
#include <optional>

#include "suite/report/canvas.h"

namespace convscope::canvas {
namespace {

struct Pair {
  Color light, dark;
};

constexpr Pair greys[] = {{paper, 0x16191D}, {empty_cell, 0x1F2329}, {band, 0x22262C},
                          {grid, 0x2B3037},  {rule, 0x4B525C},       {rim, 0x7D858F},
                          {muted, 0xA7AEB8}, {ink, 0xE4E7EB},        {on_color, 0xFFFFFF}};

// In the order of the palette. The blue is as light as lets white text stand on it.
constexpr Color marks[] = {0x1878BE, 0xE0702A, 0x14A97F, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x8B929B};
constexpr Color texts[] = {0x5AA2E4, 0xF0935A, 0x3CC79C, 0xDE9BC2, 0xEDB63F, 0x8FD0F5, 0xA9B0BA};

// What is light by being mixed with the page must become dark by it: the cells of a heat map, and
// dots behind the line that sums them up. In steps of 1/40, as heat maps have.
std::optional<Color> mixture(Color color, Color page, Color dark_page) {
  constexpr int steps = 40;
  for (size_t i = 0; i < std::size(marks); ++i)
    for (int step = 1; step < steps; ++step)
      if (mixed(page, palette(i), 1.0 * step / steps) == color)
        return mixed(dark_page, marks[i], 1.0 * step / steps);
  return {};
}

}  // namespace

Color in_dark(Color color) {
  for (const Pair& grey : greys)
    if (grey.light == color) return grey.dark;
  constexpr size_t colors = std::size(marks);
  for (size_t i = 0; i < colors; ++i) {
    if (palette(i) == color) return marks[i];
    if (text_color(palette(i)) == color) return texts[i];
    // What is darker than these on white is lighter than these on black.
    if (palette(colors + i) == color) return mixed(marks[i], 0xFFFFFF, 0.65);
    if (text_color(palette(colors + i)) == color) return mixed(texts[i], 0xFFFFFF, 0.65);
  }
  for (const Color page : {paper, empty_cell})
    if (const auto mixed = mixture(color, page, in_dark(page))) return *mixed;
  return 0xFFFFFF - color;
}

}  // namespace convscope::canvas

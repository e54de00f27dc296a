#include "suite/pictures/field_map.h"

#include <algorithm>
#include <cmath>

namespace convscope {
namespace {

constexpr Colour black = {38, 38, 38}, vermillion = {213, 94, 0}, beyond = {222, 222, 222};

/// A line of `thickness` pixels inside the edge of a frame, as far as it lies in the picture.
void draw(Pixels& pixels, const FieldFrame& frame, double top, double left, double scale,
          int thickness, Colour colour) {
  const auto at = [scale](double place, double from) {
    return static_cast<int>(std::lround((place - from) * scale));
  };
  const int first_row = at(frame.top, top), last_row = at(frame.top + frame.height, top) - 1;
  const int first_column = at(frame.left, left),
            last_column = at(frame.left + frame.width, left) - 1;
  for (int row = std::max(0, first_row); row <= std::min(last_row, pixels.height - 1); ++row) {
    for (int column = std::max(0, first_column); column <= std::min(last_column, pixels.width - 1);
         ++column) {
      const bool edge = row < first_row + thickness || row > last_row - thickness ||
                        column < first_column + thickness || column > last_column - thickness;
      if (!edge) continue;
      uint8_t* pixel =
          &pixels.rgb[size_t{3} * (static_cast<size_t>(row) * static_cast<size_t>(pixels.width) +
                                   static_cast<size_t>(column))];
      pixel[0] = colour.red;
      pixel[1] = colour.green;
      pixel[2] = colour.blue;
    }
  }
}

}  // namespace

Pixels field_picture(const double* magnitudes, int64_t height, int64_t width,
                     const FieldFrame& field, const FieldFrame& core) {
  // A square around the field, but not so far that the image becomes a spot in it.
  const auto longest = static_cast<double>(std::max(height, width));
  const double around = std::max(field.height, field.width);
  const auto side = static_cast<int64_t>(std::ceil(std::min(around * 1.15 + 2, 2.6 * longest)));
  const auto top = static_cast<int64_t>(
                 std::floor(field.top + field.height / 2 - static_cast<double>(side) / 2)),
             left = static_cast<int64_t>(
                 std::floor(field.left + field.width / 2 - static_cast<double>(side) / 2));
  const auto inside = [&](int64_t row, int64_t column) {
    return row >= 0 && row < height && column >= 0 && column < width;
  };
  double largest = 0;
  for (int64_t row = top; row < top + side; ++row) {
    for (int64_t column = left; column < left + side; ++column) {
      if (inside(row, column)) largest = std::max(largest, magnitudes[row * width + column]);
    }
  }
  const int64_t scale = std::max<int64_t>(1, 240 / side);
  Pixels pixels{static_cast<int>(side * scale), static_cast<int>(side * scale), {}};
  pixels.rgb.reserve(static_cast<size_t>(3 * side * scale * side * scale));
  for (int64_t y = 0; y < side * scale; ++y) {
    for (int64_t x = 0; x < side * scale; ++x) {
      const int64_t row = top + y / scale, column = left + x / scale;
      if (!inside(row, column)) {
        pixels.add(beyond);
      } else {
        pixels.add(sequential(largest > 0 ? magnitudes[row * width + column] / largest : 0));
      }
    }
  }
  const int thickness = std::max(1, pixels.width / 120);
  const auto from_top = static_cast<double>(top), from_left = static_cast<double>(left);
  draw(pixels, core, from_top, from_left, static_cast<double>(scale), thickness, vermillion);
  draw(pixels, field, from_top, from_left, static_cast<double>(scale), thickness, black);
  return pixels;
}

}  // namespace convscope

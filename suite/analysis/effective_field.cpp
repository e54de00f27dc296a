#include "suite/analysis/effective_field.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace convscope {
namespace {

constexpr double held = 0.95;

/// Sums by distance from the middle, in half pixels, so that a middle between two pixels is one of
/// its own.
struct Profile {
  std::vector<double> squares;  ///< on the edge of the square of side distance + 1
  std::vector<double> lines;    ///< on the rows and columns at this distance
  std::vector<int> count;       ///< how many of these lie in the image and in the field
};

Profile profile_of(const double* magnitudes, int64_t height, int64_t width,
                   const CentreUnit& unit) {
  const int64_t middle_row = 2 * unit.top + unit.field_height - 1,
                middle_column = 2 * unit.left + unit.field_width - 1;
  Profile profile;
  profile.squares.resize(static_cast<size_t>(
      4 * std::max(height, width) + 4 * std::abs(middle_row) + 4 * std::abs(middle_column)));
  profile.lines.resize(profile.squares.size());
  profile.count.resize(profile.squares.size());
  for (int64_t row = std::max<int64_t>(0, unit.top);
       row < std::min(height, unit.top + unit.field_height); ++row) {
    ++profile.count[static_cast<size_t>(std::abs(2 * row - middle_row))];
  }
  for (int64_t column = std::max<int64_t>(0, unit.left);
       column < std::min(width, unit.left + unit.field_width); ++column) {
    ++profile.count[static_cast<size_t>(std::abs(2 * column - middle_column))];
  }
  for (int64_t row = 0; row < height; ++row) {
    for (int64_t column = 0; column < width; ++column) {
      const double value = magnitudes[row * width + column];
      const auto down = static_cast<size_t>(std::abs(2 * row - middle_row)),
                 across = static_cast<size_t>(std::abs(2 * column - middle_column));
      profile.squares[std::max(down, across)] += value;
      profile.lines[down] += value;
      profile.lines[across] += value;
    }
  }
  return profile;
}

double side_that_holds(const std::vector<double>& squares, double total) {
  double inside = 0, side = 0;
  for (size_t distance = 0; distance < squares.size(); ++distance) {
    if (squares[distance] == 0) continue;
    const double next = static_cast<double>(distance) + 1;
    if (inside + squares[distance] >= held * total) {
      return side + (next - side) * (held * total - inside) / squares[distance];
    }
    inside += squares[distance];
    side = next;
  }
  return side;
}

/// A point of a profile: how far from the middle, how high, and how often it was summed.
struct Point {
  double distance, height, times;
};

/// The squared differences from the best multiple of a Gaussian of this width.
double misfit(const std::vector<Point>& points, double width) {
  double product = 0, square = 0, own = 0;
  for (const Point& point : points) {
    const double bell = std::exp(-point.distance * point.distance / (2 * width * width));
    product += point.times * bell * point.height;
    square += point.times * bell * bell;
    own += point.times * point.height * point.height;
  }
  return own - (square > 0 ? product * product / square : 0);
}

/// The width of least misfit up to `widest`, by golden section on a logarithmic scale.
double fitted_width(const std::vector<Point>& points, double widest) {
  const double golden = (std::sqrt(5) - 1) / 2;
  double low = std::log(0.2), high = std::log(widest);
  const auto at = [&](double x) { return misfit(points, std::exp(x)); };
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double at_left = at(left), at_right = at(right);
  while (high - low > 1e-6) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      at_left = at(left = high - golden * (high - low));
    } else {
      low = left;
      left = right;
      at_left = at_right;
      at_right = at(right = low + golden * (high - low));
    }
  }
  return std::exp((low + high) / 2);
}

}  // namespace

CentreUnit centre_unit(const MapLayer& layer) {
  const Field &down = layer.sides.at(0), &across = layer.sides.at(1);
  const int64_t row = layer.shape.at(2) / 2, column = layer.shape.at(3) / 2;
  return {row,
          column,
          row * down.stride - down.padding,
          column * across.stride - across.padding,
          down.size,
          across.size};
}

GradientSpread gradient_spread(const double* magnitudes, int64_t height, int64_t width,
                               const CentreUnit& unit) {
  const Profile profile = profile_of(magnitudes, height, width, unit);
  double total = 0;
  for (const double value : profile.squares) total += value;
  if (!(total > 0)) return {0, 0, 0};

  // Lines without any magnitude count, too: a dilated convolution skips some.
  std::vector<Point> points;
  double mean = 0, times = 0;
  for (size_t distance = 0; distance < profile.lines.size(); ++distance) {
    if (profile.count[distance] == 0) continue;
    const auto lines = static_cast<double>(profile.count[distance]);
    points.push_back({static_cast<double>(distance) / 2, profile.lines[distance] / lines, lines});
    mean += profile.lines[distance];
    times += lines;
  }
  mean /= times;
  double variance = 0;
  for (const Point& point : points) {
    variance += point.times * (point.height - mean) * (point.height - mean);
  }
  const double widest = 2 * (points.back().distance + 1);
  const double fitted = fitted_width(points, widest);
  if (fitted > 0.95 * widest) return {side_that_holds(profile.squares, total), std::nan(""), 0};
  const double explained = variance > 0 ? 1 - misfit(points, fitted) / variance : 0;
  return {side_that_holds(profile.squares, total), fitted, std::max(0.0, explained)};
}

double share_of_field(double side, const CentreUnit& unit) {
  const auto down = static_cast<double>(unit.field_height),
             across = static_cast<double>(unit.field_width);
  return std::min(side, down) * std::min(side, across) / (down * across);
}

}  // namespace convscope

#include "suite/pictures/pixels.h"

#include <algorithm>
#include <cmath>

namespace convscope {
namespace {

uint8_t byte(double value) {
  return static_cast<uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
}

struct Stop {
  double at, red, green, blue;
};

/// Straight lines between the stops.
template <size_t n>
Colour between(const Stop (&stops)[n], double share) {
  if (std::isnan(share)) return {128, 128, 128};
  const double at = std::clamp(share, stops[0].at, stops[n - 1].at);
  size_t next = 1;
  while (next + 1 < n && stops[next].at < at) ++next;
  const Stop &a = stops[next - 1], &b = stops[next];
  const double part = (at - a.at) / (b.at - a.at);
  const auto mix = [part](double from, double to) { return byte(from + part * (to - from)); };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

}  // namespace

Colour sequential(double share) {
  constexpr Stop stops[] = {
      {0, 1, 1, 1}, {0.35, 0.55, 0.76, 0.88}, {0.7, 0, 0.447, 0.698}, {1, 0.02, 0.1, 0.2}};
  return between(stops, share);
}

Colour diverging(double share) {
  constexpr Stop stops[] = {{-1, 0.45, 0.16, 0},
                            {-0.6, 0.835, 0.369, 0},
                            {0, 1, 1, 1},
                            {0.6, 0, 0.447, 0.698},
                            {1, 0, 0.2, 0.36}};
  return between(stops, share);
}

void Pixels::add(Colour colour) { rgb.insert(rgb.end(), {colour.red, colour.green, colour.blue}); }

Pixels painted(const float* values, int height, int width, double full, bool negative) {
  const size_t count = static_cast<size_t>(height) * static_cast<size_t>(width);
  if (full <= 0) {
    double largest = 0;
    for (size_t i = 0; i < count; ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(values[i])));
    }
    full = largest > 0 ? largest : 1;
  }
  Pixels pixels{width, height, {}};
  pixels.rgb.reserve(3 * count);
  for (size_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(values[i]) / full;
    pixels.add(negative ? diverging(share) : sequential(share));
  }
  return pixels;
}

}  // namespace convscope

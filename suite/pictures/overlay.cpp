#include "suite/pictures/overlay.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace convscope {
namespace {

/// The magnitude that all but a hundredth part of the values stay below.
double usual_largest(const std::vector<float>& values) {
  std::vector<double> magnitudes;
  magnitudes.reserve(values.size());
  for (const float value : values) magnitudes.push_back(std::abs(static_cast<double>(value)));
  const auto place =
      magnitudes.begin() + static_cast<std::ptrdiff_t>((magnitudes.size() - 1) * 99 / 100);
  std::nth_element(magnitudes.begin(), place, magnitudes.end());
  if (*place > 0) return *place;
  return *std::max_element(magnitudes.begin(), magnitudes.end());
}

}  // namespace

Pixels overlaid(const Pixels& photograph, const std::vector<float>& values) {
  if (values.empty() || photograph.rgb.size() != 3 * values.size()) {
    throw std::invalid_argument("a map needs a value for each pixel of its photograph");
  }
  const double largest = usual_largest(values);
  Pixels pixels{photograph.width, photograph.height, {}};
  pixels.rgb.reserve(photograph.rgb.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const uint8_t* of = &photograph.rgb[3 * i];
    const double brightness = 0.299 * of[0] + 0.587 * of[1] + 0.114 * of[2];
    const double grey = 255 - 0.6 * (255 - brightness);
    const double value = static_cast<double>(values[i]);
    const double share = largest > 0 ? std::clamp(value / largest, -1.0, 1.0) : 0;
    const Colour hue = share >= 0 ? Colour{230, 85, 0} : Colour{0, 90, 200};
    const double opacity = 0.9 * std::abs(share);
    const auto mixed = [&](uint8_t colour) {
      return static_cast<uint8_t>(std::lround((1 - opacity) * grey + opacity * colour));
    };
    pixels.add({mixed(hue.red), mixed(hue.green), mixed(hue.blue)});
  }
  return pixels;
}

}  // namespace convscope

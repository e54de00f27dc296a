#include "suite/interpretation/cosine_basis.h"

#include <algorithm>
#include <cmath>

namespace convscope {
namespace {

const double pi = std::acos(-1.0);

/// The frequency of a row of the basis, in turns in a pixel.
double frequency(int64_t row, int64_t size) {
  return static_cast<double>(row) / static_cast<double>(2 * size);
}

/// `of` of the squared frequency of each coefficient.
template <class Function>
std::vector<double> by_frequency(int64_t height, int64_t width, Function of) {
  std::vector<double> values;
  values.reserve(static_cast<size_t>(height * width));
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      values.push_back(of(std::pow(frequency(y, height), 2) + std::pow(frequency(x, width), 2)));
    }
  }
  return values;
}

}  // namespace

std::vector<float> cosine_basis(int64_t size) {
  std::vector<float> basis;
  basis.reserve(static_cast<size_t>(size * size));
  for (int64_t k = 0; k < size; ++k) {
    const double length = std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(size));
    for (int64_t i = 0; i < size; ++i) {
      const double at = static_cast<double>(i) + 0.5;
      basis.push_back(static_cast<float>(length * std::cos(2 * pi * frequency(k, size) * at)));
    }
  }
  return basis;
}

std::vector<float> natural_spectrum(int64_t height, int64_t width) {
  const double lowest = 1 / static_cast<double>(std::max(height, width));
  const auto amplitudes = by_frequency(
      height, width, [lowest](double squared) { return 1 / std::max(std::sqrt(squared), lowest); });
  double squares = 0;
  for (const double amplitude : amplitudes) squares += amplitude * amplitude;
  const double mean = std::sqrt(squares / static_cast<double>(amplitudes.size()));
  std::vector<float> spectrum;
  spectrum.reserve(amplitudes.size());
  for (const double amplitude : amplitudes) {
    spectrum.push_back(static_cast<float>(amplitude / mean));
  }
  return spectrum;
}

std::vector<float> blurred_spectrum(int64_t height, int64_t width, double deviation) {
  const auto shares = by_frequency(height, width, [deviation](double squared) {
    return std::exp(-2 * std::pow(pi * deviation, 2) * squared);
  });
  return {shares.begin(), shares.end()};
}

}  // namespace convscope

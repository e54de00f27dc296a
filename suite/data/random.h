// Random numbers that are the same everywhere: the standard library leaves its distributions to the
// compiler's vendor. SplitMix64 (Steele, Lea, Flood 2014), seeded by up to three numbers, such as a
// seed, an epoch and an index, so that what an image gets does not depend on who reads it when.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace convscope {

class Random {
 public:
  explicit Random(uint64_t seed, uint64_t a = 0, uint64_t b = 0)
      : state_(mix(mix(mix(seed + golden) + a + golden) + b + golden)) {}

  uint64_t next() { return mix(state_ += golden); }

  /// In [0, 1): the upper 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// Of the standard normal distribution (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // 1 - u is above 0
    return radius * std::cos(2 * std::acos(-1.0) * uniform());
  }

  /// In [0, n), each equally often: what does not divide by n is drawn again. n > 0.
  int64_t below(int64_t n) {
    const uint64_t range = static_cast<uint64_t>(n);
    const uint64_t surplus = (0 - range) % range;
    uint64_t drawn = next();
    while (drawn < surplus) drawn = next();
    return static_cast<int64_t>(drawn % range);
  }

 private:
  static constexpr uint64_t golden = 0x9e3779b97f4a7c15;

  static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  uint64_t state_;
};

/// Every order equally often (Fisher and Yates).
template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  for (size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
  }
}

}  // namespace convscope

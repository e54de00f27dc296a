// Numbers as colours: what every picture of a network's insides is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace convscope {

struct Colour {
  uint8_t red, green, blue;
};

/// From white at 0 through blue to nearly black at 1; what lies beyond is as the ends. Not a number
/// is grey.
Colour sequential(double share);

/// From vermillion at -1 through white at 0 to blue at 1, which the colour-blind tell apart.
Colour diverging(double share);

/// A picture of `height` x `width` pixels, row by row from the top.
struct Pixels {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;

  void add(Colour colour);
};

/// `values` as a picture, divided by `full`: by diverging() where some are negative, else by
/// sequential(). `full` 0 stands for the largest magnitude of the values.
Pixels painted(const float* values, int height, int width, double full, bool negative);

}  // namespace convscope

// A map of an image laid over it.
#pragma once

#include <vector>

#include "suite/pictures/pixels.h"

namespace convscope {

/// The photograph in light grey, the more orange a pixel, the larger its value, and the more blue,
/// the further below 0. `values` are one for each pixel, drawn by the largest magnitude but for the
/// hundredth part with larger ones, which would leave no colour for the rest.
Pixels overlaid(const Pixels& photograph, const std::vector<float>& values);

}  // namespace convscope

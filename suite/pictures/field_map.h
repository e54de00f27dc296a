// The gradient of a unit as a heat map, with what bounds it drawn around it.
#pragma once

#include <cstdint>

#include "suite/pictures/pixels.h"

namespace convscope {

/// A rectangle in pixels of the image, which may reach beyond it.
struct FieldFrame {
  double top, left, height, width;
};

/// The magnitudes of an image of height x width around `field`, with a margin, as far as there is
/// room: the darker, the larger, by the largest one. Around `field` a black frame, around `core`
/// one of vermillion. What lies beyond the image is grey.
Pixels field_picture(const double* magnitudes, int64_t height, int64_t width,
                     const FieldFrame& field, const FieldFrame& core);

}  // namespace convscope

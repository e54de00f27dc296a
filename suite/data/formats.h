// The formats behind decode_image, and what they share.
#pragma once

#include "suite/data/image.h"

namespace convscope {

Image decode_jpeg(const uint8_t* bytes, size_t size, int64_t channels, const WantedRegion& wanted);
Image decode_png(const uint8_t* bytes, size_t size, int64_t channels, const WantedRegion& wanted);

/// Refuses what is too large, before anything is allocated for it. `held` is the most pixels that
/// a file of this size can hold: a header that says more lies.
void check_pixels(Size size, double held);

/// What is wanted, within the image, and at least one pixel; all of it without a callback.
Region region_of(const WantedRegion& wanted, Size full);

/// From red, green and blue to grey: ITU-R 601 in the fixed point that Pillow uses.
void to_grey(const uint8_t* rgb, int64_t pixels, uint8_t* grey);

}  // namespace convscope

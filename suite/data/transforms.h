// From an image of any size to the values that a network sees.
#pragma once

#include "architectures/preprocessing.h"
#include "suite/data/image.h"

namespace convscope {

/// Where in an image the network looks: the image is resized to `resized` (as it is where that
/// equals its size), `crop` is cut out of that, and mirrored. A crop that sticks out is filled with
/// black.
struct View {
  Region source;  ///< the part of the image that is resized
  Size resized;
  Region crop;  ///< within `resized`
  bool mirrored = false;
};

/// Evaluation: torchvision's Resize(resize) and CenterCrop(crop), with their rounding. Throws
/// std::invalid_argument if one of them is above 65536.
View centre_view(const Preprocessing& preprocessing, Size image);

/// The part of the image that a view needs, filter support included.
Region needed(const View& view, Size image, Interpolation interpolation);

/// The bytes of a view, crop.height x crop.width x channels; every byte equals Pillow's.
Image render(const Image& image, const View& view, Interpolation interpolation);

/// Writes channels x height x width values, as Preprocessing says.
void normalise(const Image& image, const Preprocessing& preprocessing, float* out);

}  // namespace convscope

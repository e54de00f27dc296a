// What an image has to become before a network sees it: plain data that belongs to a set of
// weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "architectures/architecture.h"

namespace convscope {

enum class Interpolation { nearest, bilinear, bicubic };

std::string to_string(Interpolation interpolation);

/// In order: the shorter side to `resize` pixels, the middle `crop` x `crop` of that, channels,
/// values; value = (pixel / 255 * range - mean) / deviation, for each channel.
struct Preprocessing {
  int64_t resize;  ///< 0: images stay as large as they are
  int64_t crop;    ///< 0: the whole image
  Interpolation interpolation;
  std::vector<double> mean, deviation;  ///< of each channel; as many as the network's input has
  double range = 1;                     ///< the value that white has before `mean`: 1 or 255
  bool bgr = false;                     ///< blue first
};

bool operator==(const Preprocessing& a, const Preprocessing& b);
inline bool operator!=(const Preprocessing& a, const Preprocessing& b) { return !(a == b); }

/// "resize 256, crop 224, bilinear, mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225".
std::string to_string(const Preprocessing& preprocessing);

/// Where `actual` differs from `expected`, for a warning: "mean 0.5 instead of 0.485 0.456 0.406";
/// one entry for each difference, none if they are equal.
std::vector<std::string> differences(const Preprocessing& actual, const Preprocessing& expected);

/// What most weights for images of this size were trained with, for those that do not say:
/// ImageNet's statistics, a border of an eighth cut off large images; digits as they are.
Preprocessing usual_preprocessing(const ImageShape& image);

}  // namespace convscope

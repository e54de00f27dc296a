// How far a unit really looks: its gradient by each pixel, measured within the receptive field that
// bounds it. Luo, Li, Urtasun, Zemel, "Understanding the effective receptive field in deep
// convolutional neural networks", 2016.
#pragma once

#include <cstdint>

#include "suite/analysis/map_layers.h"

namespace convscope {

/// The unit in the middle of a layer's maps, and what it may depend on.
struct CentreUnit {
  int64_t row, column;  ///< in the maps
  int64_t top, left;    ///< of its receptive field in the image; negative in the padding
  int64_t field_height, field_width;

  /// Whether the field ends outside an image of this size.
  bool clipped(int64_t height, int64_t width) const {
    return top < 0 || left < 0 || top + field_height > height || left + field_width > width;
  }
};
CentreUnit centre_unit(const MapLayer& layer);

/// How the magnitude of a gradient lies around the middle of a receptive field.
struct GradientSpread {
  /// The side in pixels of the square around the middle that holds 95 % of the magnitude,
  /// interpolated between whole pixels.
  double side;
  /// The standard deviation in pixels of the Gaussian that fits the profile best (least squares of
  /// the sums along rows and columns by distance from the middle), and the share of the profile's
  /// variance that it explains. NaN and 0 where the profile is as flat as the field allows.
  double width, gaussian;
};

/// Of `magnitudes` of height x width, all at least 0. Everything is 0 if they are.
GradientSpread gradient_spread(const double* magnitudes, int64_t height, int64_t width,
                               const CentreUnit& unit);

/// The share of the theoretical field's area that a square of this side around its middle covers.
double share_of_field(double side, const CentreUnit& unit);

}  // namespace convscope

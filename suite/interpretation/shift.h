// How far feature maps and answers move when the image moves: shift equivariance and invariance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suite/analysis/map_layers.h"
#include "suite/inference/loaded_network.h"
#include "suite/interpretation/downsampling.h"

namespace convscope {

/// An image and what lies to the right of it: channels x height x `width` values, of which the
/// network sees as many columns as its input has.
struct WideImage {
  std::vector<float> values;
  int64_t width;
};

/// Cosine distances, 0 to 2, between the vectors of channels of the moved maps and of the moved
/// image's maps, the mean over positions: 0 is exactly equivariant. As in Zhang 2019, maps are
/// looked at in the image's resolution: pixel u is in cell floor(u / stride). Two vectors of zeros
/// have the distance 0, one of them 1.
struct MapDistance {
  /// Over all pixels that both maps have; at deep layers each of them sees the image's border.
  std::optional<double> all;
  /// Only over those whose fields lie between the image's left and right end, before and after:
  /// what strides do alone, without padding and without what enters and leaves. None where no such
  /// pixel is left: the field is nearly as wide as the image, or more. What sees the whole image
  /// (squeeze and excitation) acts here, too.
  std::optional<double> inner;
};

struct AnswerChange {
  double distance;            ///< cosine distance of the logits
  int64_t top;                ///< the class that is likeliest now
  bool same;                  ///< as of the image that has not moved
  double probability_change;  ///< of that image's likeliest class: absolute, 0 to 1
};

/// Of each shift.
struct ShiftResponse {
  std::vector<std::vector<MapDistance>> maps;  ///< [layer][shift]
  std::vector<AnswerChange> answers;
};

/// What happens when the image moves to the left by each of `shifts` pixels (the network's window
/// to the right), which the image is wide enough for. Keeps the maps of the image and of a few
/// shifts at a time. Numbers that are not finite stay so. Throws std::invalid_argument for an image
/// of another size.
ShiftResponse shift_response(const LoadedNetwork& network, const std::vector<MapLayer>& layers,
                             Downsampling downsampling, const WideImage& image,
                             const std::vector<int64_t>& shifts);

}  // namespace convscope

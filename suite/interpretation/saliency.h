// Which pixels an answer rests on, as maps of an image, and how faithful each map is. Plain
// numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/inference/loaded_network.h"

namespace convscope {

/// A method as people are told of it.
struct SaliencyMethod {
  std::string name;     ///< "grad-cam"
  std::string heading;  ///< "Grad-CAM"
};

/// All of them: gradient, guided, smoothgrad, integrated, grad-cam, occlusion; and random numbers,
/// which a map must beat.
const std::vector<SaliencyMethod>& saliency_methods();

struct SaliencySettings {
  size_t map_call = 0;           ///< whose maps Grad-CAM weights
  int64_t copies = 32;           ///< of SmoothGrad
  double noise = 0.15;           ///< SmoothGrad's deviation, as a share of the image's range
  double largest_gap = 0.005;    ///< of integrated gradients' sum, as a share of what it should be
  int64_t most_intervals = 512;  ///< of integrated gradients
  int64_t squares = 8;           ///< occlusion's square, so many to a side of the image
  uint64_t seed = 0;
};

struct SaliencyMap {
  /// Height x width; the larger, the more the pixel speaks for the class. Integrated gradients and
  /// occlusion have values below 0 where it speaks against it.
  std::vector<float> values;
  double gap;  ///< integrated gradients' own check; NaN of others
};

/// The map of one image, channels x height x width values, for the logit of a class. Of gradients
/// over colours the largest magnitude of a pixel's channels; of integrated ones their sum. The
/// baseline of integrated gradients and occlusion is 0, the images' mean colour. Throws
/// std::invalid_argument for a method that there is not.
SaliencyMap saliency(const LoadedNetwork& network, const std::string& method,
                     const std::vector<float>& image, int64_t class_index,
                     const SaliencySettings& settings);

/// How the probability of the class falls while the squares of an image that are most salient in
/// the mean are blurred, one after the other: after shares of 0, 1 / steps, ... 1 of the area. The
/// image is divided into 28 squares to a side, so that fine and coarse maps lose the same. The
/// faster it falls, the more faithful is the map. Samek et al. 2017, "Evaluating the visualization
/// of what a deep neural network has learned"; Petsiuk et al. 2018, "RISE". With one colour for a
/// blur, the edges of squares strewn at random mislead networks more than what they cover.
std::vector<double> deletion_curve(const LoadedNetwork& network, const std::vector<float>& image,
                                   const std::vector<float>& map, int64_t class_index,
                                   int64_t steps);

/// The area under a curve over equal steps from 0 to 1, by the trapezoidal rule.
double area_under(const std::vector<double>& curve);

/// The logits of one image.
std::vector<float> logits_of_image(const LoadedNetwork& network, const std::vector<float>& image);

/// The place in the graph of the call that made the last feature map before global pooling. Throws
/// std::invalid_argument where the network has none.
size_t last_map_call(const Graph& graph);

}  // namespace convscope

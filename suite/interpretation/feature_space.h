// Images as points in the space of what a layer computes: their neighbours there, and the
// directions in which they differ most. Plain numbers in and out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "suite/inference/loaded_network.h"

namespace convscope {

/// Where in a network features are taken.
struct FeaturePlace {
  size_t call;        ///< in Graph::calls; its result is what is taken
  int64_t size;       ///< how many numbers an image has there; of maps, one for each channel
  bool maps;          ///< with positions, over which they are averaged
  std::string named;  ///< "layer3", or "the input of fc"
};

/// After this layer, or after what is in it; "": what the last convolution or linear layer takes,
/// which is the head of a classifier. Throws std::invalid_argument that lists the layers.
FeaturePlace feature_place(const Graph& graph, const std::string& layer);

/// Rows of equal length, one for each image.
struct FeatureRows {
  int64_t size = 0;           ///< numbers in a row
  std::vector<float> values;  ///< row by row

  size_t count() const { return size == 0 ? 0 : values.size() / static_cast<size_t>(size); }
  const float* row(size_t i) const { return values.data() + i * static_cast<size_t>(size); }
};

/// Adds the rows of `count` images (channels x height x width values each).
void add_features(const LoadedNetwork& network, const FeaturePlace& place,
                  const std::vector<float>& images, int64_t count, FeatureRows& features);

/// Another image, and the cosine of the angle between both features: 1 for the same direction.
struct Neighbour {
  size_t index;
  double similarity;
};

/// No image of the data.
inline constexpr size_t no_image = static_cast<size_t>(-1);

/// For each of `queries` the `most` images of `data` with the largest cosine, by an exact search;
/// among equals the lower index first. `itself`: for each query its place in `data`, which is left
/// out, or no_image. FeatureRows that are 0 everywhere are similar to nothing: their cosine is 0.
/// Throws std::invalid_argument if the rows differ in length or there are fewer images than `most`.
std::vector<std::vector<Neighbour>> nearest(const FeatureRows& data, const FeatureRows& queries,
                                            const std::vector<size_t>& itself, size_t most,
                                            const std::function<void(size_t done)>& progress = {});

/// The class that most of the first `k` neighbours are of; among equals that of the nearest.
int64_t majority(const std::vector<Neighbour>& neighbours, const std::vector<int64_t>& labels,
                 size_t k);

/// FeatureRows seen along the directions in which they vary most (Pearson 1901, Hotelling 1933).
struct PrincipalComponents {
  size_t count = 0;              ///< of the components
  std::vector<double> scores;    ///< images x count: distances from the mean along each direction
  std::vector<double> shares;    ///< of the variance, that of the largest first; their sum is <= 1
  std::vector<double> loadings;  ///< count x size: the directions, of length 1
};

/// Of at least two images, the first `most` components, and no more than the numbers of an image.
/// The largest entry of a direction, by magnitude, is positive: without that its sign is chance.
/// Beyond what the images span, scores and shares are 0. Throws std::invalid_argument for fewer
/// images, std::runtime_error where LibTorch was built without LAPACK.
PrincipalComponents principal_components(const FeatureRows& features, size_t most);

}  // namespace convscope

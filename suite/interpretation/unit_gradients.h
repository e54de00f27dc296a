// Gradients of single units by the image: how strongly a unit depends on each pixel.
#pragma once

#include <cstdint>
#include <vector>

#include "suite/analysis/effective_field.h"
#include "suite/inference/loaded_network.h"

namespace convscope {

/// For each layer the magnitudes of the gradient of the unit in its middle, height x width for each
/// of `count` images: the sum over the image's channels of the absolute values. The maps of a layer
/// are added up with random signs, so that none of a layer's units counts more than another and
/// they do not cancel; chance depends on `seed`, the image's number (`first` and following) and the
/// layer alone. One forward pass, and a backward pass for each layer. images_together() at a time.
std::vector<std::vector<double>> unit_gradients(const LoadedNetwork& network,
                                                const std::vector<MapLayer>& layers,
                                                const std::vector<float>& images, int64_t count,
                                                uint64_t seed, int64_t first);

/// `count` images of independent normal values: what a network sees where nothing is.
std::vector<float> noise_images(const ImageShape& image, int64_t count, uint64_t seed,
                                int64_t first);

}  // namespace convscope

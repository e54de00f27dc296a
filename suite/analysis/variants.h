// The textbook's comparison: one layer's worth of work, done in different ways.
#pragma once

#include <string>
#include <vector>

#include "architectures/architecture.h"
#include "suite/analysis/cost.h"

namespace convscope {

/// Ways to turn `channels` maps of size x size into as many, without biases: standard (first),
/// grouped, depthwise separable, 1x1, bottleneck, dilated, two stacked against one larger, and
/// fully connected. Each is built and run like a network of that name; of the settings, none
/// matters. `kernel` must be odd. Throws std::invalid_argument for what cannot be built.
std::vector<Architecture> layer_variants(int64_t channels, int64_t kernel, int64_t size);

/// What a variant costs; a fully connected layer's field is the whole map.
Cost variant_cost(const Architecture& variant);

}  // namespace convscope

// The textbook's comparison: one layer's worth of work, done in different ways.
#pragma once

#include <string>
#include <vector>

#include "suite/analysis/cost.h"

namespace convscope {

struct Variant {
  std::string name;  ///< "depthwise separable"
  Cost cost;
};

/// Ways to turn `channels` maps of size x size into as many, without biases: standard (first),
/// grouped, depthwise separable, 1x1, bottleneck, dilated, two stacked against one larger, and
/// fully connected. `kernel` must be odd. Throws std::invalid_argument for what cannot be built.
std::vector<Variant> layer_variants(int64_t channels, int64_t kernel, int64_t size);

}  // namespace convscope

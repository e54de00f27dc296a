// Where a network can be cut into what is kept and what is trained, and what belongs to each part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "architectures/architecture.h"
#include "suite/analysis/graph.h"

namespace convscope {

struct NetworkStage {
  std::string name;                  ///< "stem", "layer1", ..., "head"
  std::vector<std::string> tensors;  ///< names of its parameters and buffers, in their order
  Shape output;                      ///< of one image: {512, 7, 7}
  int64_t params = 0, macs = 0;
};

/// From the images to the logits. What only training uses (auxiliary heads) is in none of them.
/// Throws what trace_network() does, and std::invalid_argument for a network that is not divided.
std::vector<NetworkStage> stages_of(const Architecture& architecture, const Settings& settings);

}  // namespace convscope

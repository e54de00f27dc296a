// A network that is ready to be looked into: in evaluation mode, with weights, and with the graph
// that names its layers. Plain data but for the module, which only folders of tensors open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "suite/analysis/graph.h"
#include "suite/inference/network_tensors.h"

namespace convscope {

struct LoadedNetwork {
  Architecture architecture;
  Settings settings;
  std::shared_ptr<Network> network;  ///< in evaluation mode; its parameters ask for no gradients
  Graph graph;                       ///< of one image of `settings`
};

/// With the weights of a file; what it lacks is as the paper initialises it.
LoadedNetwork loaded_network(const Architecture& architecture, const Fit& fit,
                             const WeightsFile& file);

/// As the paper initialises it, from LibTorch's generator with this seed.
LoadedNetwork initial_network(const Architecture& architecture, const Settings& settings,
                              uint64_t seed);

/// One of its parameters or buffers, whatever type it is stored in. Throws std::invalid_argument if
/// it has none of that name.
std::vector<float> tensor_values(const LoadedNetwork& network, const std::string& tensor);

/// How many images of this size go through a network together, so that what their gradients need
/// stays small.
int64_t images_together(const ImageShape& image);

}  // namespace convscope

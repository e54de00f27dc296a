// What a network of the catalogue wants from a file of weights, without building it in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "architectures/architecture.h"
#include "suite/weights/matching.h"

namespace convscope {

/// The tensors of its state dict, in that order: each module's parameters and then its buffers.
/// Throws std::invalid_argument for settings that the family does not allow.
std::vector<NetworkTensor> network_tensors(const Architecture& architecture,
                                           const Settings& settings);

/// A file's weights and the network they are for.
struct Fit {
  Settings settings;  ///< as given, but with as many classes as the file's head has
  std::vector<NetworkTensor> tensors;
  Match match;
};

/// Matches a file with a network. If the file's head is for another number of classes, and nothing
/// else differs, the settings are changed to that number unless `keep_classes`.
Fit fit(const Architecture& architecture, Settings settings, const WeightsFile& file,
        bool keep_classes);

/// Throws std::invalid_argument that names what the file lacks or has in another shape; the head
/// may be among these if it is not needed.
void require_fit(const Architecture& architecture, const Fit& fit, const WeightsFile& file,
                 bool head_needed);

}  // namespace convscope

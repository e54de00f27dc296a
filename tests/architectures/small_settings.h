// Settings at which a test of every network stays short.
#pragma once

#include <algorithm>
#include <stdexcept>

#include "suite/analysis/network_trace.h"

namespace convscope {

/// The paper's but for the image: of the sides 32, 64, 96, 128, the first that the network takes,
/// else its own.
inline Settings small_settings(const Architecture& architecture) {
  for (const int64_t side : {32, 64, 96, 128}) {
    Settings settings = architecture.settings;
    settings.image.height = std::min(settings.image.height, side);
    settings.image.width = std::min(settings.image.width, side);
    try {
      trace_network(architecture, settings);
      return settings;
    } catch (const std::invalid_argument&) {
    }
  }
  return architecture.settings;
}

}  // namespace convscope

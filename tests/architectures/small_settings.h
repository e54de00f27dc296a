// Settings at which a test of every network stays short.
#pragma once

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "suite/analysis/network_trace.h"

namespace convscope {

/// The paper's but for the image: of the sides 32, 64, 96 and 128, from `least` on, the first that
/// the network takes, else its own.
inline Settings small_settings(const Architecture& architecture, int64_t least = 32,
                               bool auxiliary = false) {
  Settings paper = architecture.settings;
  paper.auxiliary = auxiliary;
  for (const int64_t side : {32, 64, 96, 128}) {
    if (side < least) continue;
    Settings settings = paper;
    settings.image.height = std::min(settings.image.height, side);
    settings.image.width = std::min(settings.image.width, side);
    try {
      trace_network(architecture, settings);
      return settings;
    } catch (const std::invalid_argument&) {
    }
  }
  return paper;
}

/// For the messages of tests.
inline void PrintTo(const Architecture& architecture, std::ostream* out) {
  *out << architecture.name;
}

}  // namespace convscope

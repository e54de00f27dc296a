#include <stdexcept>

#include "suite/report/chart.h"

namespace convscope::canvas {

Drawing draw_distributions(const std::string&, const Distributions&) {
  throw std::logic_error("not yet");
}

}  // namespace convscope::canvas

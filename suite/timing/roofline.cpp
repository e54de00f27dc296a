#include "suite/timing/roofline.h"

#include <limits>

namespace convscope {

std::string to_string(Bound bound) {
  switch (bound) {
    case Bound::compute:
      return "compute";
    case Bound::memory:
      return "memory";
    case Bound::overhead:
      return "overhead";
  }
  return "";
}

Attainable attainable(const Work& work, const Roofline& roofline) {
  Attainable result{static_cast<double>(work.flops) / roofline.gflop_per_s, Bound::compute};
  const double memory = static_cast<double>(work.bytes) / roofline.gb_per_s;
  if (memory > result.ns) result = {memory, Bound::memory};
  if (roofline.launch_ns > result.ns) result = {roofline.launch_ns, Bound::overhead};
  return result;
}

double intensity(const Work& work) {
  if (work.bytes == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(work.flops) / static_cast<double>(work.bytes);
}

}  // namespace convscope

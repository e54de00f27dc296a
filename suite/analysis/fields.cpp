#include "suite/analysis/fields.h"

#include <algorithm>

namespace convscope {

Field look_through(const SlidingWindow& window, const Field& below) {
  return {below.size + (window.extent() - 1) * below.stride, below.stride * window.stride,
          below.padding + window.padding * below.stride};
}

Field join(const Field& a, const Field& b) {
  const int64_t padding = std::max(a.padding, b.padding);
  const int64_t end = std::max(a.size - a.padding, b.size - b.padding);
  return {padding + end, std::max(a.stride, b.stride), padding};
}

bool Fields::spatial() const {
  return std::any_of(side_of.begin(), side_of.end(), [](int side) { return side >= 0; });
}

}  // namespace convscope

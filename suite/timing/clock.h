// The clock of everything that is timed here.
#pragma once

#include <chrono>
#include <cstdint>

namespace convscope {

using Clock = std::chrono::steady_clock;

inline int64_t nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

}  // namespace convscope

// The roofline model: the least time that an amount of work takes on a machine, and what sets it.
// Williams, Waterman, Patterson, "Roofline: an insightful visual performance model for multicore
// architectures", CACM 52(4), 2009; with the cost of starting an operator as a third roof.
#pragma once

#include <cstdint>
#include <string>

namespace convscope {

/// What a machine reaches at best with the threads in use.
struct Roofline {
  double gflop_per_s;  ///< float32 arithmetic; 1 GFLOP/s is 1 operation per ns
  double gb_per_s;     ///< stream bandwidth of the memory; 1 GB/s is 1 byte per ns
  double launch_ns;    ///< of an operator that has nothing to do
};

struct Work {
  int64_t flops;  ///< all floating-point operations
  int64_t bytes;  ///< read and written at least
};

enum class Bound { compute, memory, overhead };
std::string to_string(Bound bound);

/// max(flops / peak rate, bytes / bandwidth, launch): no operator can take less, unless what it
/// reads lies in a cache. `bound` is the largest of the three, the earlier one where two are equal.
struct Attainable {
  double ns;
  Bound bound;
};
Attainable attainable(const Work& work, const Roofline& roofline);

/// Operations per byte. Above the machine's balance, peak rate / bandwidth, arithmetic takes
/// longer than memory does. NaN where no byte is moved.
double intensity(const Work& work);

}  // namespace convscope

// What the machine can do at most: the ceilings that measured times are compared with. A peak is a
// property of the machine and every disturbance makes it look lower, so it is the best of several
// short tries; how far their median stays below says how quiet the machine was.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace convscope {

struct Peak {
  double best = 0;
  double spread = 0;  ///< how far the tries' median is from the best, in percent of the best
};
Peak highest(const std::vector<double>& tries);  ///< of rates
Peak lowest(const std::vector<double>& tries);   ///< of times

/// GFLOP/s in float32, 2 for each fused multiply-add: a loop of nothing else on registers, on
/// `threads` threads at once, with the widest instructions that this processor has.
Peak fma_peak(int threads);

/// Which those are: "AVX-512", "AVX2", "NEON", or "generic": what the compiler makes of plain code.
std::string fma_instructions();

/// GB/s (10^9 bytes) of a[i] = b[i] + s * c[i] on arrays of `triad_bytes()` each, well beyond the
/// last cache. Counts 12 bytes for each element of float32, as STREAM does. On x86 the results
/// bypass the caches, so that is what the memory moves; elsewhere a cache may read a line before it
/// is written, and the memory moves a third more.
Peak triad_bandwidth(int threads);

/// Four times the last cache, at least 64 MiB, at most 1/16 of the memory that is available.
size_t triad_bytes();

}  // namespace convscope

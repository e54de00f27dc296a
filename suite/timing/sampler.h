// How one case is sampled: the cold runs, a warm-up that ends when times no longer drift, and
// blocks of iterations, each with what disturbed it. Without torch and without a clock of its own:
// time is what the workload says it took, so that tests can make it up.
#pragma once

#include <cstdint>
#include <vector>

#include "suite/timing/machine_watch.h"
#include "suite/timing/workload.h"

namespace convscope {

struct WarmUpRule {
  double seconds = 0.5;     ///< at least
  int64_t iterations = 10;  ///< at least
  double limit_s = 10;      ///< at most, where times go on drifting
};

struct WarmUp {
  double first_ns = 0, second_ns = 0;  ///< one iteration each, from cold
  std::vector<double> ns;              ///< the iterations after these
  bool drifting = false;               ///< the limit came first
};

/// The first runs of a workload. The warm-up ends when the medians of its last five stretches of
/// 50 ms show no trend.
WarmUp warm_up(Workload& workload, const WarmUpRule& rule);

/// Iterations without a pause between them.
struct Block {
  double seconds = 0;                   ///< that the iterations took
  int64_t iterations = 1;               ///< in each sample
  std::vector<std::vector<double>> ns;  ///< of each part, of each sample: time of one iteration
  double device_ns = -1;                ///< median of an iteration by the device's events
  double enqueue_share = -1;            ///< of the time in which work was handed to the device
  Disturbance disturbance;
};

/// Samples for `seconds`, and at least `least` of them. Another case may have run before, so the
/// caches are filled again first: 20 ms or one iteration that nobody counts. A sample is one
/// iteration, or the mean of as many as take the workload's sample_ns().
Block sample_block(Workload& workload, MachineWatch& watch, double seconds, int64_t least);

}  // namespace convscope

// One layer's worth of work done in different ways, timed against each other: does what is counted
// as less also take less?
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "suite/analysis/cost.h"
#include "suite/timing/bench_case.h"
#include "suite/timing/statistics.h"

namespace convscope {

struct OperatorTime {
  BenchCase bench_case;
  Cost cost;           ///< of one image
  std::string reason;  ///< why it was not measured; "" if it was
  bool fits = true;    ///< in memory, with the cases before it
  Summary ns;          ///< a repetition for each round
  /// The median over the rounds of this time over that of the first case with the same device,
  /// engine, layout, batch and precision, each the round's median; what slows the machine for a
  /// while slows both. 0 where one was not measured.
  double ratio = 0;
  std::optional<Interval> ratio_interval;
};

/// Each round runs every case, in an order drawn anew, for `seconds` but at least `passes` times,
/// after one pass that is not timed and brings its data into the caches.
struct RoundPlan {
  size_t rounds = 10;
  double seconds = 0.05;
  size_t passes = 5;
  unsigned seed = 0;  ///< of the orders
};

/// Times the cases in turns, in this process. One that cannot be built, whose weights would take
/// more than half of the free memory or that its engine cannot take is given its reason. Throws
/// Interrupted.
std::vector<OperatorTime> time_operators(const std::vector<BenchCase>& cases,
                                         const RoundPlan& plan = {});

}  // namespace convscope

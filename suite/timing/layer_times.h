// Where a network's time goes: the measured time of each operator call beside what it has to
// compute and to move.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/timing/bench_case.h"
#include "suite/timing/roofline.h"
#include "suite/timing/statistics.h"

namespace convscope {

/// One operator call of the eager engine, or one step of the frozen one, which does several.
struct LayerTime {
  int64_t index;               ///< from 0; of an operator call, the row of `cost --layers`
  std::string layer, op;       ///< "layer1.0.conv1", "conv2d"
  size_t calls;                ///< of the trace; none of a step that only changes a layout
  int64_t macs, flops;         ///< of one image
  Work work;                   ///< of the batch; traffic.h says which bytes
  Summary ns;                  ///< over the watched passes
  std::string implementation;  ///< of a frozen step: "jit:avx512_core"; else ""
};

/// How the time of a pass divides. Watched passes and plain ones take turns.
struct LayerTimes {
  std::vector<LayerTime> layers;  ///< in execution order
  Summary plain_ns;               ///< a whole pass as it is
  Summary watched_ns;             ///< a whole pass with a clock at each call
  /// The median over the watched passes of how much of a pass is inside its calls. Where coverage()
  /// is far from it, passes differ so much that medians do not add up.
  double inside_calls = 0;

  /// The sum of the layers' medians as a share of a plain pass's median. It lacks what happens
  /// between operators and those that only rearrange weights; nothing is scaled to make it 1.
  double coverage() const;
  /// What watching adds to a pass, as a share of a plain one.
  double watching() const;
};

/// How many passes of each sort: at least `passes` in each of `repetitions`, and more until the
/// passes have taken `seconds` in all.
struct PassPlan {
  size_t repetitions = 10;
  size_t passes = 3;
  double seconds = 3;
  double warm_up_seconds = 0.5;
};

/// Why the layers of a case are not timed; "" if they are.
std::string layers_refusal_of(const BenchCase& bench_case);

/// Of inference in float32 on a CPU. Throws std::invalid_argument for anything else, what
/// make_workload() and require_same_logits() throw, std::runtime_error if the pass calls other
/// operators than its trace, and Interrupted.
LayerTimes time_layers(const BenchCase& bench_case, const PassPlan& plan = {});

}  // namespace convscope

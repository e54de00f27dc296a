// convscope bench --operators: the textbook's ways to do one layer's work, timed.
#pragma once

#include <vector>

#include "suite/commands/bench_options.h"
#include "suite/commands/command.h"
#include "suite/timing/operator_times.h"

namespace convscope {

/// Times these variants of a layer in turns and prints predicted and measured ratios side by side.
/// A variant that does not fit is skipped and named. Returns the exit code.
int print_operator_times(const Invocation& invocation, const std::vector<PlannedCase>& variants,
                         const RoundPlan& plan = {});

}  // namespace convscope

// convscope bench --operators: the textbook's ways to do one layer's work, timed.
#pragma once

#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/timing/operator_times.h"

namespace convscope {

/// Times the variants that --channels, --kernel and --size describe, each with each engine, and
/// prints predicted and measured ratios side by side. Returns the exit code.
int print_operator_times(const Invocation& invocation, const std::vector<std::string>& engines,
                         int threads, int64_t batch, const std::string& layout,
                         const RoundPlan& plan = {});

}  // namespace convscope

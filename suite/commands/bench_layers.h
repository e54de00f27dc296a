// convscope bench --layers: where the time of a forward pass goes.
#pragma once

#include <map>
#include <vector>

#include "suite/commands/bench_options.h"
#include "suite/commands/command.h"
#include "suite/timing/layer_times.h"
#include "suite/timing/roofline.h"

namespace convscope {

/// What the machine reaches with so many threads, as far as it is calibrated.
using Rooflines = std::map<int, Roofline>;

/// Times each layer of each case, prints a row for each and how much of the pass they explain.
/// With --results, writes bench_layers.csv there too. What the machine's peaks are needed for is
/// empty where it is not calibrated for the case's threads. Returns the exit code.
int print_layer_times(const Invocation& invocation, std::vector<PlannedCase> cases,
                      const Rooflines& rooflines, const PassPlan& plan = {});

}  // namespace convscope

// convscope bench --largest-batch: the largest batch that fits into memory, by prediction and then
// by trial.
#pragma once

#include <cstdint>
#include <string>

#include "suite/commands/command.h"

namespace convscope {

/// Finds the largest batch of each case that was asked for and prints a row for each. With
/// --results, writes largest_batch.csv there too. Each trial has its own process, which gets no
/// more memory than is available. Returns the exit code. Throws UsageError.
int print_largest_batches(const Invocation& invocation);

}  // namespace convscope

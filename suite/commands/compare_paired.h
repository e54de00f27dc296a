// convscope compare --paired: measures the two sides in turns, then judges them.
#pragma once

#include <string>
#include <vector>

#include "suite/commands/command.h"

namespace convscope {

/// A and B are the words of two bench command lines. Returns the exit code; throws UsageError and
/// Interrupted.
int compare_paired(const Invocation& invocation, const std::vector<std::string>& lines);

}  // namespace convscope

// convscope bench --ranking: does counting predict the time that was measured?
#pragma once

#include <filesystem>

#include "suite/commands/command.h"

namespace convscope {

/// Reads the bench.csv at `path` (or in that folder), counts its networks again, and prints how
/// latency ranks with MACs, parameters and activations, and the pairs that MACs order wrongly. Only
/// rows that were measured in the same way are ranked with each other. Returns the exit code.
int print_ranking(const Invocation& invocation, const std::filesystem::path& path);

}  // namespace convscope

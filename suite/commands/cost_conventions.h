// convscope cost --convention: what other tools count of a network, and why two of them disagree.
#pragma once

#include "suite/commands/command.h"

namespace convscope {

/// Adds --convention.
void add_convention_option(po::options_description& options);

/// One row for each network and each convention; with --explain NETWORK, the causes of the
/// difference between two. Returns the exit code. Throws UsageError.
int print_conventions(const Invocation& invocation);

}  // namespace convscope

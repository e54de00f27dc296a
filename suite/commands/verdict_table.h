// Pairs of cases judged, printed, and turned into an exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/commands/output.h"
#include "suite/records/verdicts.h"

namespace convscope {

/// What judging takes beside the pairs, from --fail-on and --floor: known before the work.
struct VerdictOptions {
  bool fail_on_regression = false, fail_on_undecided = false;
  std::optional<Floor> floor;
};

/// Adds --floor, --fail-on, --format and --out.
void add_verdict_options(po::options_description& options);

/// Throws UsageError.
VerdictOptions verdict_options(const Invocation& invocation);

/// This machine's own floor, if the samples were taken on it.
Floor calibrated_floor(const Environments& measured_in, Sides sides);

/// Judges the pairs, prints them, and returns the exit code. Where no floor was asked for it is
/// this machine's own, if `measured_in` says that the samples were taken on it.
int print_verdicts(const Invocation& invocation, Output& output, const std::vector<CasePair>& pairs,
                   const VerdictOptions& options, const Environments& measured_in, Sides sides);

}  // namespace convscope

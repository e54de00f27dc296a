// Pairs of cases judged, printed, and turned into an exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/commands/output.h"
#include "suite/commands/sample_file.h"

namespace convscope {

/// A case of both sides.
struct CasePair {
  std::string name;
  const MeasuredCase* a;
  const MeasuredCase* b;
};

/// The A/A floor, in percent, and where it is from.
struct Floor {
  double percent = 0;
  std::string source = "none is known; 'convscope calibrate' measures it, or --floor says one";
};

/// This machine's own floor, if the samples were taken on it.
Floor calibrated_floor(const Environments& measured_in);

/// What judging takes beside the pairs, from --fail-on and --floor: known before the work.
struct VerdictOptions {
  bool fail_on_regression = false, fail_on_undecided = false;
  std::optional<Floor> floor;
};

/// Adds --floor, --fail-on, --format and --out.
void add_verdict_options(po::options_description& options);

/// Throws UsageError.
VerdictOptions verdict_options(const Invocation& invocation);

/// Judges the pairs, prints them, and returns the exit code. `measured_in` tells whether this
/// machine's own floor holds, where none was asked for.
int print_verdicts(const Invocation& invocation, Output& output, const std::vector<CasePair>& pairs,
                   const VerdictOptions& options, const Environments& measured_in);

}  // namespace convscope

// The options that say what is timed and for how long: one vocabulary for bench and for what else
// measures.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/progress.h"
#include "suite/timing/harness.h"
#include "suite/timing/largest_batch.h"

namespace convscope {

/// Adds the network options and --batch, --threads, --device, --precision, --layout, --engine,
/// --mode, --scenario and --data.
void add_bench_case_options(po::options_description& options);

/// Adds --quick, --min-time, --max-noise, --timeout, --warmup, --in-process, --interleave,
/// --program and what follows "--".
void add_bench_rule_options(po::options_description& options);

/// Whether the option is a word of the command line: "--quick", "--min-time=3".
bool typed(const Invocation& invocation, const std::string& option);

/// Whether somebody set the option; --dump-config writes what nobody set, too, so a default that
/// is not typed does not count.
bool given(const Invocation& invocation, const std::string& option);

/// A case, what it costs, and why it cannot be measured here.
struct PlannedCase {
  BenchCase bench_case;
  int64_t macs = 0;              ///< of one image
  PredictedPeak predicted_peak;  ///< -1 of what is not predicted
  std::string refusal;           ///< "" if it can be measured
};

/// Every combination of these networks and what else was asked for, a network's together. Throws
/// UsageError for values that do not exist.
std::vector<PlannedCase> planned_cases(const Invocation& invocation,
                                       const std::vector<NetworkCase>& networks);

/// Throws UsageError with the first refusal if no case can be measured here.
void require_some_case(const std::vector<PlannedCase>& cases);

/// Shows how far measure() is: a step is a warm-up or a repetition. Noisy cases take more of them
/// than were planned, which is then expected of the others, too.
class BenchProgress {
 public:
  BenchProgress(std::ostream& err, const std::string& label, size_t cases, const BenchRule& rule)
      : cases_(static_cast<int64_t>(cases)),
        planned_(cases_ * (1 + rule.repetitions)),
        progress_(err, label, planned_, "steps") {}
  void step() {
    const int64_t expected = finished_ > 0 ? steps_ * cases_ / finished_ : planned_;
    progress_.update(steps_++, std::max(planned_, expected));
  }
  void case_finished() { ++finished_; }

 private:
  int64_t cases_, planned_, steps_ = 0, finished_ = 0;
  Progress progress_;
};

/// A number above 0. Throws UsageError.
double positive_number(const Invocation& invocation, const std::string& option, double largest);

/// Throws UsageError.
BenchRule bench_rule(const Invocation& invocation);

}  // namespace convscope

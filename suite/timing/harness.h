// Measures cases against each other with Google Benchmark: each case is a benchmark, each block of
// its samples a repetition, and the repetitions of all cases are shuffled, so that what the machine
// does over a minute falls on all of them alike.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "suite/timing/bench_process.h"
#include "suite/timing/verdict.h"

namespace convscope {

/// When a case has been measured enough, and how.
struct BenchRule {
  WarmUpRule warm_up;
  double seconds = 3;       ///< of samples, at least
  int64_t samples = 10;     ///< at least
  double precision = 0.01;  ///< wanted half width of the median's interval, as a share of it
  double timeout = 30;      ///< seconds of samples after which a case is given up as noisy
  int64_t repetitions = 10;
  bool quick = false;       ///< only marks the rows
  bool in_process = false;  ///< all cases in this process, one after another
  int64_t interleave = 8;   ///< cases at a time
  /// Google Benchmark's own flags: "--benchmark_out=FILE".
  std::vector<std::string> benchmark_flags;
};

/// `rule` for a first look: a tenth of a second of warm-up, 3 blocks, 0.3 seconds.
BenchRule quick(BenchRule rule);

/// Samples without a pause between them.
struct BenchBlock {
  int64_t repetition;  ///< from 1; a disturbed block and what was measured again share a number
  double seconds;      ///< that its iterations took
  int64_t iterations;  ///< in each sample
  std::vector<double> ns;
  Disturbance disturbance;
};

/// One part of a case (see Workload), measured.
struct BenchResult {
  BenchCase bench_case;  ///< its mode is the part's
  std::string status;    ///< ok, quick, noisy, disturbed, failed
  std::string reason;
  std::vector<double> warm_up_ns;  ///< the cold runs first; empty for the parts of a whole
  std::vector<BenchBlock> blocks;
  Summary summary;  ///< in nanoseconds, of what counts
  double first_ns = -1, second_ns = -1;
  double difference = -1;     ///< see Workload
  double device_ns = -1;      ///< by the device's own clock, median of the blocks' medians
  double enqueue_share = -1;  ///< see Block
  int64_t peak_bytes = -1;

  bool failed() const { return status == "failed"; }
  /// What the summary is of: of each repetition its undisturbed blocks. Repetitions that have none
  /// count only, and as disturbed, where too few others are there.
  Measurement counted() const;
};

/// What a harness tells while it works.
struct BenchEvents {
  std::function<void(const BenchCase&, const std::string& what)> doing = [](auto&...) {};
  /// A case is finished: its place among the cases, and all its parts in the order of
  /// Workload::parts(). Told as soon as it is so, which is not the order of the cases.
  std::function<void(size_t, const std::vector<BenchResult>&)> finished = [](auto&&...) {};
};

/// Throws std::invalid_argument for a flag that Google Benchmark does not have or that would do
/// nothing here.
void check_benchmark_flags(const std::vector<std::string>& flags);

/// Measures every case; a case that fails is a result with that status. Throws Interrupted, and
/// what check_benchmark_flags() throws; what was finished before has been told.
void measure(const std::vector<BenchCase>& cases, const BenchRule& rule, const BenchEvents& events);

/// How many cases from place `begin` on are measured in turns: as many as `rule` says, but only as
/// many as are predicted to take half of `available_bytes` together, and at least one. -1: unknown.
size_t in_turns(const std::vector<BenchCase>& cases, size_t begin, const BenchRule& rule,
                int64_t available_bytes);

/// Those of `cases` that --benchmark_filter among the flags lets through.
std::vector<BenchCase> filtered(std::vector<BenchCase> cases,
                                const std::vector<std::string>& flags);

/// Status, reason and summary from the blocks: the judgement, apart so that it can be tested.
void judge(BenchResult& result, const BenchRule& rule);

}  // namespace convscope

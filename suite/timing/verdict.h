// Whether two measurements of one case differ by as much as counts, or are the same, or whether
// nobody can say yet.
//
// A verdict is a claim, so it is made with care: what is tested are the medians of repetitions,
// since samples of one repetition are not independent, by ranks, since times have no distribution
// to rely on, and with Holm's correction over the whole table. The fewest repetitions that can
// decide one case are 4 against 4 (the smallest possible p of 3 against 3 is 0.1); of a table, see
// repetitions_needed(). What the test cannot know is a change of the whole machine between two
// runs: for that there is the threshold, and measuring both in one interleaved run.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "suite/timing/statistics.h"

namespace convscope {

enum class Verdict {
  faster,     ///< adjusted p < 0.05, and the shift is beyond the threshold
  slower,     ///< the same, the other way
  same,       ///< the 95 % interval of the shift lies within the threshold on both sides
  undecided,  ///< neither
};

/// "FASTER", "SLOWER", "SAME", "UNDECIDED".
std::string to_string(Verdict verdict);

/// The smallest change that counts, in percent: 2, or twice the A/A floor (how far apart this
/// machine measures the same case) if that is more.
double practical_threshold(double floor_percent);

/// The fewest repetitions on each side with which a difference in one of `cases` can be seen.
size_t repetitions_needed(size_t cases);

/// Below this many repetitions small changes often stay undecided.
constexpr size_t advised_repetitions = 9;

/// With this many undisturbed repetitions on a side the disturbed ones are left out.
constexpr size_t enough_undisturbed = 6;

/// One side of a comparison: times in any unit, in the order they were taken.
struct Measurement {
  Repetitions repetitions;
  std::vector<bool> disturbed;  ///< for each repetition; empty: none was
};

struct Comparison {
  size_t repetitions_a = 0, repetitions_b = 0;  ///< that were compared
  std::optional<double> median_a, median_b;     ///< of all their samples; none without samples
  std::optional<Shift> shift;                   ///< of the times from a to b
  std::optional<double> p;                      ///< adjusted
  Verdict verdict = Verdict::undecided;
  std::string reason;  ///< why it is undecided; else ""
};

/// Compares a table of cases, each b against a, in their order. A change of `threshold_percent` up
/// is as far from none as its inverse down, so that changing sides turns FASTER into SLOWER. Where
/// too many repetitions were disturbed, all are compared and the verdict is UNDECIDED.
std::vector<Comparison> judge(const std::vector<std::pair<Measurement, Measurement>>& table,
                              double threshold_percent);

}  // namespace convscope

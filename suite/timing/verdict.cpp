#include "suite/timing/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace convscope {
namespace {

constexpr double significance = 0.05;

/// The smallest p that the ranks of m and n values can have.
double smallest_p(size_t m, size_t n) {
  const auto a = static_cast<double>(m), b = static_cast<double>(n);
  return 2 * std::exp(std::lgamma(a + 1) + std::lgamma(b + 1) - std::lgamma(a + b + 1));
}

struct Kept {
  Repetitions repetitions;
  size_t disturbed = 0;  ///< that are among them
};

/// Without the disturbed repetitions where enough others are there, and without empty ones.
Kept kept(const Measurement& side) {
  Kept all;
  Repetitions quiet;
  for (size_t i = 0; i < side.repetitions.size(); ++i) {
    if (side.repetitions[i].empty()) continue;
    all.repetitions.push_back(side.repetitions[i]);
    if (!side.disturbed.empty() && side.disturbed.at(i)) {
      ++all.disturbed;
    } else {
      quiet.push_back(side.repetitions[i]);
    }
  }
  return quiet.size() >= enough_undisturbed ? Kept{quiet, 0} : all;
}

std::string percent(double ratio) { return fmt::format("{:+.1f} %", 100 * (ratio - 1)); }

/// Fills in the verdict from the rest.
void decide(Comparison& comparison, const Kept& a, const Kept& b, double threshold, size_t cases) {
  const auto undecided = [&](const std::string& reason) {
    comparison.verdict = Verdict::undecided;
    comparison.reason = reason;
  };
  if (!comparison.shift) return undecided("no measured repetition");
  const auto disturbed = [](const char* side, const Kept& of) {
    return fmt::format("{} of {} repetitions of {}", of.disturbed, of.repetitions.size(), side);
  };
  if (a.disturbed + b.disturbed > 0) {
    return undecided("disturbed: " + (a.disturbed == 0 ? disturbed("B", b)
                                      : b.disturbed == 0
                                          ? disturbed("A", a)
                                          : disturbed("A", a) + ", " + disturbed("B", b)));
  }
  const double up = 1 + threshold / 100;
  const Shift& shift = *comparison.shift;
  const bool significant = shift.interval && *comparison.p < significance;
  if (shift.interval && shift.interval->low >= 1 / up && shift.interval->high <= up) {
    comparison.verdict = Verdict::same;
  } else if (significant && shift.ratio < 1 / up) {
    comparison.verdict = Verdict::faster;
  } else if (significant && shift.ratio > up) {
    comparison.verdict = Verdict::slower;
  } else if (const size_t m = a.repetitions.size(), n = b.repetitions.size();
             !significant &&
             (!shift.interval || smallest_p(m, n) * static_cast<double>(cases) >= significance)) {
    undecided(fmt::format("{} against {} repetitions are too few: {} needs {}", m, n,
                          cases == 1 ? "a case" : fmt::format("a table of {} cases", cases),
                          repetitions_needed(cases)));
  } else {
    undecided(fmt::format("{} to {}, where {:.3g} % counts", percent(shift.interval->low),
                          percent(shift.interval->high), threshold));
  }
}

}  // namespace

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::faster:
      return "FASTER";
    case Verdict::slower:
      return "SLOWER";
    case Verdict::same:
      return "SAME";
    case Verdict::undecided:
      return "UNDECIDED";
  }
  throw std::logic_error("no such verdict");
}

double practical_threshold(double floor_percent) { return std::max(2.0, 2 * floor_percent); }

size_t repetitions_needed(size_t cases) {
  size_t n = 1;
  while (smallest_p(n, n) * static_cast<double>(cases) >= significance) ++n;
  return n;
}

std::vector<Comparison> judge(const std::vector<std::pair<Measurement, Measurement>>& table,
                              double threshold_percent) {
  std::vector<Comparison> comparisons(table.size());
  std::vector<std::pair<Kept, Kept>> sides;
  std::vector<double> p;
  for (size_t i = 0; i < table.size(); ++i) {
    const auto& [a, b] = sides.emplace_back(kept(table[i].first), kept(table[i].second));
    Comparison& comparison = comparisons[i];
    comparison.repetitions_a = a.repetitions.size();
    comparison.repetitions_b = b.repetitions.size();
    if (!a.repetitions.empty()) comparison.median_a = summarize(a.repetitions).median;
    if (!b.repetitions.empty()) comparison.median_b = summarize(b.repetitions).median;
    if (a.repetitions.empty() || b.repetitions.empty()) continue;
    const auto medians_a = repetition_medians(a.repetitions);
    const auto medians_b = repetition_medians(b.repetitions);
    comparison.shift = hodges_lehmann(medians_a, medians_b);
    p.push_back(mann_whitney_p(medians_a, medians_b));
  }
  const std::vector<double> adjusted = holm(p);
  auto next = adjusted.begin();
  for (Comparison& comparison : comparisons) {
    if (comparison.shift) comparison.p = *next++;
  }
  for (size_t i = 0; i < table.size(); ++i) {
    decide(comparisons[i], sides[i].first, sides[i].second, threshold_percent, adjusted.size());
  }
  return comparisons;
}

}  // namespace convscope

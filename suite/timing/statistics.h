// What samples of time say: medians with intervals that hold without a distribution, and rank
// tests. Every function is exact where that is affordable and says where it is not. None takes NaN:
// they throw std::invalid_argument.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace convscope {

struct Interval {
  double low, high;
};

/// The middle value, the mean of the two middle ones of an even count. Throws
/// std::invalid_argument for no values.
double median(std::vector<double> values);

/// The value below which a share `q` (0 to 1) lies, interpolated between neighbours (Hyndman and
/// Fan's type 7, as numpy and R by default).
double quantile(std::vector<double> values, double q);

/// The interval between two order statistics that holds the median of what independent `values` are
/// drawn from with at least `confidence`, whatever the distribution; nothing where no such pair
/// exists: below 6 values for 95 %.
std::optional<Interval> median_interval(std::vector<double> values, double confidence = 0.95);

/// Samples in the order they were taken, a vector for each repetition.
using Repetitions = std::vector<std::vector<double>>;

/// The median of each repetition that has samples: what intervals and rank tests are of, since
/// samples of one repetition are not independent.
std::vector<double> repetition_medians(const Repetitions& repetitions);

struct Summary {
  size_t samples = 0;
  double median = 0;  ///< of all samples
  /// Of the median: from the repetitions' medians; none where there are too few, for samples of one
  /// repetition are not independent. Widened to hold `median` where repetitions of unlike length
  /// put that outside.
  std::optional<Interval> interval;
  double min = 0, iqr = 0;
  /// Where the count allows them: of 64, 130 and 662 samples.
  std::optional<double> p90, p95, p99;
};
/// Throws std::invalid_argument for no samples.
Summary summarize(const Repetitions& repetitions);

/// Half the interval's width as a share of the median; infinite where there is no interval.
double relative_half_width(const Summary& summary);

/// Kendall's rank correlation with time is as strong as chance gives in less than 1 of 10 cases:
/// the values still rise or fall. Exact without ties up to 50 values, else normal. Never true of
/// fewer than 5.
bool has_trend(const std::vector<double>& in_time_order);

/// Two-sided Mann-Whitney U test: the probability of ranks as unequal as these if both come from
/// one distribution. Exact up to 50 values in each, with ties too (where the normal approximation
/// would reject 3 against 3); else normal with the tie and continuity corrections. Throws
/// std::invalid_argument if one is empty.
double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b);

/// Holm's step-down correction of a family of p values, in their order.
std::vector<double> holm(const std::vector<double>& p);

/// How many times larger b is than a: Hodges and Lehmann's median of all ratios b_j / a_i (the
/// geometric mean of the two middle ones, so that a against b is the inverse of b against a), and
/// the interval of ratios that the U test does not reject. Exact up to 50 values in each, else with
/// the normal approximation; time grows with the number of values, not of pairs. Throws
/// std::invalid_argument for values that are not positive and finite.
struct Shift {
  double ratio;
  std::optional<Interval> interval;  ///< none where the samples are too few for `confidence`
};
Shift hodges_lehmann(const std::vector<double>& a, const std::vector<double>& b,
                     double confidence = 0.95);

/// Spearman's rank correlation, tied values at their mean rank. NaN where one does not vary.
double spearman(const std::vector<double>& x, const std::vector<double>& y);

}  // namespace convscope

#include "suite/timing/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace convscope {
namespace {

void check(const std::vector<double>& values) {
  if (values.empty()) throw std::invalid_argument("statistics need at least one value");
  if (std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) {
    throw std::invalid_argument("statistics need numbers, found NaN");
  }
}

void check_confidence(double confidence) {
  if (!(confidence > 0 && confidence < 1)) {
    throw std::invalid_argument("a confidence lies between 0 and 1, found " +
                                std::to_string(confidence));
  }
}

std::vector<double> sorted(std::vector<double> values) {
  check(values);
  std::sort(values.begin(), values.end());
  return values;
}

double quantile_of_sorted(const std::vector<double>& values, double q) {
  const double place = static_cast<double>(values.size() - 1) * q;
  const auto below = static_cast<size_t>(place);
  const double part = place - static_cast<double>(below);
  if (part == 0 || values[below] == values[below + 1]) return values[below];
  return values[below] + part * (values[below + 1] - values[below]);
}

/// Sums of probabilities are compared with a tail that may be one of them, rounded.
constexpr double rounding = 1 + 1e-12;

/// The largest rank k, from 1, of which a binomial count of n fair coins is below with probability
/// `tail` at most; 0 where there is none.
size_t rank_below_median(size_t n, double tail) {
  // The terms below 32 deviations from the mean add nothing; of fewer coins all are summed.
  const auto count = static_cast<double>(n);
  size_t heads = n < 1024 ? 0 : static_cast<size_t>(count / 2 - 16 * std::sqrt(count));
  const auto h = static_cast<double>(heads);
  double term = heads == 0 ? std::exp2(-count)
                           : std::exp(std::lgamma(count + 1) - std::lgamma(h + 1) -
                                      std::lgamma(count - h + 1) - count * std::log(2.0));
  double sum = 0;
  for (; heads <= n; ++heads) {
    sum += term;
    if (sum > tail * rounding) return heads;
    term *= static_cast<double>(n - heads) / static_cast<double>(heads + 1);
  }
  return n;
}

std::optional<Interval> median_interval_of_sorted(const std::vector<double>& values,
                                                  double confidence) {
  check_confidence(confidence);
  const size_t rank = rank_below_median(values.size(), (1 - confidence) / 2);
  if (rank == 0) return std::nullopt;
  return Interval{values[rank - 1], values[values.size() - rank]};
}

/// The probability that a standard normal value is `z` or larger in size.
double two_sided(double z) { return std::erfc(std::abs(z) / std::sqrt(2.0)); }

/// The z with two_sided(z) = p.
double normal_deviate(double p) {
  double low = 0, high = 40;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (two_sided(middle) > p ? low : high) = middle;
  }
  return high;
}

/// Twice each value's rank from 1, tied values at their mean: doubled it is an integer.
std::vector<int64_t> doubled_ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t k) { return values[i] < values[k]; });
  std::vector<int64_t> ranks(values.size());
  for (size_t first = 0, end = 0; first < order.size(); first = end) {
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    for (size_t i = first; i < end; ++i) ranks[order[i]] = static_cast<int64_t>(first + 1 + end);
  }
  return ranks;
}

/// Calls `see` with the size of each group of equal values.
template <class See>
void for_each_tie(const std::vector<double>& in_order, See see) {
  for (size_t first = 0, end = 0; first < in_order.size(); first = end) {
    while (end < in_order.size() && in_order[end] == in_order[first]) ++end;
    see(static_cast<double>(end - first));
  }
}

/// How large a sample can be for the rank tests to count every way to deal out the ranks.
constexpr size_t exact_size = 50;

bool exact(size_t m, size_t n) { return m <= exact_size && n <= exact_size; }

/// How often the sum of `chosen` of the ranks is each value, over all ways to choose. Counts of at
/// most 100 ranks are at most 1e29 and are sums of positive terms: doubles hold them to 14 digits.
std::vector<double> rank_sums(const std::vector<int64_t>& ranks, size_t chosen) {
  const auto width =
      static_cast<size_t>(std::accumulate(ranks.begin(), ranks.end(), int64_t{0})) + 1;
  std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(width));
  ways[0][0] = 1;
  size_t reached = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const auto rank = static_cast<size_t>(ranks[i]);
    for (size_t k = std::min(i + 1, chosen); k > 0; --k) {
      const double* from = ways[k - 1].data();
      double* to = ways[k].data() + rank;
      for (size_t sum = 0; sum <= reached; ++sum) to[sum] += from[sum];
    }
    reached += rank;
  }
  return ways[chosen];
}

/// The number of pairs with b / a at most x. Both are sorted; a quotient that is rounded is still
/// monotonic, so this counts rounded quotients exactly.
uint64_t ratios_up_to(const std::vector<double>& a, const std::vector<double>& b, double x) {
  uint64_t pairs = 0;
  size_t k = 0;
  for (const double divisor : a) {
    while (k < b.size() && b[k] / divisor <= x) ++k;
    pairs += k;
  }
  return pairs;
}

/// The rank-th smallest b / a, from 1, without a list of them all: bisection over the doubles,
/// which are in the order of their bits where they are positive.
double ratio_of_rank(const std::vector<double>& a, const std::vector<double>& b, uint64_t rank) {
  const auto bits = [](double x) {
    uint64_t value;
    std::memcpy(&value, &x, sizeof value);
    return value;
  };
  const auto number = [](uint64_t value) {
    double x;
    std::memcpy(&x, &value, sizeof x);
    return x;
  };
  uint64_t low = bits(b.front() / a.back()), high = bits(b.back() / a.front());
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (ratios_up_to(a, b, number(middle)) >= rank) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return number(low);
}

/// The largest rank k of the m * n ratios that lies below the true shift with probability
/// 1 - `tail` at least; 0 where there is none.
uint64_t rank_below_shift(size_t m, size_t n, double tail) {
  if (exact(m, n)) {
    std::vector<int64_t> ranks(m + n);
    std::iota(ranks.begin(), ranks.end(), int64_t{1});
    const std::vector<double> ways = rank_sums(ranks, m);
    const double all = std::accumulate(ways.begin(), ways.end(), 0.0);
    double sum = 0;
    for (size_t u = 0; u <= m * n; ++u) {  // U is the sum of the ranks less its smallest value
      sum += ways[u + m * (m + 1) / 2];
      if (sum > tail * all * rounding) return u;
    }
    return m * n;
  }
  const double pairs = static_cast<double>(m) * static_cast<double>(n);
  const double deviation = std::sqrt(pairs * static_cast<double>(m + n + 1) / 12);
  const double rank = std::floor(pairs / 2 - normal_deviate(2 * tail) * deviation);
  return rank < 1 ? 0 : static_cast<uint64_t>(rank);
}

/// Sorts and returns how many pairs were in falling order.
uint64_t sort_counting_falls(std::vector<double>& values, std::vector<double>& space, size_t first,
                             size_t end) {
  if (end - first < 2) return 0;
  const size_t middle = first + (end - first) / 2;
  uint64_t falls = sort_counting_falls(values, space, first, middle) +
                   sort_counting_falls(values, space, middle, end);
  size_t left = first, right = middle;
  for (size_t i = first; i < end; ++i) {
    const bool take_right = right < end && (left == middle || values[right] < values[left]);
    if (take_right) falls += middle - left;
    space[i] = values[take_right ? right++ : left++];
  }
  std::copy(space.begin() + static_cast<long>(first), space.begin() + static_cast<long>(end),
            values.begin() + static_cast<long>(first));
  return falls;
}

/// The probability of at most `falls` falling pairs in a random order of n different values.
double at_most_falls(size_t n, uint64_t falls) {
  // The i-th value falls below 0 to i - 1 of those before it, each number as probable as another.
  std::vector<double> probability = {1};
  for (size_t i = 2; i <= n; ++i) {
    std::vector<double> next(probability.size() + i - 1);
    for (size_t k = 0; k < probability.size(); ++k) {
      for (size_t more = 0; more < i; ++more) {
        next[k + more] += probability[k] / static_cast<double>(i);
      }
    }
    probability = std::move(next);
  }
  const size_t end = std::min<size_t>(falls + 1, probability.size());
  return std::accumulate(probability.begin(), probability.begin() + static_cast<long>(end), 0.0);
}

}  // namespace

double median(std::vector<double> values) {
  check(values);
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return below == *middle ? below : below + (*middle - below) / 2;
}

double quantile(std::vector<double> values, double q) {
  if (!(q >= 0 && q <= 1)) {
    throw std::invalid_argument("a quantile's share lies from 0 to 1, found " + std::to_string(q));
  }
  return quantile_of_sorted(sorted(std::move(values)), q);
}

std::optional<Interval> median_interval(std::vector<double> values, double confidence) {
  return median_interval_of_sorted(sorted(std::move(values)), confidence);
}

std::vector<double> repetition_medians(const Repetitions& repetitions) {
  std::vector<double> medians;
  for (const std::vector<double>& repetition : repetitions) {
    if (!repetition.empty()) medians.push_back(median(repetition));
  }
  return medians;
}

Summary summarize(const Repetitions& repetitions) {
  std::vector<double> all;
  for (const std::vector<double>& repetition : repetitions) {
    all.insert(all.end(), repetition.begin(), repetition.end());
  }
  all = sorted(std::move(all));
  const auto share = [&](double q) { return quantile_of_sorted(all, q); };
  Summary summary;
  summary.samples = all.size();
  summary.median = share(0.5);
  summary.interval = median_interval(repetition_medians(repetitions));
  if (summary.interval) {
    summary.interval->low = std::min(summary.interval->low, summary.median);
    summary.interval->high = std::max(summary.interval->high, summary.median);
  }
  summary.min = all.front();
  summary.iqr = share(0.75) - share(0.25);
  if (all.size() >= 64) summary.p90 = share(0.90);
  if (all.size() >= 130) summary.p95 = share(0.95);
  if (all.size() >= 662) summary.p99 = share(0.99);
  return summary;
}

double relative_half_width(const Summary& summary) {
  if (!summary.interval || summary.median == 0) return std::numeric_limits<double>::infinity();
  return (summary.interval->high - summary.interval->low) / 2 / std::abs(summary.median);
}

bool has_trend(const std::vector<double>& in_time_order) {
  const size_t n = in_time_order.size();
  if (n < 5) return false;
  check(in_time_order);
  std::vector<double> values = in_time_order, space(n);
  const uint64_t falls = sort_counting_falls(values, space, 0, n);
  double tied_pairs = 0, tie_terms = 0;
  for_each_tie(values, [&](double t) {
    tied_pairs += t * (t - 1) / 2;
    tie_terms += t * (t - 1) * (2 * t + 5);
  });
  const auto count = static_cast<double>(n);
  const double pairs = count * (count - 1) / 2;
  double p;
  if (tied_pairs == 0 && n <= exact_size) {
    const auto rises = static_cast<uint64_t>(pairs) - falls;
    p = 2 * at_most_falls(n, std::min(falls, rises));
  } else {
    const double score = std::abs(pairs - tied_pairs - 2 * static_cast<double>(falls));
    const double variance = (count * (count - 1) * (2 * count + 5) - tie_terms) / 18;
    p = variance > 0 ? two_sided(std::max(0.0, score - 1) / std::sqrt(variance)) : 1;
  }
  return p < 0.1;
}

double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b) {
  check(a);
  check(b);
  const std::vector<double>& few = a.size() <= b.size() ? a : b;
  const std::vector<double>& many = a.size() <= b.size() ? b : a;
  const size_t m = few.size(), n = many.size();
  std::vector<double> pooled = few;
  pooled.insert(pooled.end(), many.begin(), many.end());
  std::vector<int64_t> ranks = doubled_ranks(pooled);
  const auto sum_of_few = [&] {
    return std::accumulate(ranks.begin(), ranks.begin() + static_cast<long>(m), int64_t{0});
  };
  if (exact(m, n)) {
    if (std::all_of(ranks.begin(), ranks.end(), [](int64_t rank) { return rank % 2 == 0; })) {
      for (int64_t& rank : ranks) rank /= 2;
    }
    const auto place = static_cast<long>(sum_of_few());
    const std::vector<double> ways = rank_sums(ranks, m);
    const double below = std::accumulate(ways.begin(), ways.begin() + place, 0.0);
    const double above = std::accumulate(ways.begin() + place + 1, ways.end(), 0.0);
    const double here = ways[static_cast<size_t>(place)];
    return std::min(1.0, 2 * (std::min(below, above) + here) / (below + here + above));
  }
  std::sort(pooled.begin(), pooled.end());
  double tie_terms = 0;
  for_each_tie(pooled, [&](double t) { tie_terms += t * (t * t - 1); });
  const auto few_count = static_cast<double>(m), all = static_cast<double>(m + n);
  const double pairs = few_count * static_cast<double>(n);
  const double u = static_cast<double>(sum_of_few()) / 2 - few_count * (few_count + 1) / 2;
  const double variance = pairs / 12 * (all + 1 - tie_terms / (all * (all - 1)));
  if (variance <= 0) return 1;
  return two_sided(std::max(0.0, std::abs(u - pairs / 2) - 0.5) / std::sqrt(variance));
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (!std::all_of(p.begin(), p.end(), [](double value) { return value >= 0 && value <= 1; })) {
    throw std::invalid_argument("Holm's correction is of probabilities from 0 to 1");
  }
  std::sort(order.begin(), order.end(), [&](size_t i, size_t k) { return p[i] < p[k]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

Shift hodges_lehmann(const std::vector<double>& a, const std::vector<double>& b,
                     double confidence) {
  check_confidence(confidence);
  const std::vector<double> divisors = sorted(a), dividends = sorted(b);
  for (const auto* values : {&divisors, &dividends}) {
    if (!(values->front() > 0 && std::isfinite(values->back()))) {
      throw std::invalid_argument("ratios need positive, finite values");
    }
  }
  const uint64_t pairs = uint64_t{a.size()} * b.size();
  const auto ratio = [&](uint64_t rank) { return ratio_of_rank(divisors, dividends, rank); };
  Shift shift{ratio((pairs + 1) / 2), std::nullopt};
  if (pairs % 2 == 0) shift.ratio = std::sqrt(shift.ratio * ratio(pairs / 2 + 1));
  const uint64_t rank = rank_below_shift(a.size(), b.size(), (1 - confidence) / 2);
  if (rank > 0) shift.interval = Interval{ratio(rank), ratio(pairs + 1 - rank)};
  return shift;
}

double spearman(const std::vector<double>& x, const std::vector<double>& y) {
  if (x.size() != y.size()) {
    throw std::invalid_argument("a rank correlation is of pairs, found " +
                                std::to_string(x.size()) + " and " + std::to_string(y.size()) +
                                " values");
  }
  check(x);
  check(y);
  const std::vector<int64_t> x_ranks = doubled_ranks(x), y_ranks = doubled_ranks(y);
  const auto mean = static_cast<double>(x.size() + 1);  // of doubled ranks
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double dx = static_cast<double>(x_ranks[i]) - mean;
    const double dy = static_cast<double>(y_ranks[i]) - mean;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  if (xx == 0 || yy == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::max(-1.0, std::min(1.0, xy / std::sqrt(xx * yy)));
}

}  // namespace convscope

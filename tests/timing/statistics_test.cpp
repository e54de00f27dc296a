// Intervals and rank tests against published tables, hand arithmetic and simulated samples.
// scipy_test.py compares them with scipy's.
#include "suite/timing/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>

namespace convscope {
namespace {

using Values = std::vector<double>;

Values counting(size_t n) {
  Values values;
  for (size_t i = 1; i <= n; ++i) values.push_back(static_cast<double>(i));
  return values;
}

Values drawn(size_t n, const std::function<double()>& draw) {
  Values values(n);
  std::generate(values.begin(), values.end(), draw);
  return values;
}

/// m values without ties, of which `u` pairs with 1, 2, .. n have the larger one here.
Values sample_with_u(size_t m, size_t n, size_t u) {
  Values values;
  for (size_t i = 0; i < m; ++i) {
    const size_t below = std::min(u, n);
    u -= below;
    values.push_back(static_cast<double>(below) + 0.5 + 0.001 * static_cast<double>(i));
  }
  return values;
}

TEST(Statistics, MedianIsTheMiddleOrTheMeanOfTheTwoMiddleValues) {
  EXPECT_EQ(median({7}), 7);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_THROW(median({}), std::invalid_argument);
  EXPECT_THROW(median({1, std::nan("")}), std::invalid_argument);
}

TEST(Statistics, QuantilesAreInterpolatedAsNumpyAndRDo) {
  EXPECT_EQ(quantile({4, 3, 2, 1}, 0), 1);
  EXPECT_EQ(quantile({4, 3, 2, 1}, 1), 4);
  EXPECT_DOUBLE_EQ(quantile({4, 3, 2, 1}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile({4, 3, 2, 1}, 0.4), 2.2);
  EXPECT_EQ(quantile({8}, 0.9), 8);
  EXPECT_THROW(quantile({1, 2}, 1.5), std::invalid_argument);
  EXPECT_THROW(quantile({}, 0.5), std::invalid_argument);
}

TEST(Statistics, MedianIntervalHasTheOrderStatisticsOfThePublishedTable) {
  // Conover, Practical Nonparametric Statistics, 3rd ed., table A3: ranks for at least 95 %.
  const std::vector<std::vector<double>> rows = {{6, 1, 6},   {8, 1, 8},    {9, 2, 8},
                                                 {10, 2, 9},  {12, 3, 10},  {15, 4, 12},
                                                 {20, 6, 15}, {30, 10, 21}, {100, 40, 61}};
  for (const auto& row : rows) {
    const auto interval = median_interval(counting(static_cast<size_t>(row[0])));
    ASSERT_TRUE(interval);
    EXPECT_EQ(interval->low, row[1]) << row[0] << " values";
    EXPECT_EQ(interval->high, row[2]) << row[0] << " values";
  }
  EXPECT_FALSE(median_interval(counting(5)));
  EXPECT_TRUE(median_interval(counting(5), 0.9));
  EXPECT_FALSE(median_interval(counting(7), 0.99));
  EXPECT_TRUE(median_interval(counting(8), 0.99));
  EXPECT_THROW(median_interval(counting(8), 95), std::invalid_argument);
}

TEST(Statistics, MedianIntervalOfMuchMoreValuesIsTheNormalOne) {
  // n / 2 -+ 1.96 sqrt(n) / 2, within a rank; on both sides of where the sum is started elsewhere.
  for (const size_t n : {1000, 1023, 1024, 1025, 5000, 100000}) {
    const auto interval = median_interval(counting(n));
    const auto count = static_cast<double>(n);
    EXPECT_NEAR(interval->low, count / 2 - 1.95996 * std::sqrt(count) / 2, 1.01) << n;
    EXPECT_EQ(interval->low + interval->high, count + 1);
    // Of nearly certain: 6.1094 deviations.
    const auto wide = median_interval(counting(n), 1 - 1e-9);
    EXPECT_NEAR(wide->low, count / 2 - 6.1094 * std::sqrt(count) / 2, 0.006 * std::sqrt(count) + 1)
        << n;
  }
}

TEST(Statistics, SummaryTakesItsIntervalFromTheRepetitions) {
  Repetitions repetitions;
  for (double level = 10; level < 20; ++level) {
    repetitions.push_back({level - 0.25, level, level + 0.25});
  }
  const Summary summary = summarize(repetitions);
  EXPECT_EQ(summary.samples, 30u);
  EXPECT_EQ(summary.median, 14.5);
  EXPECT_EQ(summary.interval->low, 11);
  EXPECT_EQ(summary.interval->high, 18);
  EXPECT_EQ(summary.min, 9.75);
  EXPECT_DOUBLE_EQ(relative_half_width(summary), 3.5 / 14.5);
}

TEST(Statistics, ThereIsNoIntervalOfManySamplesInFewRepetitions) {
  const Repetitions long_ones(5, std::vector<double>(1000, 1));
  EXPECT_FALSE(summarize(long_ones).interval);
  EXPECT_FALSE(summarize({{1, 2}, {3, 4, 5}}).interval);
  EXPECT_TRUE(std::isinf(relative_half_width(summarize({{1, 2}}))));
  EXPECT_THROW(summarize({{}, {}}), std::invalid_argument);
}

TEST(Statistics, SummarysIntervalHoldsItsMedianAlsoWhereOneRepetitionIsLong) {
  Repetitions repetitions(9, {10});
  repetitions.emplace_back(1000, 12);
  const Summary summary = summarize(repetitions);
  EXPECT_EQ(summary.median, 12);
  EXPECT_EQ(summary.interval->low, 10);
  EXPECT_EQ(summary.interval->high, 12);
}

TEST(Statistics, PercentilesAppearWithTheCountThatAllowsThem) {
  const auto of = [](size_t n) { return summarize({counting(n)}); };
  EXPECT_FALSE(of(63).p90);
  EXPECT_TRUE(of(64).p90);
  EXPECT_FALSE(of(129).p95);
  EXPECT_TRUE(of(130).p95);
  EXPECT_FALSE(of(661).p99);
  EXPECT_DOUBLE_EQ(*of(1001).p99, 991);
  EXPECT_DOUBLE_EQ(of(1001).iqr, 500);
}

TEST(Statistics, TrendIsWhatChanceSeldomGives) {
  EXPECT_FALSE(has_trend({1, 2, 3, 4}));
  EXPECT_TRUE(has_trend({1, 2, 3, 4, 5}));   // 2 of 120 orders are as strong
  EXPECT_TRUE(has_trend({5, 4, 3, 1, 2}));   // 10 of 120
  EXPECT_FALSE(has_trend({2, 1, 3, 5, 4}));  // 28 of 120
  EXPECT_FALSE(has_trend({3, 3, 3, 3, 3, 3}));
  EXPECT_FALSE(has_trend({1, 1, 1, 2, 2}));  // 2 of 10
  EXPECT_TRUE(has_trend({9, 9, 8, 8, 7, 7, 6, 6}));
  EXPECT_TRUE(has_trend(counting(100000)));
}

TEST(Statistics, TrendIsSeenInAtMostOneOfTenRandomOrders) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform;
  for (const size_t n : {5, 8, 20, 60}) {
    int seen = 0;
    for (int i = 0; i < 4000; ++i) seen += has_trend(drawn(n, [&] { return uniform(random); }));
    EXPECT_LE(seen, 440) << n;  // 3 deviations above 400
    EXPECT_GE(seen, 200) << n;
  }
}

TEST(Statistics, FewestSamplesGiveTheSmallestPossibleProbability) {
  // 2 of the C(2n, n) ways to deal out the ranks.
  const std::vector<std::pair<size_t, double>> ways = {
      {1, 2}, {3, 20}, {4, 70}, {5, 252}, {9, 48620}};
  for (const auto& [n, all] : ways) {
    Values above = counting(n);
    for (double& value : above) value += 100;
    EXPECT_DOUBLE_EQ(mann_whitney_p(counting(n), above), 2 / all) << n;
  }
  EXPECT_THROW(mann_whitney_p({}, {1}), std::invalid_argument);
  EXPECT_THROW(mann_whitney_p({1}, {}), std::invalid_argument);
}

TEST(Statistics, MannWhitneyHasTheCriticalValuesOfThePublishedTable) {
  // Two-sided, 5 %: m, n, the largest U that is significant (Mann and Whitney 1947; Milton 1964).
  const std::vector<std::vector<size_t>> rows = {{3, 5, 0},    {4, 4, 0},    {4, 9, 4},
                                                 {5, 5, 2},    {7, 12, 18},  {8, 8, 13},
                                                 {10, 10, 23}, {15, 15, 64}, {20, 20, 127}};
  for (const auto& row : rows) {
    const Values b = counting(row[1]);
    EXPECT_LE(mann_whitney_p(sample_with_u(row[0], row[1], row[2]), b), 0.05) << row[0] << row[1];
    EXPECT_GT(mann_whitney_p(sample_with_u(row[0], row[1], row[2] + 1), b), 0.05)
        << row[0] << ' ' << row[1];
  }
}

TEST(Statistics, MannWhitneyOfRsExample) {
  // Hollander and Wolfe 1973, page 69, as in R's help of wilcox.test: one-sided p is 0.1272.
  const Values x = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
  const Values y = {1.15, 0.88, 0.90, 0.74, 1.21};
  EXPECT_NEAR(mann_whitney_p(x, y), 2 * 0.1272, 0.0001);
  // R's "difference in location" is 0.305; ours are ratios.
  Values a = y, b = x;
  for (Values* values : {&a, &b}) {
    for (double& value : *values) value = std::exp(value);
  }
  EXPECT_NEAR(std::log(hodges_lehmann(a, b).ratio), 0.305, 1e-12);
}

TEST(Statistics, TiedRanksAreCountedExactly) {
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 1, 1}, {2, 2, 2}), 0.1);
  EXPECT_DOUBLE_EQ(mann_whitney_p({5, 5, 5, 5}, {5, 5, 5}), 1);
  // Ranks 1, 2.5, 2.5, 4: of 6 pairs 2 sum to 3.5 or less, as {1, 2} does.
  EXPECT_DOUBLE_EQ(mann_whitney_p({1, 2}, {2, 3}), 2.0 / 3);
}

TEST(Statistics, MannWhitneyIsTheSameFromEitherSideAndOnAnyScale) {
  std::mt19937_64 random(3);
  std::lognormal_distribution<double> draw;
  for (const size_t n : {7, 40, 90}) {
    const Values a = drawn(n, [&] { return draw(random); });
    const Values b = drawn(n + 5, [&] { return draw(random); });
    Values log_a = a, log_b = b;
    for (double& value : log_a) value = std::log(value);
    for (double& value : log_b) value = std::log(value);
    EXPECT_DOUBLE_EQ(mann_whitney_p(a, b), mann_whitney_p(b, a));
    EXPECT_EQ(mann_whitney_p(a, b), mann_whitney_p(log_a, log_b));
  }
}

TEST(Statistics, NormalApproximationJoinsTheExactTest) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> draw;
  Values a = drawn(50, [&] { return draw(random); });
  const Values b = drawn(50, [&] { return draw(random) + 0.4; });
  const double exact = mann_whitney_p(a, b);
  a.push_back(median(a) + 1e-6);
  EXPECT_NEAR(mann_whitney_p(a, b), exact, 0.01);
}

TEST(Statistics, HolmStepsDown) {
  // By hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04, which may not be below the one before.
  const Values adjusted = holm({0.01, 0.04, 0.03, 0.005});
  const Values expected = {0.03, 0.06, 0.06, 0.02};
  for (size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(adjusted[i], expected[i]);
  EXPECT_EQ(holm({0.7, 0.8}), (Values{1, 1}));
  EXPECT_EQ(holm({0.2}), Values{0.2});
  EXPECT_TRUE(holm({}).empty());
  EXPECT_THROW(holm({1.5}), std::invalid_argument);
  EXPECT_THROW(holm({std::nan("")}), std::invalid_argument);
}

TEST(Statistics, ShiftIsTheMiddleOfAllRatios) {
  // Ratios of {1, 2, 4} to {1, 2}: 0.5, 1, 1, 2, 2, 4.
  EXPECT_DOUBLE_EQ(hodges_lehmann({1, 2}, {1, 2, 4}).ratio, std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(hodges_lehmann({10}, {15}).ratio, 1.5);
  EXPECT_FALSE(hodges_lehmann({1, 2, 3}, {4, 5, 6}).interval);
  EXPECT_TRUE(hodges_lehmann({1, 2, 3}, {4, 5, 6}, 0.9).interval);
  // 4 against 4: all of the ratios.
  const auto interval = hodges_lehmann({1, 2, 3, 4}, {5, 6, 7, 8}).interval;
  EXPECT_DOUBLE_EQ(interval->low, 5.0 / 4);
  EXPECT_DOUBLE_EQ(interval->high, 8.0 / 1);
  EXPECT_THROW(hodges_lehmann({0, 1}, {1, 2}), std::invalid_argument);
  EXPECT_THROW(hodges_lehmann({1}, {-1}), std::invalid_argument);
  EXPECT_THROW(hodges_lehmann({1}, {INFINITY}), std::invalid_argument);
}

TEST(Statistics, ShiftTurnsRoundWithItsSidesAndGrowsWithTheScale) {
  std::mt19937_64 random(5);
  std::lognormal_distribution<double> draw(3, 0.1);
  for (const size_t n : {6, 35, 80}) {
    const Values a = drawn(n, [&] { return draw(random); });
    Values b = drawn(n + 3, [&] { return draw(random); });
    const Shift there = hodges_lehmann(a, b), back = hodges_lehmann(b, a);
    EXPECT_NEAR(there.ratio * back.ratio, 1, 1e-12);
    EXPECT_NEAR(there.interval->low * back.interval->high, 1, 1e-12);
    for (double& value : b) value *= 8;
    EXPECT_DOUBLE_EQ(hodges_lehmann(a, b).ratio, 8 * there.ratio);
    EXPECT_DOUBLE_EQ(hodges_lehmann(a, b).interval->high, 8 * there.interval->high);
  }
}

TEST(Statistics, IntervalOfTheShiftHoldsWhatTheTestDoesNotReject) {
  std::mt19937_64 random(6);
  std::lognormal_distribution<double> draw(0, 0.3);
  for (int i = 0; i < 300; ++i) {
    const Values a = drawn(4 + size_t(i) % 9, [&] { return draw(random); });
    const Values b = drawn(4 + size_t(i) % 7, [&] { return draw(random) * 1.3; });
    const Interval interval = *hodges_lehmann(a, b).interval;
    for (const double ratio : {0.999 * interval.low, 1.001 * interval.low, 0.999 * interval.high,
                               1.001 * interval.high}) {
      Values moved = a;
      for (double& value : moved) value *= ratio;
      const bool inside = interval.low < ratio && ratio < interval.high;
      EXPECT_EQ(mann_whitney_p(moved, b) > 0.05, inside) << ratio;
    }
  }
}

TEST(Statistics, SpearmanOfAPublishedExample) {
  // Intelligence and hours of television (Wikipedia): 1 - 6 * 194 / (10 * 99).
  EXPECT_DOUBLE_EQ(spearman({106, 100, 86, 101, 99, 103, 97, 113, 112, 110},
                            {7, 27, 2, 50, 28, 29, 20, 12, 6, 17}),
                   -29.0 / 165);
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3}, {10, 100, 1000}), 1);
  // Ranks 1.5, 1.5, 3 and 1, 2, 3: 1.5 / sqrt(1.5 * 2).
  EXPECT_DOUBLE_EQ(spearman({4, 4, 9}, {1, 2, 3}), std::sqrt(0.75));
  EXPECT_TRUE(std::isnan(spearman({4, 4, 4}, {1, 2, 3})));
  EXPECT_TRUE(std::isnan(spearman({1}, {1})));
  EXPECT_THROW(spearman({1, 2}, {1}), std::invalid_argument);
}

TEST(Simulation, MedianIntervalsCoverAsOftenAsTheySay) {
  std::mt19937_64 random(1);
  std::exponential_distribution<double> exponential(1);
  std::lognormal_distribution<double> lognormal(0, 1);
  struct Distribution {
    std::string name;
    std::function<double()> draw;
    double median;
  };
  const std::vector<Distribution> distributions = {
      {"exponential", [&] { return exponential(random); }, std::log(2.0)},
      {"lognormal", [&] { return lognormal(random); }, 1}};
  // What Conover's table says: 1 - 2 P(fewer than k of n coins).
  const std::vector<std::pair<size_t, double>> sizes = {
      {6, 0.9688}, {10, 0.9785}, {15, 0.9648}, {100, 0.9648}};
  constexpr int trials = 10000;
  for (const auto& [name, draw, truth] : distributions) {
    for (const auto& [n, expected] : sizes) {
      int covered = 0;
      for (int i = 0; i < trials; ++i) {
        const auto interval = median_interval(drawn(n, draw));
        covered += interval->low <= truth && truth <= interval->high;
      }
      const double share = double(covered) / trials;
      RecordProperty("coverage_of_" + std::to_string(n) + "_" + name, std::to_string(share));
      EXPECT_GE(share, 0.95) << n;
      EXPECT_NEAR(share, expected, 0.008) << n;  // 4 deviations
    }
  }
}

TEST(Simulation, ShiftIntervalsCoverAsOftenAsTheySay) {
  std::mt19937_64 random(8);
  std::lognormal_distribution<double> draw(0, 0.2);
  for (const auto& [n, trials] : {std::pair{4, 20000}, {10, 10000}, {60, 2000}}) {
    int covered = 0;
    for (int i = 0; i < trials; ++i) {
      const Values a = drawn(size_t(n), [&] { return draw(random); });
      const Values b = drawn(size_t(n), [&] { return 1.25 * draw(random); });
      const Interval interval = *hodges_lehmann(a, b).interval;
      covered += interval.low <= 1.25 && 1.25 <= interval.high;
    }
    const double share = double(covered) / trials;
    RecordProperty("coverage_of_" + std::to_string(n), std::to_string(share));
    EXPECT_GE(share, 0.95 - (n > 50 ? 0.012 : 0)) << n;  // approximate above 50
    EXPECT_LE(share, 0.98) << n;
  }
}

TEST(Simulation, AtMostOneFamilyOfTwentyRejectsWhereNothingDiffers) {
  std::mt19937_64 random(2);
  std::lognormal_distribution<double> draw(0, 0.1);
  constexpr int families = 4000;
  int false_families = 0, false_tests = 0;
  for (int family = 0; family < families; ++family) {
    Values p;
    for (int i = 0; i < 20; ++i) {
      const Values a = drawn(10, [&] { return draw(random); });
      const Values b = drawn(10, [&] { return draw(random); });
      p.push_back(mann_whitney_p(a, b));
      false_tests += p.back() < 0.05;
    }
    const Values adjusted = holm(p);
    false_families += *std::min_element(adjusted.begin(), adjusted.end()) < 0.05;
  }
  RecordProperty("rate_of_a_test", std::to_string(false_tests / (20.0 * families)));
  RecordProperty("rate_of_a_family", std::to_string(double(false_families) / families));
  EXPECT_LE(false_tests, 0.05 * 20 * families);
  EXPECT_LE(false_families, 0.05 * families);
  EXPECT_GE(false_families, 0.02 * families);  // a test that never rejects is no test
}

}  // namespace
}  // namespace convscope

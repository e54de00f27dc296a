// The learning-rate range test's curve and what is read from it.
#include "suite/training/rate_range.h"

#include <gtest/gtest.h>

#include <cmath>

namespace convscope {
namespace {

/// A test whose smoothed losses are these.
std::vector<RatePoint> with_losses(const std::function<double(double)>& loss_at_step) {
  const RangeTest range;
  std::vector<RatePoint> points;
  for (int64_t i = 0; i < range.steps; ++i) {
    const double loss = loss_at_step(static_cast<double>(i));
    points.push_back({range.rate_of(i), loss, loss});
  }
  return points;
}

double rate_of(const std::vector<RateSuggestion>& all, const std::string& rule) {
  for (const RateSuggestion& one : all) {
    if (one.rule == rule) return one.rate;
  }
  return -1;
}

TEST(RateRange, RatesGrowByEqualFactors) {
  const RangeTest range;
  EXPECT_DOUBLE_EQ(range.rate_of(0), 1e-7);
  EXPECT_NEAR(range.rate_of(99), 10, 1e-12);
  EXPECT_NEAR(range.rate_of(50) / range.rate_of(49), range.rate_of(1) / range.rate_of(0), 1e-9);
}

TEST(RateRange, TheSmoothedLossForgetsItsBeginning) {
  SmoothedLoss loss;
  EXPECT_DOUBLE_EQ(loss.add(2), 2);  // not 0.04
  EXPECT_NEAR(loss.add(4), (0.98 * 0.02 * 2 + 0.02 * 4) / (1 - 0.98 * 0.98), 1e-12);
  EXPECT_FALSE(loss.exploded());
  for (int i = 0; i < 40; ++i) loss.add(40);
  EXPECT_TRUE(loss.exploded());
}

// Flat to step 40, down to step 80, most between 60 and 61, then up: by hand from the rules.
TEST(RateRange, SuggestionsAreThoseOfTheRules) {
  const auto points = with_losses([](double step) {
    if (step < 40) return 4.0;
    if (step <= 80) return 4 - (step - 40) * 0.04 - (step > 60 ? 0.4 : 0);
    return 2 + (step - 80) * 0.3;
  });
  const auto all = suggestions(points);
  // The steps that are looked at are 10 to 94.
  EXPECT_DOUBLE_EQ(rate_of(all, "minimum/10"), points[80].rate / 10);
  EXPECT_DOUBLE_EQ(rate_of(all, "steep"), points[60].rate);
  // The longest fall has 41 steps and ends at 80: it is taken to begin at 39, and 41 / 3 = 13.67
  // and half of that are cut to 13 and 6.
  EXPECT_DOUBLE_EQ(rate_of(all, "valley"), points[39 + 13 + 6].rate);
  EXPECT_GT(rate_of(all, "slide"), points[40].rate);
  EXPECT_LT(rate_of(all, "slide"), points[80].rate);
}

TEST(RateRange, TooShortATestSuggestsNothing) {
  EXPECT_TRUE(suggestions({}).empty());
  EXPECT_TRUE(suggestions({{1, 1, 1}, {2, 2, 2}, {3, 3, 3}}).empty());
}

}  // namespace
}  // namespace convscope

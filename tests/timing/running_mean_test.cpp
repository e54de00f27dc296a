// The mean that is not kept, by hand and by the tables of textbooks.
#include "suite/timing/running_mean.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace convscope {
namespace {

TEST(RunningMean, QuantilesAreThoseOfTextbooks) {
  EXPECT_NEAR(student_quantile(1), 12.7062, 5e-5);
  EXPECT_NEAR(student_quantile(2), 4.3027, 5e-5);
  EXPECT_NEAR(student_quantile(3), 3.1824, 5e-5);
  EXPECT_NEAR(student_quantile(9), 2.2622, 5e-5);
  EXPECT_NEAR(student_quantile(10), 2.2281, 5e-5);
  EXPECT_NEAR(student_quantile(30), 2.0423, 5e-5);
  EXPECT_NEAR(student_quantile(120), 1.9799, 5e-5);
  EXPECT_NEAR(student_quantile(1000000), 1.9600, 5e-5);
  EXPECT_THROW(student_quantile(0), std::invalid_argument);
}

TEST(RunningMean, OfOneValueNothingIsSure) {
  RunningMean mean;
  EXPECT_EQ(mean.count(), 0);
  EXPECT_FALSE(mean.interval());
  mean.add(3);
  EXPECT_EQ(mean.mean(), 3);
  EXPECT_FALSE(mean.interval());
}

TEST(RunningMean, TheIntervalIsByTheStandardError) {
  RunningMean mean;
  for (const double value : {1e6 + 1, 1e6 + 2, 1e6 + 6}) mean.add(value);
  // Squares 4 + 1 + 9 = 14, variance 7, standard error sqrt(7 / 3).
  EXPECT_NEAR(mean.mean(), 1e6 + 3, 1e-9);
  EXPECT_NEAR(mean.interval()->high - mean.mean(), 4.30265 * std::sqrt(7.0 / 3), 1e-4);
  EXPECT_NEAR(mean.mean() - mean.interval()->low, 4.30265 * std::sqrt(7.0 / 3), 1e-4);
}

}  // namespace
}  // namespace convscope

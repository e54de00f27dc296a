// The arithmetic of an evaluation.
#include "suite/inference/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace convscope {
namespace {

TEST(Share, HasWilsonsInterval) {
  // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
  const struct {
    int64_t hits, images;
    double low, high;
  } intervals[] = {{81, 263, 0.2553, 0.3662},
                   {15, 148, 0.0624, 0.1605},
                   {0, 20, 0, 0.1611},
                   {1, 29, 0.0061, 0.1718}};
  for (const auto& row : intervals) {
    const Share found = share(row.hits, row.images);
    EXPECT_NEAR(found.low, row.low, 5e-5) << row.hits;
    EXPECT_NEAR(found.high, row.high, 5e-5) << row.hits;
  }
  EXPECT_EQ(share(20, 20).high, 1);
}

TEST(Likeliest, AreInOrderAndTheirProbabilitiesAreTheSoftmax) {
  const float logits[] = {1, 3, 2, 3, -1};
  const std::vector<Guess> best = likeliest(logits, 5, 3);
  ASSERT_EQ(best.size(), 3u);
  EXPECT_EQ(best[0].index, 1);
  EXPECT_EQ(best[1].index, 3);
  EXPECT_EQ(best[2].index, 2);
  const double sum = std::exp(1) + 2 * std::exp(3) + std::exp(2) + std::exp(-1);
  EXPECT_NEAR(best[0].probability, std::exp(3) / sum, 1e-12);
}

TEST(Likeliest, LargeLogitsDoNotOverflowAndFewClassesAreAllGiven) {
  const float logits[] = {1000, 0};
  const std::vector<Guess> best = likeliest(logits, 2, 5);
  ASSERT_EQ(best.size(), 2u);
  EXPECT_EQ(best[0].probability, 1);
}

TEST(Likeliest, WhatIsNoNumberComesLast) {
  const float logits[] = {std::nanf(""), 1, 2};
  EXPECT_EQ(likeliest(logits, 3, 1)[0].index, 2);
}

}  // namespace
}  // namespace convscope

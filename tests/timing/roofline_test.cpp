#include "suite/timing/roofline.h"

#include <gtest/gtest.h>

#include <cmath>

namespace convscope {
namespace {

/// Balanced at 10 operations per byte.
constexpr Roofline machine = {100, 10, 1000};

void expect_attainable(const Work& work, double ns, Bound bound) {
  const Attainable result = attainable(work, machine);
  EXPECT_DOUBLE_EQ(result.ns, ns);
  EXPECT_EQ(result.bound, bound) << to_string(result.bound);
}

TEST(Roofline, ManyOperationsOnFewBytesAreBoundByCompute) {
  expect_attainable({1'000'000, 10'000}, 10'000, Bound::compute);
}

TEST(Roofline, FewOperationsOnManyBytesAreBoundByMemory) {
  expect_attainable({10'000, 1'000'000}, 100'000, Bound::memory);
}

TEST(Roofline, LittleOfBothIsBoundByOverhead) {
  expect_attainable({1'000, 1'000}, 1000, Bound::overhead);
  expect_attainable({0, 0}, 1000, Bound::overhead);
}

TEST(Roofline, AtTheBalancePointComputeIsNamed) {
  expect_attainable({1'000'000, 100'000}, 10'000, Bound::compute);
  expect_attainable({1'000'000, 100'001}, 10'000.1, Bound::memory);
}

TEST(Roofline, IntensityIsOperationsPerByte) {
  EXPECT_DOUBLE_EQ(intensity({300, 200}), 1.5);
  EXPECT_TRUE(std::isnan(intensity({0, 0})));
}

}  // namespace
}  // namespace convscope

// Warm-up and blocks on workloads whose times are made up, so that nothing here depends on a clock.
#include "suite/timing/sampler.h"

#include <gtest/gtest.h>

#include <functional>

namespace convscope {
namespace {

/// Its i-th iteration takes `time(i)` nanoseconds.
class MadeUp : public Workload {
 public:
  explicit MadeUp(std::function<int64_t(int64_t)> time, bool device = false)
      : time_(std::move(time)), device_(device) {}
  std::vector<std::string> parts() const override { return {"inference"}; }
  Reading run(int64_t iterations) override {
    int64_t ns = 0;
    for (int64_t i = 0; i < iterations; ++i) ns += time_(done++);
    ++waits;
    if (!device_) return {{ns}};
    const auto all = static_cast<double>(ns);
    return {{ns}, 0.9 * all, 0.25 * all};
  }
  double sample_ns() const override { return device_ ? 20e6 : Workload::sample_ns(); }
  int64_t done = 0, waits = 0;

 private:
  std::function<int64_t(int64_t)> time_;
  bool device_;
};

constexpr int64_t ms = 1'000'000;

/// Times around 10 ms that neither rise nor fall.
int64_t steady(int64_t i) { return 10 * ms + (i * 7919 % 13) * ms / 100; }

TEST(WarmUp, ColdRunsAreKeptApart) {
  MadeUp workload([](int64_t i) { return i == 0 ? 90 * ms : i == 1 ? 30 * ms : steady(i); });
  const WarmUp warm = warm_up(workload, {});
  EXPECT_EQ(warm.first_ns, 90 * ms);
  EXPECT_EQ(warm.second_ns, 30 * ms);
  for (const double ns : warm.ns) EXPECT_LT(ns, 11 * ms);
}

TEST(WarmUp, LastsAtLeastTheTimeAndTheCount) {
  MadeUp quick_one(steady);
  EXPECT_GE(warm_up(quick_one, {0.5, 10, 10}).ns.size(), 49u);
  MadeUp slow([](int64_t i) { return 700 * ms + i % 3; });
  EXPECT_GE(warm_up(slow, {0.5, 10, 10}).ns.size(), 10u);
}

TEST(WarmUp, GoesOnWhileTimesFall) {
  // Falls for two seconds, then is steady.
  MadeUp workload([](int64_t i) { return i < 130 ? 20 * ms - i * ms / 13 : steady(i); });
  const WarmUp warm = warm_up(workload, {});
  EXPECT_FALSE(warm.drifting);
  EXPECT_GT(workload.done, 130);
}

TEST(WarmUp, TimesThatNeverSettleEndAtTheLimitAndAreCalledDrifting) {
  MadeUp workload([](int64_t i) { return 10 * ms + i * ms / 50; });
  const WarmUp warm = warm_up(workload, {0.5, 10, 3});
  EXPECT_TRUE(warm.drifting);
  double total = 0;
  for (const double ns : warm.ns) total += ns;
  EXPECT_GE(total, 3e9);
  EXPECT_LT(total, 3.2e9);
}

TEST(SampleBlock, TakesTheTimeAndTheSamplesAskedFor) {
  MachineWatch watch(1);
  MadeUp workload(steady);
  const Block block = sample_block(workload, watch, 0.3, 1);
  EXPECT_GE(block.ns.at(0).size(), 29u);
  EXPECT_LE(block.ns.at(0).size(), 31u);
  MadeUp slow([](int64_t) { return 900 * ms; });
  EXPECT_EQ(sample_block(slow, watch, 0.3, 2).ns.at(0).size(), 2u);
}

TEST(SampleBlock, WhatFillsTheCachesAgainIsNotASample) {
  MachineWatch watch(1);
  MadeUp workload([](int64_t i) { return i < 3 ? 8 * ms : 1 * ms; });  // 24 ms cold
  const Block block = sample_block(workload, watch, 0.05, 1);
  for (const double ns : block.ns[0]) EXPECT_EQ(ns, ms);
}

TEST(SampleBlock, IterationsTooShortForTheClockAreTimedTogether) {
  MachineWatch watch(1);
  MadeUp workload([](int64_t) { return 20'000; });
  const Block block = sample_block(workload, watch, 0.1, 1);
  EXPECT_EQ(block.ns[0].size(), 200u);  // of 25 iterations each
  for (const double ns : block.ns[0]) EXPECT_EQ(ns, 20'000);
}

TEST(SampleBlock, ADeviceIsWaitedForOncePerTwentyMilliseconds) {
  MachineWatch watch(1);
  MadeUp workload([](int64_t) { return ms / 10; }, /*device=*/true);
  const Block block = sample_block(workload, watch, 1, 1);
  EXPECT_NEAR(block.device_ns, 0.9 * ms / 10, 1);
  EXPECT_NEAR(block.enqueue_share, 0.25, 1e-9);
  EXPECT_LT(block.ns[0].size(), 60u);
  for (const double ns : block.ns[0]) EXPECT_NEAR(ns, ms / 10, 1);  // of one iteration
}

}  // namespace
}  // namespace convscope

// The search for the largest batch, on memories that are made up.
#include "suite/timing/largest_batch.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace convscope {
namespace {

constexpr int64_t mib = 1 << 20;

/// Bytes of a batch, made up, and which batches were tried.
struct Machine {
  int64_t weights, image;
  int64_t dies_at = INT64_MAX;  ///< this batch and larger ones cannot be run
  int64_t noise = 0;            ///< bytes to either side
  std::map<int64_t, BatchTrial> tried = {};
  std::mt19937 random{1};

  LargestBatch search(const PredictedPeak& predicted, int64_t budget, int64_t least = 1) {
    const auto run = [&](int64_t batch) {
      EXPECT_GE(batch, least);
      EXPECT_EQ(tried.count(batch), 0u) << "the same batch again";
      const int64_t off =
          noise > 0 ? std::uniform_int_distribution<int64_t>(-noise, noise)(random) : 0;
      return tried[batch] = batch >= dies_at ? BatchTrial{-1, "killed"}
                                             : BatchTrial{weights + batch * image + off, ""};
    };
    LargestBatch found = find_largest_batch(run, predicted, budget, least);
    EXPECT_EQ(found.trials, static_cast<int64_t>(tried.size()));
    return found;
  }
};

PredictedPeak line(int64_t weights, int64_t image) {
  return [=](int64_t batch) { return weights + batch * image; };
}

TEST(LargestBatch, PredictionIsTheLastBatchWithinTheBudget) {
  EXPECT_EQ(predicted_batch(line(100, 10), 129), 2);
  EXPECT_EQ(predicted_batch(line(100, 10), 130), 3);
  EXPECT_EQ(predicted_batch(line(100, 10), 109), 0);
}

TEST(LargestBatch, ARightPredictionTakesTwoTrials) {
  Machine machine{40 * mib, 6 * mib};
  const LargestBatch found = machine.search(line(40 * mib, 6 * mib), 200 * mib);
  EXPECT_EQ(found.batch, 26);
  EXPECT_EQ(found.peak_bytes, 196 * mib);
  EXPECT_EQ(found.too_large, 27);
  EXPECT_EQ(found.too_large_trial.peak_bytes, 202 * mib);
  EXPECT_EQ(found.trials, 2);
}

TEST(LargestBatch, AWrongPredictionIsCorrectedByWhatWasMeasured) {
  for (const double wrong : {0.3, 0.6, 1.5, 4.0}) {
    Machine machine{40 * mib, 6 * mib};
    const auto predicted = line(40 * mib, static_cast<int64_t>(wrong * 6 * mib));
    const LargestBatch found = machine.search(predicted, 200 * mib);
    EXPECT_EQ(found.batch, 26) << wrong;
    EXPECT_EQ(found.too_large, 27) << wrong;
    EXPECT_LE(found.trials, 5) << wrong;
  }
}

TEST(LargestBatch, LargeOnesAreKnownToOnePercent) {
  Machine machine{mib, 1000};
  const LargestBatch found = machine.search(line(mib, 1500), 200 * mib);
  EXPECT_LE(found.batch, 199 * mib / 1000);
  EXPECT_GT(found.too_large, 199 * mib / 1000);
  EXPECT_LE(found.too_large - found.batch, found.batch / 100);
  EXPECT_LE(found.trials, 4);
}

TEST(LargestBatch, ABatchThatKillsItsProcessDoesNotFit) {
  Machine machine{40 * mib, 6 * mib};
  machine.dies_at = 19;
  const LargestBatch found = machine.search(line(40 * mib, 6 * mib), 200 * mib);
  EXPECT_EQ(found.batch, 18);
  EXPECT_EQ(found.too_large, 19);
  EXPECT_EQ(found.too_large_trial.failure, "killed");
  EXPECT_LE(found.trials, 12);
}

TEST(LargestBatch, WhatNeverRunsIsGivenUpAfterTheSmallest) {
  Machine machine{40 * mib, 6 * mib};
  machine.dies_at = 1;
  const LargestBatch found = machine.search(line(40 * mib, 6 * mib), 200 * mib);
  EXPECT_EQ(found.batch, 0);
  EXPECT_EQ(found.too_large, 1);
  EXPECT_EQ(found.trials, 2);
}

TEST(LargestBatch, NoneFitsIntoTooLittle) {
  Machine machine{40 * mib, 6 * mib};
  const LargestBatch found = machine.search(line(10 * mib, 6 * mib), 45 * mib);
  EXPECT_EQ(found.batch, 0);
  EXPECT_EQ(found.too_large, 1);
  EXPECT_EQ(found.too_large_trial.peak_bytes, 46 * mib);
}

TEST(LargestBatch, TheSmallestCanBeMoreThanOne) {
  Machine machine{40 * mib, 6 * mib};
  EXPECT_EQ(machine.search(line(10 * mib, 6 * mib), 52 * mib, /*least=*/2).batch, 2);
}

TEST(LargestBatch, MemoryThatHardlyGrowsEndsWithTheLargestNumber) {
  Machine machine{40 * mib, 0};
  const LargestBatch found = machine.search(line(10 * mib, 6 * mib), 200 * mib);
  EXPECT_EQ(found.batch, 1'000'000'000);
  EXPECT_EQ(found.too_large, 0);
  EXPECT_LE(found.trials, 40);
}

TEST(LargestBatch, WhateverIsMeasuredTheAnswerFitsAndTheNextDoesNot) {
  std::mt19937 random(7);
  const auto between = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int i = 0; i < 2000; ++i) {
    Machine machine{between(0, 100 * mib), between(1000, 50 * mib)};
    machine.noise = between(0, machine.weights / 50);
    machine.random.seed(static_cast<unsigned>(i));
    if (i % 3 == 0) machine.dies_at = between(1, 300);
    const int64_t budget = between(mib, 4000 * mib);
    const LargestBatch found =
        machine.search(line(between(0, 100 * mib), between(500, 100 * mib)), budget);
    EXPECT_LE(found.trials, 60);
    EXPECT_LE(found.too_large - found.batch, accuracy_at(found.batch));
    const BatchTrial& above = machine.tried.at(found.too_large);
    EXPECT_TRUE(above.peak_bytes < 0 || above.peak_bytes > budget);
    if (found.batch == 0) {
      EXPECT_EQ(found.too_large, 1);
    } else {
      EXPECT_EQ(machine.tried.at(found.batch).peak_bytes, found.peak_bytes);
      EXPECT_LE(found.peak_bytes, budget);
    }
  }
}

}  // namespace
}  // namespace convscope

// Results that are needed at the same time must not share memory; others should.
#include "suite/inference/memory_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace convscope {
namespace {

TEST(MemoryPlan, ResultsThatAreNeverNeededTogetherShareMemory) {
  const MemoryPlan plan = plan_memory({{100, 0, 1}, {100, 2, 3}}, 64);
  EXPECT_EQ(plan.offsets, (std::vector<size_t>{0, 0}));
  EXPECT_EQ(plan.bytes, 128u);
}

TEST(MemoryPlan, AStepThatReadsOneAndWritesTheOtherNeedsBoth) {
  const MemoryPlan plan = plan_memory({{64, 0, 1}, {64, 1, 2}}, 64);
  EXPECT_NE(plan.offsets[0], plan.offsets[1]);
  EXPECT_EQ(plan.bytes, 128u);
}

TEST(MemoryPlan, AChainNeedsItsLargestNeighbours) {
  // 0 -> 1 -> 2 -> 3: at each step one is read and one written.
  const MemoryPlan plan = plan_memory({{256, 0, 1}, {512, 1, 2}, {128, 2, 3}, {64, 3, 4}}, 64);
  EXPECT_EQ(plan.bytes, 768u);
}

TEST(MemoryPlan, AGapThatIsTooSmallIsNotUsed) {
  // While the middle one lives, the first and the last of the row have gone.
  const MemoryPlan plan = plan_memory({{64, 0, 0}, {256, 0, 2}, {128, 2, 2}}, 64);
  EXPECT_EQ(plan.bytes, 384u);
}

TEST(MemoryPlan, NothingNeedsNothing) {
  EXPECT_EQ(plan_memory({}, 64).bytes, 0u);
  EXPECT_EQ(plan_memory({{0, 0, 5}}, 64).bytes, 0u);
}

TEST(MemoryPlan, NoTwoThatLiveTogetherOverlap) {
  std::mt19937 random(1);
  const auto below = [&](size_t limit) { return random() % limit; };
  for (int round = 0; round < 200; ++round) {
    std::vector<PlannedBlock> blocks(1 + below(30));
    for (PlannedBlock& block : blocks) {
      const size_t first = below(20);
      block = {1 + below(1000), first, first + below(8)};
    }
    const MemoryPlan plan = plan_memory(blocks, 64);
    for (size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0u);
      EXPECT_LE(plan.offsets[i] + blocks[i].bytes, plan.bytes);
      for (size_t j = 0; j < i; ++j) {
        const bool together =
            blocks[i].first <= blocks[j].last && blocks[j].first <= blocks[i].last;
        const bool apart = plan.offsets[i] + blocks[i].bytes <= plan.offsets[j] ||
                           plan.offsets[j] + blocks[j].bytes <= plan.offsets[i];
        EXPECT_TRUE(!together || apart) << i << ' ' << j;
      }
    }
  }
}

}  // namespace
}  // namespace convscope

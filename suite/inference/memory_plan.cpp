#include "suite/inference/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace convscope {

MemoryPlan plan_memory(const std::vector<PlannedBlock>& blocks, size_t alignment) {
  const auto rounded = [&](size_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
  };
  // The largest first, each as low as it fits: what the arena planners of TensorFlow Lite do
  // (Pisarchyk, Lee, "Efficient memory management for deep neural net inference", 2020), mostly the
  // optimum.
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  MemoryPlan plan;
  plan.offsets.resize(blocks.size());
  std::vector<size_t> placed;  // by offset
  for (const size_t i : order) {
    const PlannedBlock& block = blocks[i];
    size_t offset = 0;
    for (const size_t j : placed) {
      if (blocks[j].last < block.first || block.last < blocks[j].first) continue;
      if (offset + block.bytes <= plan.offsets[j]) break;
      offset = std::max(offset, plan.offsets[j] + rounded(blocks[j].bytes));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, offset + rounded(block.bytes));
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), i,
                         [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; }),
        i);
  }
  return plan;
}

}  // namespace convscope

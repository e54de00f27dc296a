// Where in one piece of memory each intermediate result lies, when it is known beforehand from
// which step to which each is needed.
#pragma once

#include <cstddef>
#include <vector>

namespace convscope {

struct PlannedBlock {
  size_t bytes;
  size_t first, last;  ///< the steps that write it first and touch it last
};

struct MemoryPlan {
  std::vector<size_t> offsets;  ///< one for each block, multiples of `alignment`
  size_t bytes = 0;             ///< of the whole
};

/// Blocks that are needed at the same step do not overlap; others may.
MemoryPlan plan_memory(const std::vector<PlannedBlock>& blocks, size_t alignment);

}  // namespace convscope

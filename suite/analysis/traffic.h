// How many bytes the calls of a forward pass must read and write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "suite/analysis/graph.h"

namespace convscope {

/// The least that these calls read and write if they run as one: each tensor that comes from
/// elsewhere and each that is wanted elsewhere, once. What the pass computed counts for `batch`
/// images, weights are read once for all. Views move nothing; an in-place operator reads and
/// writes. Of several calls, normalisation has its weights folded into the others'.
int64_t bytes_moved(const Graph& graph, const std::vector<size_t>& calls, int64_t batch = 1);

}  // namespace convscope

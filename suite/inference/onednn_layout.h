// How oneDNN may lay out a tensor in memory.
#pragma once

#include <dnnl.hpp>

namespace convscope {

enum class Layout {
  plain,         ///< N x C x H x W, or any other number of dimensions
  blocked,       ///< C in blocks as wide as a vector register, the block innermost
  channels_last  ///< N x H x W x C
};

/// Layouts other than `plain` are for four dimensions.
dnnl::memory::desc describe(const dnnl::memory::dims& dims, Layout layout);

/// The channels in a block.
int64_t block_channels();

/// Whether a tensor of these dimensions has its elements in the same places in both.
bool same_memory(const dnnl::memory::dims& dims, Layout a, Layout b);

/// Memory that large pages make quicker to walk through, where there is a large piece of it.
struct AlignedMemory {
  AlignedMemory() = default;
  explicit AlignedMemory(size_t bytes);
  ~AlignedMemory();
  AlignedMemory(AlignedMemory&& other) noexcept;
  AlignedMemory& operator=(AlignedMemory&& other) noexcept;

  char* data = nullptr;
  size_t bytes = 0;
};

}  // namespace convscope

#include "suite/inference/onednn_layout.h"

#include <cstdlib>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace convscope {

using Tag = dnnl::memory::format_tag;

int64_t block_channels() {
  // The instruction sets that are no AVX-512 are numbered below it.
  return dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core ? 16 : 8;
}

dnnl::memory::desc describe(const dnnl::memory::dims& dims, Layout layout) {
  static constexpr Tag plain[] = {Tag::a,    Tag::a,     Tag::ab,    Tag::abc,
                                  Tag::abcd, Tag::abcde, Tag::abcdef};
  Tag tag = plain[dims.size()];
  if (layout == Layout::channels_last) tag = Tag::nhwc;
  if (layout == Layout::blocked) tag = block_channels() == 16 ? Tag::nChw16c : Tag::nChw8c;
  return {dims, dnnl::memory::data_type::f32, tag};
}

bool same_memory(const dnnl::memory::dims& dims, Layout a, Layout b) {
  if (a == b) return true;
  if (dims.size() != 4 || dims[2] * dims[3] != 1) return false;
  const bool either_blocked = a == Layout::blocked || b == Layout::blocked;
  return !either_blocked || dims[1] % block_channels() == 0;
}

AlignedMemory::AlignedMemory(size_t size) : bytes(size) {
  constexpr size_t large_page = 2 << 20, line = 64;
  const size_t alignment = size >= large_page ? large_page : line;
  const size_t rounded = (size + alignment - 1) / alignment * alignment;
  if (rounded == 0) return;
  data = static_cast<char*>(std::aligned_alloc(alignment, rounded));
  if (!data) throw std::bad_alloc();
#ifdef __linux__
  if (alignment == large_page) madvise(data, rounded, MADV_HUGEPAGE);
#endif
}

AlignedMemory::~AlignedMemory() { std::free(data); }

AlignedMemory::AlignedMemory(AlignedMemory&& other) noexcept
    : data(std::exchange(other.data, nullptr)), bytes(std::exchange(other.bytes, 0)) {}

AlignedMemory& AlignedMemory::operator=(AlignedMemory&& other) noexcept {
  std::swap(data, other.data);
  std::swap(bytes, other.bytes);
  return *this;
}

}  // namespace convscope

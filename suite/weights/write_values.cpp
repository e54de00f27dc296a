#include "suite/weights/write_values.h"

#include <algorithm>
#include <unordered_set>

namespace convscope {

void check_names(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors) {
  std::unordered_set<std::string_view> seen;
  for (const StoredTensor& tensor : tensors) {
    if (!seen.insert(tensor.name).second) {
      fail(path.string() + ": cannot be written: two tensors are called " + in_quotes(tensor.name));
    }
  }
}

uint64_t value_bytes(const StoredTensor& tensor) {
  return static_cast<uint64_t>(tensor.elements() * bytes_of(tensor.type));
}

void for_each_piece(const StoredTensor& tensor, const std::function<void(Bytes)>& take) {
  constexpr size_t piece = size_t{1} << 20;
  std::string copy;
  Bytes values(reinterpret_cast<const char*>(tensor.data), value_bytes(tensor));
  if (!tensor.contiguous()) {
    copy.resize(values.size());
    copy_values(tensor, copy.data());
    values = copy;
  }
  while (!values.empty()) {
    const size_t size = std::min(piece, values.size());
    take(values.substr(0, size));
    values.remove_prefix(size);
  }
}

}  // namespace convscope

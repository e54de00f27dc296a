// What a fuzzer does with bytes: they are read, and every value that the reader vouches for.
#pragma once

#include <stdexcept>
#include <string>

#include "suite/weights/weights_file.h"

namespace convscope {

inline void read_all(const std::string& bytes) {
  // A copy of exactly this size, so that a byte too far is seen.
  const std::vector<std::byte> exact(
      reinterpret_cast<const std::byte*>(bytes.data()),
      reinterpret_cast<const std::byte*>(bytes.data()) + bytes.size());
  try {
    const WeightsFile file = read_weights(exact.data(), exact.size(), "fuzz");
    for (const StoredTensor& tensor : file.tensors) {
      const int64_t size = tensor.elements() * bytes_of(tensor.type);
      if (size > (int64_t{1} << 20)) continue;
      std::vector<std::byte> values(static_cast<size_t>(size));
      copy_values(tensor, values.data());
      release_values(tensor);
    }
  } catch (const std::invalid_argument& error) {
    const std::string what = error.what();
    if (what.rfind("fuzz: ", 0) != 0 || what.find('\n') != std::string::npos) __builtin_trap();
  }
}

}  // namespace convscope

// Untrusted bytes: numbers are read only where there are bytes, and sums do not overflow. All
// readers here throw std::invalid_argument without the path; read_weights puts it in front.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace convscope {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats are little-endian");

/// Bytes of the file, or of a part of it. Not text.
using Bytes = std::string_view;

inline bool starts_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

/// "1b".
std::string hexadecimal(unsigned char byte);

/// "resnet 18\x1b", at most about 80 characters: what a hostile file calls a thing.
std::string in_quotes(std::string_view text);

/// "1 tensor", "3 tensors".
std::string counted(uint64_t n, const std::string& noun);

[[noreturn]] inline void fail(const std::string& what) { throw std::invalid_argument(what); }

/// "is cut short: ...", for a file of `size` bytes that must have `wanted`.
[[noreturn]] void fail_cut_short(uint64_t wanted, uint64_t size, const std::string& why);

inline uint64_t sum(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) fail("claims more than 2^64 bytes");
  return result;
}

inline uint64_t product(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) fail("claims more than 2^64 bytes");
  return result;
}

/// The `count` bytes at `at`; `what` names them in the error.
inline Bytes part(Bytes bytes, uint64_t at, uint64_t count, const std::string& what) {
  if (at > bytes.size() || count > bytes.size() - at) {
    fail_cut_short(sum(at, count), bytes.size(), what);
  }
  return bytes.substr(at, count);
}

/// The number at `at`, which the caller knows to be inside.
template <class Number>
Number number_at(Bytes bytes, uint64_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

}  // namespace convscope

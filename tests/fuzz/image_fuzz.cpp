// Any bytes as an image: read, or BrokenImage; and a part of it is the same as the whole.
#include <cstdlib>
#include <cstring>

#include "suite/data/image.h"

using convscope::BrokenImage;
using convscope::decode_image;
using convscope::Image;
using convscope::Region;
using convscope::Size;

namespace {

void compare(const Image& whole, const Image& part) {
  const int64_t bytes = part.part.width * part.channels;
  for (int64_t y = 0; y < part.part.height; ++y) {
    const int64_t from = ((part.part.top + y) * whole.part.width + part.part.left) * whole.channels;
    if (std::memcmp(&whole.pixels[from], &part.pixels[y * bytes], bytes) != 0) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  // The size of the file chooses the part.
  const auto middle = [&](Size full) {
    const auto shift = static_cast<int64_t>(size % 7);
    return Region{full.height * shift / 8, full.width * (6 - shift) / 8, full.height / 4 + 1,
                  full.width / 3 + 1};
  };
  const int64_t channels = size % 2 == 0 ? 3 : 1;
  bool whole_is_read = false;
  try {
    const Image whole = decode_image(bytes, size, channels);
    whole_is_read = true;
    compare(whole, decode_image(bytes, size, channels, middle));
  } catch (const BrokenImage&) {
    if (whole_is_read) std::abort();
    // Its part may be whole.
    try {
      decode_image(bytes, size, channels, middle);
    } catch (const BrokenImage&) {
    }
  }
  return 0;
}

// An image as bytes, and reading one from a file's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace convscope {

struct Size {
  int64_t height, width;
};

/// A rectangle of pixels.
struct Region {
  int64_t top, left, height, width;
};

/// Bytes, height x width x channels; 1 channel is grey, 3 are red, green, blue. It may be a part of
/// a larger image, where only that was asked for: `part` says where in `full` it lies.
struct Image {
  Size full;
  Region part;
  int64_t channels;
  std::vector<uint8_t> pixels;  ///< part.height x part.width x channels
};

/// An image that cannot be read. The sentence does not name the file: who opened it does.
struct BrokenImage : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// Which part of an image of this size is wanted.
using WantedRegion = std::function<Region(Size)>;

/// Decodes JPEG or PNG, known by its first bytes, upright (EXIF orientation is applied), to
/// `channels` (1 or 3) channels; every byte equals Pillow's. Where `wanted` is given, at least that
/// part is returned, with the same pixels as without, and what lies below it is not read: that a
/// file is damaged there is not noticed. Throws BrokenImage: what is wrong, or what other format it
/// is. May be called by several threads at once.
Image decode_image(const std::byte* bytes, size_t size, int64_t channels,
                   const WantedRegion& wanted = {});

}  // namespace convscope

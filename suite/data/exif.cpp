// EXIF 2.3, section 4.6: a TIFF header, then a table of 12-byte entries. Whatever is not as it
// should be is as if it were not there, as in every viewer.
#include "suite/data/exif.h"

#include <utility>

namespace convscope {
namespace {

/// What has to be done to the stored image, in this order: turn its rows into columns, then these.
struct Turn {
  bool transposed, rows_flipped, columns_flipped;  ///< the flips are those of the stored image
};

Turn turn_of(int orientation) {
  return {orientation >= 5,
          orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7,
          orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8};
}

struct Tiff {
  const uint8_t* bytes;
  size_t size;
  bool big_endian;

  uint32_t number(size_t offset, size_t length) const {
    uint32_t value = 0;
    for (size_t i = 0; i < length; ++i) {
      value = value << 8 | bytes[offset + (big_endian ? i : length - 1 - i)];
    }
    return value;
  }
};

}  // namespace

int exif_orientation(const uint8_t* bytes, size_t size) {
  if (size < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M')) return 1;
  const Tiff tiff = {bytes, size, bytes[0] == 'M'};
  const size_t table = tiff.number(4, 4);
  if (tiff.number(2, 2) != 42 || table > size - 2) return 1;
  const size_t entries = tiff.number(table, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = table + 2 + i * 12;
    if (entry + 12 > size) return 1;
    if (tiff.number(entry, 2) != 0x0112) continue;
    constexpr uint32_t type_short = 3;
    const uint32_t value = tiff.number(entry + 8, 2);
    const bool valid = tiff.number(entry + 2, 2) == type_short && value >= 1 && value <= 8;
    return valid ? static_cast<int>(value) : 1;
  }
  return 1;
}

Size upright_size(Size stored, int orientation) {
  if (turn_of(orientation).transposed) std::swap(stored.height, stored.width);
  return stored;
}

Region stored_region(const Region& upright, Size stored, int orientation) {
  const Turn turn = turn_of(orientation);
  Region region = upright;
  if (turn.transposed) region = {upright.left, upright.top, upright.width, upright.height};
  if (turn.rows_flipped) region.top = stored.height - region.top - region.height;
  if (turn.columns_flipped) region.left = stored.width - region.left - region.width;
  return region;
}

Image upright(Image stored, int orientation) {
  if (orientation == 1) return stored;
  const Turn turn = turn_of(orientation);
  const Region& from = stored.part;
  Region part = from;
  if (turn.rows_flipped) part.top = stored.full.height - from.top - from.height;
  if (turn.columns_flipped) part.left = stored.full.width - from.left - from.width;
  if (turn.transposed) part = {part.left, part.top, part.width, part.height};
  Image image = {upright_size(stored.full, orientation), part, stored.channels, {}, stored.grey};
  image.pixels.resize(stored.pixels.size());
  uint8_t* out = image.pixels.data();
  for (int64_t y = 0; y < part.height; ++y) {
    for (int64_t x = 0; x < part.width; ++x) {
      int64_t row = turn.transposed ? x : y, column = turn.transposed ? y : x;
      if (turn.rows_flipped) row = from.height - 1 - row;
      if (turn.columns_flipped) column = from.width - 1 - column;
      const uint8_t* pixel = &stored.pixels[(row * from.width + column) * stored.channels];
      for (int64_t c = 0; c < stored.channels; ++c) *out++ = pixel[c];
    }
  }
  return image;
}

}  // namespace convscope

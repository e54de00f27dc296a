// PNG, by libspng.
#include <spng.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "suite/data/exif.h"
#include "suite/data/formats.h"

namespace convscope {
namespace {

void check(int error) {
  if (error == 0) return;
  if (error == SPNG_IO_EOF || error == SPNG_EOF || error == SPNG_EIDAT_TOO_SHORT) {
    throw BrokenImage("is cut short: the PNG ends before its image does");
  }
  throw BrokenImage("is a broken PNG: " + std::string(spng_strerror(error)));
}

/// Deflate makes at most 1032 bytes of one.
double pixels_held(const spng_ihdr& header, size_t size) {
  const int channels[] = {1, 0, 3, 1, 2, 0, 4};  // by the type of colour; libspng knows which exist
  return static_cast<double>(size) * 1032 * 8 / (channels[header.color_type] * header.bit_depth);
}

}  // namespace

Image decode_png(const uint8_t* bytes, size_t size, int64_t channels, const WantedRegion& wanted) {
  const std::unique_ptr<spng_ctx, decltype(&spng_ctx_free)> png(spng_ctx_new(0), spng_ctx_free);
  if (png == nullptr) throw std::bad_alloc();
  // A chunk is at most as long as the file; texts and profiles, unpacked, take no more than this.
  constexpr size_t most_beside_pixels = size_t{64} << 20;
  check(spng_set_chunk_limits(png.get(), std::max(size, size_t{4096}), most_beside_pixels));
  // What is wrong with a comment is not wrong with the image.
  check(spng_set_crc_action(png.get(), SPNG_CRC_ERROR, SPNG_CRC_DISCARD));
  check(spng_set_png_buffer(png.get(), bytes, size));
  spng_ihdr header;
  check(spng_get_ihdr(png.get(), &header));
  const Size stored = {header.height, header.width};
  check_pixels(stored, pixels_held(header, size));
  spng_exif exif;
  int orientation = 1;
  if (spng_get_exif(png.get(), &exif) == 0) {
    orientation = exif_orientation(reinterpret_cast<const uint8_t*>(exif.data), exif.length);
  }

  // To 8 bits, the upper ones of 16, with the palette looked up, without alpha.
  check(spng_decode_image(png.get(), nullptr, 0, SPNG_FMT_RGB8, SPNG_DECODE_PROGRESSIVE));
  const Region part = region_of(wanted, upright_size(stored, orientation));
  Image image = {stored, stored_region(part, stored, orientation), channels, {}};
  image.grey = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE ||
               header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
  const Region& region = image.part;
  image.pixels.resize(region.height * region.width * channels);

  // Row by row. An interlaced image comes in seven passes, which fill its rows bit by bit.
  const bool interlaced = header.interlace_method != SPNG_INTERLACE_NONE;
  const int64_t row_bytes = stored.width * 3;
  std::vector<uint8_t> rows(row_bytes * (interlaced ? stored.height : 1));
  const auto keep = [&](int64_t row, const uint8_t* rgb) {
    row -= region.top;
    if (row < 0 || row >= region.height) return;
    uint8_t* out = image.pixels.data() + row * region.width * channels;
    rgb += region.left * 3;
    if (channels == 1) {
      to_grey(rgb, region.width, out);
    } else {
      std::memcpy(out, rgb, region.width * 3);
    }
  };
  if (interlaced) {
    for (int end = 0; end == 0;) {
      spng_row_info info;
      check(spng_get_row_info(png.get(), &info));
      end = spng_decode_row(png.get(), rows.data() + info.row_num * row_bytes, row_bytes);
      if (end != SPNG_EOI) check(end);
    }
    for (int64_t y = 0; y < stored.height; ++y) keep(y, rows.data() + y * row_bytes);
  } else {
    for (int64_t y = 0; y < region.top + region.height; ++y) {
      const int error = spng_decode_row(png.get(), rows.data(), row_bytes);
      if (error != SPNG_EOI) check(error);
      keep(y, rows.data());
    }
  }
  if (interlaced || region.top + region.height == stored.height) {
    // The checksum of the last rows comes behind them. Where more is missing there, nothing is
    // lost.
    const int error = spng_decode_chunks(png.get());
    if (error == SPNG_ECHUNK_CRC) check(error);
  }
  return upright(std::move(image), orientation);
}

}  // namespace convscope

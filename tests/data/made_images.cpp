// Encoders for the tests, by libjpeg and libspng.
#include "tests/data/made_images.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

// jpeglib.h needs <cstdio>.
#include <jpeglib.h>
#include <spng.h>

#include "suite/data/random.h"

namespace convscope {

Bytes made_pixels(int64_t height, int64_t width, int64_t channels, uint64_t seed) {
  Random random(seed);
  Bytes pixels;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        const double wave = std::sin(static_cast<double>(x) / static_cast<double>(7 + 5 * c) +
                                     static_cast<double>(y) / 23);
        pixels.push_back(static_cast<uint8_t>(127 + 90 * wave + 37 * random.uniform()));
      }
    }
  }
  return pixels;
}

Bytes made_exif(int orientation, bool big_endian) {
  const auto value = static_cast<uint8_t>(orientation);
  if (big_endian) {
    return {'M', 'M', 0, 42, 0, 0, 0,     8, 0, 1, 1, 0x12, 0,
            3,   0,   0, 0,  1, 0, value, 0, 0, 0, 0, 0,    0};
  }
  return {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
}

Bytes made_jpeg(int64_t height, int64_t width, const JpegKind& kind) {
  return made_jpeg(made_pixels(height, width, kind.components), height, width, kind);
}

Bytes made_jpeg(const Bytes& pixels, int64_t height, int64_t width, const JpegKind& kind) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): libjpeg's
  jpeg_mem_dest(&info, &out, &size);
  info.image_height = static_cast<JDIMENSION>(height);
  info.image_width = static_cast<JDIMENSION>(width);
  info.input_components = kind.components;
  info.in_color_space = kind.components == 1   ? JCS_GRAYSCALE
                        : kind.components == 3 ? JCS_RGB
                        : kind.components == 4 ? JCS_CMYK
                                               : JCS_UNKNOWN;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, kind.quality, TRUE);
  if (kind.coloured_as_rgb) jpeg_set_colorspace(&info, info.in_color_space);
  if (kind.components == 4 && !kind.coloured_as_rgb) jpeg_set_colorspace(&info, JCS_YCCK);
  for (int i = 0; i < info.num_components; ++i) {
    info.comp_info[i].h_samp_factor = i == 0 ? kind.horizontal : 1;
    info.comp_info[i].v_samp_factor = i == 0 ? kind.vertical : 1;
  }
  info.arith_code = kind.arithmetic ? TRUE : FALSE;
  info.restart_interval = static_cast<unsigned>(kind.restart_interval);
  if (kind.progressive) jpeg_simple_progression(&info);
  if (kind.coarse) info.num_scans = 1;
  jpeg_start_compress(&info, TRUE);
  if (kind.orientation > 0) {
    Bytes exif = {'E', 'x', 'i', 'f', 0, 0};
    for (const uint8_t byte : made_exif(kind.orientation, kind.orientation % 2 == 0)) {
      exif.push_back(byte);
    }
    jpeg_write_marker(&info, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
  }
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<uint8_t*>(&pixels[info.next_scanline * width * kind.components]);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  Bytes file(out, out + size);
  std::free(out);
  return file;
}

Bytes made_png(const Bytes& pixels, int64_t height, int64_t width, const PngKind& kind) {
  spng_ctx* png = spng_ctx_new(SPNG_CTX_ENCODER);
  spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header = {};
  header.height = static_cast<uint32_t>(height);
  header.width = static_cast<uint32_t>(width);
  header.color_type = static_cast<uint8_t>(kind.type);
  header.bit_depth = static_cast<uint8_t>(kind.depth);
  header.interlace_method = kind.interlaced ? 1 : 0;
  spng_set_ihdr(png, &header);
  if (!kind.palette.empty()) {
    spng_plte palette = {};
    palette.n_entries = static_cast<uint32_t>(kind.palette.size() / 3);
    for (uint32_t i = 0; i < palette.n_entries; ++i) {
      palette.entries[i] = {kind.palette[i * 3], kind.palette[i * 3 + 1], kind.palette[i * 3 + 2],
                            0};
    }
    spng_set_plte(png, &palette);
  }
  Bytes exif_bytes = kind.exif;  // libspng keeps a pointer to them
  if (!exif_bytes.empty()) {
    spng_exif exif = {exif_bytes.size(), reinterpret_cast<char*>(exif_bytes.data())};
    spng_set_exif(png, &exif);
  }
  const int error =
      spng_encode_image(png, pixels.data(), pixels.size(), SPNG_FMT_RAW, SPNG_ENCODE_FINALIZE);
  if (error != 0) throw std::runtime_error(spng_strerror(error));
  size_t size = 0;
  int result = 0;
  void* out = spng_get_png_buffer(png, &size, &result);
  const auto* bytes = static_cast<const uint8_t*>(out);
  Bytes file(bytes, bytes + size);
  std::free(out);
  spng_ctx_free(png);
  return file;
}

Image decode(const Bytes& file, int64_t channels, const WantedRegion& wanted) {
  return decode_image(reinterpret_cast<const std::byte*>(file.data()), file.size(), channels,
                      wanted);
}

std::string refusal(const Bytes& file) {
  try {
    decode(file);
  } catch (const BrokenImage& broken) {
    return broken.what();
  }
  return {};
}

Bytes part_of(const Image& image, const Region& part) {
  Bytes pixels;
  for (int64_t y = part.top; y < part.top + part.height; ++y) {
    const auto row =
        image.pixels.begin() +
        ((y - image.part.top) * image.part.width + part.left - image.part.left) * image.channels;
    pixels.insert(pixels.end(), row, row + part.width * image.channels);
  }
  return pixels;
}

}  // namespace convscope

// Small files of each format, made by the tests themselves.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace convscope {

inline std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

inline std::string gzipped(const std::string& bytes) {
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

inline std::string idx_labels(const std::string& labels) {
  return big_endian(0x801) + big_endian(static_cast<uint32_t>(labels.size())) + labels;
}

/// Every pixel of image i is i.
inline std::string idx_images(uint32_t count, uint32_t height, uint32_t width) {
  std::string bytes =
      big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width);
  for (uint32_t i = 0; i < count; ++i) bytes += std::string(height * width, static_cast<char>(i));
  return bytes;
}

/// A record of CIFAR: labels, then planes that are all red, all green, all blue.
inline std::string cifar_record(const std::string& labels, char red, char green, char blue) {
  return labels + std::string(1024, red) + std::string(1024, green) + std::string(1024, blue);
}

/// A grey PNG of one value.
inline std::string grey_png(uint32_t height, uint32_t width, uint8_t value) {
  const auto chunk = [](const std::string& content) {
    const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
    const auto crc = crc32(0, bytes, static_cast<uInt>(content.size()));
    return big_endian(static_cast<uint32_t>(content.size()) - 4) + content +
           big_endian(static_cast<uint32_t>(crc));
  };
  std::string rows;
  for (uint32_t row = 0; row < height; ++row) {
    rows += '\0' + std::string(width, static_cast<char>(value));
  }
  std::string packed(compressBound(rows.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(size);
  const std::string depth_8_grey("\x08\0\0\0\0", 5);
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR" + big_endian(width) + big_endian(height) + depth_8_grey) +
         chunk("IDAT" + packed) + chunk("IEND");
}

}  // namespace convscope

#include "suite/data/bytes.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace convscope {

NamedBytes read_file(const std::filesystem::path& path) {
  const auto fail = [&] {
    throw std::invalid_argument("cannot read " + path.string() + ": " + std::strerror(errno));
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) fail();
  NamedBytes result{path.string(), {}};
  std::error_code ignored;
  const auto size = std::filesystem::file_size(path, ignored);
  if (!ignored) result.bytes.reserve(size + 1);
  // Until it ends, since a file may grow, or have no size at all.
  for (;;) {
    const size_t before = result.bytes.size();
    result.bytes.resize(std::max(before + 4096, result.bytes.capacity()));
    const size_t read =
        std::fread(result.bytes.data() + before, 1, result.bytes.size() - before, file.get());
    result.bytes.resize(before + read);
    if (std::ferror(file.get())) fail();
    if (std::feof(file.get())) return result;
  }
}

bool is_gzip(const std::vector<uint8_t>& bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

std::vector<uint8_t> gunzip(const NamedBytes& compressed, size_t limit) {
  z_stream stream = {};
  constexpr int gzip_only = 16 + MAX_WBITS;
  if (inflateInit2(&stream, gzip_only) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);

  std::vector<uint8_t> result;
  size_t taken = 0;
  for (;;) {
    // zlib counts in 32 bits.
    const size_t given = std::min<size_t>(compressed.bytes.size() - taken, 1 << 30);
    const size_t before = result.size();
    result.resize(std::min(limit, std::max<size_t>(2 * before, 65536)));
    const size_t room = std::min<size_t>(result.size() - before, 1 << 30);
    stream.next_in = const_cast<Bytef*>(compressed.bytes.data() + taken);
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = result.data() + before;
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    taken += given - stream.avail_in;
    result.resize(before + room - stream.avail_out);
    if (status == Z_STREAM_END || (status == Z_OK && result.size() == limit)) return result;
    if (status == Z_OK && (taken < compressed.bytes.size() || stream.avail_out == 0)) continue;
    const std::string after = " after " + std::to_string(result.size()) + " bytes";
    if (status == Z_OK || status == Z_BUF_ERROR) {
      throw std::invalid_argument(compressed.name + " is truncated: its gzip stream stops" + after +
                                  " of content; download it again");
    }
    throw std::invalid_argument(compressed.name + " is damaged: gzip finds '" +
                                (stream.msg ? stream.msg : "no reason") + "'" + after +
                                " of content; download it again");
  }
}

Image in_channels(Image image, int64_t channels) {
  if (image.channels == channels) return image;
  const size_t count = image.pixels.size() / static_cast<size_t>(image.channels);
  std::vector<uint8_t> pixels(count * static_cast<size_t>(channels));
  for (size_t i = 0; i < count; ++i) {
    if (channels == 3) {
      std::fill_n(&pixels[3 * i], 3, image.pixels[i]);
    } else {
      const uint8_t* rgb = &image.pixels[3 * i];
      pixels[i] =
          static_cast<uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
    }
  }
  image.grey = image.grey || channels == 3;  // one of them was all there was
  image.channels = channels;
  image.pixels = std::move(pixels);
  return image;
}

}  // namespace convscope

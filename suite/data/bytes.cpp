#include "suite/data/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>

#include "suite/data/formats.h"

namespace convscope {

namespace {

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

std::vector<uint8_t> bytes_of(const Descriptor& file, uint64_t limit) {
  const auto fail = [](const std::string& reason) { throw std::invalid_argument(reason); };
  const auto fail_if_larger = [&](uint64_t size) {
    if (size <= limit) return;
    fail("it has more than the " + std::to_string(limit) + " bytes that are read at most");
  };
  struct stat about = {};
  if (file.number < 0 || fstat(file.number, &about) != 0) fail(std::strerror(errno));
  if (S_ISDIR(about.st_mode)) fail("it is a folder, where a file is expected");
  if (!S_ISREG(about.st_mode)) fail("it is a pipe or a device, where a regular file is expected");
  const auto size = static_cast<uint64_t>(about.st_size);
  fail_if_larger(size);

  std::vector<uint8_t> bytes;
  bytes.reserve(size + 1);
  // Until it ends, since a file may grow, or have no size at all.
  for (;;) {
    const size_t before = bytes.size();
    bytes.resize(std::max(before + 4096, bytes.capacity()));
    const ssize_t count = read(file.number, bytes.data() + before, bytes.size() - before);
    if (count < 0 && errno != EINTR) fail(std::strerror(errno));
    bytes.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return bytes;
    fail_if_larger(bytes.size());
  }
}

}  // namespace

NamedBytes read_file(const std::filesystem::path& path, uint64_t limit) {
  // A pipe would wait here for its writer.
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  try {
    return {path.string(), bytes_of(file, limit)};
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument("cannot read " + path.string() + ": " + error.what());
  } catch (const std::bad_alloc&) {
    throw std::invalid_argument("cannot read " + path.string() +
                                ": it is too large for the memory");
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
  if (channels == 3) {
    for (size_t i = 0; i < count; ++i) std::fill_n(&pixels[3 * i], 3, image.pixels[i]);
  } else {
    to_grey(image.pixels.data(), static_cast<int64_t>(count), pixels.data());
  }
  image.grey = image.grey || channels == 3;  // one of them was all there was
  image.channels = channels;
  image.pixels = std::move(pixels);
  return image;
}

}  // namespace convscope

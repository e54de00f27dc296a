// Which format it is; what the formats share.
#include "suite/data/image.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "suite/data/formats.h"

namespace convscope {
namespace {

/// What a file of this format has at this place.
struct Signature {
  size_t offset;
  std::string_view bytes, name;
};

using namespace std::string_view_literals;

// Those that stray into folders of images. The first that fits names it.
const Signature others[] = {
    {0, "GIF8"sv, "a GIF"},
    {8, "WEBP"sv, "a WebP"},
    {0, "BM"sv, "a BMP"},
    {0, "II*\0"sv, "a TIFF"},
    {0, "MM\0*"sv, "a TIFF"},
    {4, "ftypavi"sv, "an AVIF"},
    {4, "ftyp"sv, "a HEIC"},
    {0, "\xFF\x0A"sv, "a JPEG XL"},
    {4, "JXL "sv, "a JPEG XL"},
    {4, "jP  "sv, "a JPEG 2000"},
    {0, "8BPS"sv, "a Photoshop file"},
    {0, "%PDF"sv, "a PDF"},
    {0, "PK\3\4"sv, "a zip file"},
    {0, "\x1F\x8B"sv, "a gzip file"},
    {0, "<!DOCTYPE html"sv, "an HTML page"},
    {0, "<!doctype html"sv, "an HTML page"},
    {0, "<html"sv, "an HTML page"},
    {0, "<svg"sv, "an SVG"},
    {0, "<?xml"sv, "an XML file"},
    {0, "version https://git-lfs"sv, "a Git LFS pointer"},
};

bool begins_with(std::string_view file, std::string_view bytes) {
  return file.substr(0, bytes.size()) == bytes;
}

[[noreturn]] void refuse(std::string_view file) {
  if (file.empty()) throw BrokenImage("is empty, where a JPEG or a PNG is expected");
  for (const Signature& other : others) {
    if (file.size() > other.offset && begins_with(file.substr(other.offset), other.bytes)) {
      throw BrokenImage("is " + std::string(other.name) + ", and only JPEG and PNG are read");
    }
  }
  std::string start;
  for (const char c : file.substr(0, 4)) {
    char hexadecimal[4];
    std::snprintf(hexadecimal, sizeof(hexadecimal), " %02X", static_cast<unsigned char>(c));
    start += hexadecimal;
  }
  throw BrokenImage("is no image that is known: it begins with" + start +
                    ", and only JPEG and PNG are read");
}

}  // namespace

Image decode_image(const std::byte* bytes, size_t size, int64_t channels,
                   const WantedRegion& wanted) {
  if (channels != 1 && channels != 3) {
    throw std::invalid_argument("an image is decoded to 1 or 3 channels, not to " +
                                std::to_string(channels));
  }
  const std::string_view file(reinterpret_cast<const char*>(bytes), size);
  const auto* unsigned_bytes = reinterpret_cast<const uint8_t*>(bytes);
  if (begins_with(file, "\xFF\xD8\xFF"sv)) {
    return decode_jpeg(unsigned_bytes, size, channels, wanted);
  }
  if (begins_with(file, "\x89PNG\r\n\x1A\n"sv)) {
    return decode_png(unsigned_bytes, size, channels, wanted);
  }
  refuse(file);
}

void check_pixels(Size size, double held) {
  // Twice Pillow's limit, at which it takes a file for a decompression bomb. In doubles, which
  // cannot overflow.
  constexpr double most = 178956970;
  const std::string says = std::to_string(size.width) + " x " + std::to_string(size.height);
  const double pixels = static_cast<double>(size.width) * static_cast<double>(size.height);
  if (pixels < 1) throw BrokenImage("has no pixels: its header says " + says);
  if (pixels > most) {
    throw BrokenImage("is too large: " + says + " pixels, where 178956970 are the most");
  }
  if (pixels > held) {
    throw BrokenImage("is cut short or broken: its header says " + says +
                      " pixels, which a file this small cannot hold");
  }
}

Region region_of(const WantedRegion& wanted, Size full) {
  if (!wanted) return {0, 0, full.height, full.width};
  const Region asked = wanted(full);
  Region region;
  region.top = std::clamp<int64_t>(asked.top, 0, full.height - 1);
  region.left = std::clamp<int64_t>(asked.left, 0, full.width - 1);
  region.height = std::clamp(asked.top + asked.height, region.top + 1, full.height) - region.top;
  region.width = std::clamp(asked.left + asked.width, region.left + 1, full.width) - region.left;
  return region;
}

void to_grey(const uint8_t* rgb, int64_t pixels, uint8_t* grey) {
  for (int64_t i = 0; i < pixels; ++i, rgb += 3) {
    grey[i] =
        static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
  }
}

}  // namespace convscope

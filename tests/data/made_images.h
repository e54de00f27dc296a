// Images made by the test itself: every kind of JPEG and PNG that is met, small.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/data/image.h"

namespace convscope {

using Bytes = std::vector<uint8_t>;

struct JpegKind {
  int components = 3;
  bool coloured_as_rgb = false;      ///< no YCbCr; YCCK for four components unless this is set
  int horizontal = 1, vertical = 1;  ///< sampling of the first component; of the others 1
  bool progressive = false, arithmetic = false;
  bool coarse = false;  ///< only the first scan of a progressive image: averages of blocks
  int restart_interval = 0;
  int orientation = 0;  ///< 0: no EXIF
  int quality = 90;
};

/// Colours that change slowly with noise over them, height x width x channels.
Bytes made_pixels(int64_t height, int64_t width, int64_t channels, uint64_t seed = 1);

Bytes made_jpeg(int64_t height, int64_t width, const JpegKind& kind);
Bytes made_jpeg(const Bytes& pixels, int64_t height, int64_t width, const JpegKind& kind);

/// `pixels` are rows as PNG stores them; `type` is PNG's type of colour.
struct PngKind {
  int type = 2, depth = 8;
  bool interlaced = false;
  Bytes palette = {};  ///< red, green, blue of each
  Bytes exif = {};
};

Bytes made_png(const Bytes& pixels, int64_t height, int64_t width, const PngKind& kind);

/// EXIF's structure with nothing but the orientation in it.
Bytes made_exif(int orientation, bool big_endian);

Image decode(const Bytes& file, int64_t channels = 3, const WantedRegion& wanted = {});

/// What decode_image says of it; empty if it reads it.
std::string refusal(const Bytes& file);

/// The pixels of a part of an image.
Bytes part_of(const Image& image, const Region& part);

}  // namespace convscope

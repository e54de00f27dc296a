#include "suite/data/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "suite/data/exif.h"
#include "suite/data/random.h"
#include "tests/data/made_images.h"

namespace convscope {
namespace {

struct NamedKind {
  const char* name;
  JpegKind kind;
};

std::vector<NamedKind> jpeg_kinds() {
  std::vector<NamedKind> kinds;
  const auto add = [&](const char* name, const auto&... change) {
    kinds.push_back({name, {}});
    (change(kinds.back().kind), ...);
  };
  const auto sampled = [](int horizontal, int vertical) {
    return [=](JpegKind& k) { k.horizontal = horizontal, k.vertical = vertical; };
  };
  const auto components = [](int n) { return [=](JpegKind& k) { k.components = n; }; };
  const auto progressive = [](JpegKind& k) { k.progressive = true; };
  const auto arithmetic = [](JpegKind& k) { k.arithmetic = true; };
  const auto coarse = [](JpegKind& k) { k.progressive = k.coarse = true; };
  const auto as_rgb = [](JpegKind& k) { k.coloured_as_rgb = true; };
  const auto restarts = [](JpegKind& k) { k.restart_interval = 3; };
  add("4:4:4");
  add("4:2:2", sampled(2, 1));
  add("4:4:0", sampled(1, 2));
  add("4:2:0", sampled(2, 2));
  add("4:1:1", sampled(4, 1));
  add("4:1:0", sampled(4, 2));
  add("3 x 2", sampled(3, 2));
  add("1 x 4", sampled(1, 4));
  add("4:2:0 with restarts", sampled(2, 2), restarts);
  add("4:4:4 progressive", progressive);
  add("4:2:2 progressive", sampled(2, 1), progressive);
  add("4:2:0 progressive", sampled(2, 2), progressive);
  add("4:2:0 progressive with restarts", sampled(2, 2), progressive, restarts);
  add("4:2:0 coarse", sampled(2, 2), coarse);
  add("4:2:0 arithmetic", sampled(2, 2), arithmetic);
  add("4:2:0 arithmetic progressive", sampled(2, 2), arithmetic, progressive);
  add("RGB", as_rgb);
  add("grey", components(1));
  add("grey sampled 2 x 2", components(1), sampled(2, 2));
  add("grey progressive", components(1), progressive);
  add("CMYK", components(4), as_rgb);
  add("CMYK 4:2:0", components(4), as_rgb, sampled(2, 2));
  add("YCCK", components(4));
  add("YCCK 4:2:0 progressive", components(4), sampled(2, 2), progressive);
  return kinds;
}

/// Regions at random, and whether their pixels are those of the whole image.
void expect_parts_equal_the_whole(const Bytes& file, int64_t channels, int regions,
                                  Random& random) {
  const Image whole = decode(file, channels);
  for (int i = 0; i < regions; ++i) {
    const int64_t height = whole.full.height, width = whole.full.width;
    // Often narrow, and often at an edge.
    Region wanted;
    wanted.height = 1 + random.below(i % 2 == 0 ? height : std::min<int64_t>(height, 4));
    wanted.width = 1 + random.below(i % 2 == 0 ? width : std::min<int64_t>(width, 4));
    const int64_t below = height - wanted.height, right = width - wanted.width;
    wanted.top = i % 3 == 0 ? random.below(2) * below : random.below(below + 1);
    wanted.left = i % 3 == 0 ? random.below(2) * right : random.below(right + 1);
    const Image part = decode(file, channels, [&](Size full) {
      EXPECT_EQ(full.height, height);
      EXPECT_EQ(full.width, width);
      return wanted;
    });
    ASSERT_EQ(part.pixels.size(),
              static_cast<size_t>(part.part.height * part.part.width * channels));
    ASSERT_EQ(part_of(part, wanted), part_of(whole, wanted))
        << wanted.height << " x " << wanted.width << " at " << wanted.top << ", " << wanted.left
        << " of " << height << " x " << width;
  }
}

TEST(JpegTest, PartsAreThoseOfTheWholeForEveryKind) {
  Random random(5);
  for (const auto& [name, kind] : jpeg_kinds()) {
    SCOPED_TRACE(name);
    for (int i = 0; i < 12; ++i) {
      const int64_t most = i < 4 ? 24 : 150;
      const Bytes file = made_jpeg(1 + random.below(most), 1 + random.below(most), kind);
      expect_parts_equal_the_whole(file, i % 3 == 0 ? 1 : 3, 12, random);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(JpegTest, PartsOfTurnedImagesAreThoseOfTheWhole) {
  Random random(6);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    JpegKind kind;
    kind.orientation = orientation;
    kind.horizontal = kind.vertical = 2;
    expect_parts_equal_the_whole(made_jpeg(71, 113, kind), 3, 30, random);
  }
}

TEST(JpegTest, RealImagesInPartsAreThoseOfTheWhole) {
  const std::filesystem::path folder = CONVSCOPE_SHARED "/data/datasets";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no images in " << folder;
  Random random(7);
  int images = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".JPEG" && extension != ".jpg" && extension != ".jpeg") continue;
    if (++images % 5 != 0) continue;
    SCOPED_TRACE(entry.path());
    std::ifstream stream(entry.path(), std::ios::binary);
    const Bytes file((std::istreambuf_iterator<char>(stream)), {});
    expect_parts_equal_the_whole(file, 3, 2, random);
  }
  EXPECT_GT(images, 0);
}

// Pixels of one colour survive every compression.
TEST(JpegTest, ColoursAreThoseThatWereWritten) {
  const auto first_pixel = [](const Bytes& colour, bool as_rgb, int64_t channels) {
    JpegKind kind;
    kind.components = static_cast<int>(colour.size());
    kind.coloured_as_rgb = as_rgb;
    kind.quality = 100;
    Bytes pixels;
    for (int i = 0; i < 64; ++i) pixels.insert(pixels.end(), colour.begin(), colour.end());
    Image image = decode(made_jpeg(pixels, 8, 8, kind), channels);
    image.pixels.resize(channels);
    return image.pixels;
  };
  EXPECT_EQ(first_pixel({200, 100, 50}, true, 3), (Bytes{200, 100, 50}));
  EXPECT_EQ(first_pixel({200, 100, 50}, true, 1), Bytes{124}) << "0.299 R + 0.587 G + 0.114 B";
  EXPECT_EQ(first_pixel({77}, false, 1), Bytes{77});
  EXPECT_EQ(first_pixel({77}, false, 3), (Bytes{77, 77, 77}));
  // Inverted CMYK: 255 is no ink, so white is all 255 and full black 0 in the last.
  EXPECT_EQ(first_pixel({255, 255, 255, 255}, true, 3), (Bytes{255, 255, 255}));
  EXPECT_EQ(first_pixel({255, 0, 0, 255}, true, 3), (Bytes{255, 0, 0})) << "magenta and yellow";
  EXPECT_EQ(first_pixel({255, 255, 255, 0}, true, 3), (Bytes{0, 0, 0}));
  EXPECT_EQ(first_pixel({255, 255, 255, 100}, false, 1), Bytes{100});
}

TEST(JpegTest, OrientationTurnsTheImageUpright) {
  // Where the corner that is stored first lies in the upright image: TIFF 6.0, Orientation.
  const struct {
    int orientation;
    bool bottom, right;
  } rows[] = {{0, false, false}, {1, false, false}, {2, false, true},
              {3, true, true},   {4, true, false},  {5, false, false},
              {6, false, true},  {7, true, true},   {8, true, false}};
  Bytes pixels(16 * 32, 0);
  for (int y = 0; y < 8; ++y) std::fill_n(pixels.begin() + y * 32, 8, 255);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.orientation);
    JpegKind kind;
    kind.components = 1;
    kind.orientation = row.orientation;
    const Image image = decode(made_jpeg(pixels, 16, 32, kind), 1);
    const bool turned = row.orientation >= 5;
    ASSERT_EQ(image.full.height, turned ? 32 : 16);
    ASSERT_EQ(image.full.width, turned ? 16 : 32);
    for (const bool bottom : {false, true}) {
      for (const bool right : {false, true}) {
        const int64_t y = bottom ? image.full.height - 1 : 0, x = right ? image.full.width - 1 : 0;
        const bool white = image.pixels[y * image.full.width + x] > 128;
        EXPECT_EQ(white, bottom == row.bottom && right == row.right) << y << ", " << x;
      }
    }
  }
}

TEST(ExifTest, BrokenStructuresAreNoOrientation) {
  for (const bool big_endian : {false, true}) {
    const Bytes exif = made_exif(6, big_endian);
    EXPECT_EQ(exif_orientation(exif.data(), exif.size()), 6);
    for (size_t size = 0; size < 22; ++size) {
      const Bytes cut(exif.begin(), exif.begin() + static_cast<int64_t>(size));
      EXPECT_EQ(exif_orientation(cut.data(), cut.size()), 1) << size;
    }
    for (size_t i = 0; i < exif.size(); ++i) {
      Bytes broken = exif;
      broken[i] = 255;
      const int orientation = exif_orientation(broken.data(), broken.size());
      EXPECT_TRUE(orientation == 1 || orientation == 6) << i;
    }
  }
  for (const int value : {0, 9, 255}) {
    const Bytes exif = made_exif(value, true);
    EXPECT_EQ(exif_orientation(exif.data(), exif.size()), 1);
  }
}

TEST(JpegTest, EveryTruncationIsAnError) {
  for (const bool progressive : {false, true}) {
    JpegKind kind;
    kind.progressive = progressive;
    kind.horizontal = kind.vertical = 2;
    const Bytes file = made_jpeg(40, 50, kind);
    for (size_t size = 0; size + 2 < file.size(); ++size) {
      const Bytes cut(file.begin(), file.begin() + static_cast<int64_t>(size));
      ASSERT_NE(refusal(cut), "") << size << " of " << file.size();
    }
    const Bytes half(file.begin(), file.begin() + static_cast<int64_t>(file.size() / 2));
    EXPECT_EQ(refusal(half), "is cut short: the JPEG ends before its image does");
  }
}

TEST(JpegTest, BytesBetweenSegmentsDoNoHarm) {
  // As some of ImageNet's have: libjpeg warns of them, and the pixels are right.
  const Bytes file = made_jpeg(20, 30, {});
  Bytes stuffed = file;
  stuffed.insert(stuffed.end() - 2, {1, 2, 3});
  EXPECT_EQ(decode(stuffed).pixels, decode(file).pixels);
  Bytes longer = file;
  longer.insert(longer.end(), 100, 7);
  EXPECT_EQ(decode(longer).pixels, decode(file).pixels);
}

TEST(JpegTest, LostRestartIsAnError) {
  JpegKind kind;
  kind.restart_interval = 2;
  Bytes file = made_jpeg(40, 50, kind);
  for (size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == 0xFF && file[i + 1] == 0xD3) file[i + 1] = 0xD5;
  }
  EXPECT_EQ(refusal(file).find("is a broken JPEG: Corrupt JPEG data"), 0u) << refusal(file);
}

TEST(JpegTest, HeaderThatPromisesMoreThanTheFileHoldsIsRefused) {
  Bytes file = made_jpeg(40, 50, {});
  size_t frame = 0;
  while (file[frame] != 0xFF || file[frame + 1] != 0xC0) ++frame;
  const auto with_size = [&](int height, int width) {
    Bytes changed = file;
    changed[frame + 5] = static_cast<uint8_t>(height >> 8);
    changed[frame + 6] = static_cast<uint8_t>(height);
    changed[frame + 7] = static_cast<uint8_t>(width >> 8);
    changed[frame + 8] = static_cast<uint8_t>(width);
    return refusal(changed);
  };
  EXPECT_EQ(with_size(65500, 65500),
            "is too large: 65500 x 65500 pixels, where 178956970 are the most");
  EXPECT_EQ(with_size(10000, 12000),
            "is cut short or broken: its header says 12000 x 10000 pixels, which a file this small "
            "cannot hold");
  EXPECT_EQ(with_size(400, 500),
            "is a broken JPEG: Corrupt JPEG data: premature end of data segment");
  EXPECT_NE(with_size(0, 50), "");
  EXPECT_NE(with_size(40, 0), "");
}

TEST(JpegTest, ManyScansAreRefused) {
  JpegKind kind;
  kind.progressive = true;
  Bytes file = made_jpeg(16, 16, kind);
  // The last scan, again and again.
  size_t scan = file.size();
  while (file[scan - 2] != 0xFF || file[scan - 1] != 0xDA) --scan;
  const Bytes last(file.begin() + static_cast<int64_t>(scan) - 2, file.end() - 2);
  for (int i = 0; i < 600; ++i) file.insert(file.end() - 2, last.begin(), last.end());
  EXPECT_EQ(refusal(file), "is a broken JPEG: over 500 scans");
}

TEST(JpegTest, TwoComponentsAreNoColour) {
  JpegKind kind;
  kind.components = 2;
  EXPECT_EQ(refusal(made_jpeg(8, 8, kind)),
            "is a JPEG of 2 components, which stand for no known colours");
}

// ---- PNG

TEST(PngTest, EveryTypeAndDepthIsRead) {
  const auto pixels = [](const Bytes& stored, int64_t width, PngKind kind, int64_t channels = 3) {
    return decode(made_png(stored, 1, width, kind), channels).pixels;
  };
  // Grey: 1, 2 and 4 bits are spread over 0 to 255; of 16 the upper 8 count.
  EXPECT_EQ(pixels({0b10100000}, 3, {0, 1}, 1), (Bytes{255, 0, 255}));
  EXPECT_EQ(pixels({0b00011011}, 4, {0, 2}, 1), (Bytes{0, 85, 170, 255}));
  EXPECT_EQ(pixels({0x1F}, 2, {0, 4}, 1), (Bytes{17, 255}));
  EXPECT_EQ(pixels({5, 200}, 2, {0, 8}), (Bytes{5, 5, 5, 200, 200, 200}));
  EXPECT_EQ(pixels({0x12, 0x80, 0xFE, 0xFF}, 2, {0, 16}, 1), (Bytes{0x12, 0xFE}));
  // Colour.
  EXPECT_EQ(pixels({1, 2, 3}, 1, {2, 8}), (Bytes{1, 2, 3}));
  EXPECT_EQ(pixels({200, 100, 50}, 1, {2, 8}, 1), Bytes{124});
  EXPECT_EQ(pixels({1, 99, 2, 99, 3, 99}, 1, {2, 16}), (Bytes{1, 2, 3}));
  // Alpha is dropped, however little of the pixel it leaves.
  EXPECT_EQ(pixels({7, 0}, 1, {4, 8}), (Bytes{7, 7, 7}));
  EXPECT_EQ(pixels({1, 2, 3, 0}, 1, {6, 8}), (Bytes{1, 2, 3}));
  EXPECT_EQ(pixels({1, 9, 2, 9, 3, 9, 0, 0}, 1, {6, 16}), (Bytes{1, 2, 3}));
  // Palette.
  const Bytes palette = {10, 20, 30, 40, 50, 60};
  EXPECT_EQ(pixels({1, 0}, 2, {3, 8, false, palette}), (Bytes{40, 50, 60, 10, 20, 30}));
  EXPECT_EQ(pixels({0b01000000}, 2, {3, 1, false, palette}), (Bytes{10, 20, 30, 40, 50, 60}));
}

TEST(PngTest, PartsAreThoseOfTheWhole) {
  Random random(8);
  for (const bool interlaced : {false, true}) {
    for (const int orientation : {1, 6, 7}) {
      SCOPED_TRACE(orientation);
      PngKind kind;
      kind.interlaced = interlaced;
      if (orientation > 1) kind.exif = made_exif(orientation, false);
      const Bytes stored = made_pixels(37, 53, 3);
      const Bytes file = made_png(stored, 37, 53, kind);
      if (orientation == 1) {
        EXPECT_EQ(decode(file).pixels, stored);
      }
      for (const int64_t channels : {1, 3}) {
        expect_parts_equal_the_whole(file, channels, 20, random);
      }
    }
  }
}

TEST(PngTest, EveryTruncationIsAnError) {
  for (const bool interlaced : {false, true}) {
    PngKind kind;
    kind.interlaced = interlaced;
    const Bytes file = made_png(made_pixels(20, 30, 3), 20, 30, kind);
    // Behind the pixels stand their checksums and IEND.
    for (size_t size = 0; size + 20 < file.size(); ++size) {
      const Bytes cut(file.begin(), file.begin() + static_cast<int64_t>(size));
      ASSERT_NE(refusal(cut), "") << size << " of " << file.size();
    }
    const Bytes half(file.begin(), file.begin() + static_cast<int64_t>(file.size() / 2));
    EXPECT_EQ(refusal(half), "is cut short: the PNG ends before its image does");
  }
}

TEST(PngTest, ChangedBytesAreNoticed) {
  const Bytes file = made_png(made_pixels(20, 30, 3), 20, 30, {});
  for (size_t i = 0; i + 16 < file.size(); ++i) {
    Bytes changed = file;
    changed[i] ^= 0x10;
    EXPECT_NE(refusal(changed), "") << i;
  }
}

TEST(PngTest, HeaderThatPromisesMoreThanTheFileHoldsIsRefused) {
  const auto header = [](uint32_t height, uint32_t width) {
    // Signature, length, IHDR, size, 8-bit RGB, checksum: libspng's own reader checks the last.
    Bytes file = made_png(Bytes(3), 1, 1, {});
    const auto put_number = [&](size_t at, uint32_t value) {
      for (int i = 0; i < 4; ++i) file[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
    };
    put_number(16, width);
    put_number(20, height);
    uint32_t crc = ~0U;
    for (size_t i = 12; i < 29; ++i) {
      crc ^= file[i];
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
    }
    put_number(29, ~crc);
    return refusal(file);
  };
  EXPECT_EQ(header(1, 1), "");
  EXPECT_EQ(header(100000, 100000),
            "is too large: 100000 x 100000 pixels, where 178956970 are the most");
  EXPECT_EQ(header(10000, 12000),
            "is cut short or broken: its header says 12000 x 10000 pixels, which a file this small "
            "cannot hold");
  EXPECT_NE(header(0, 5), "");
}

// ---- other files

TEST(ImageTest, OtherFormatsAreNamed) {
  const auto said = [](const std::string& start) {
    return refusal(Bytes(start.begin(), start.end()));
  };
  using std::string_literals::operator""s;
  EXPECT_EQ(said("GIF89a..."), "is a GIF, and only JPEG and PNG are read");
  EXPECT_EQ(said("RIFF\1\2\3\4WEBPVP8 "), "is a WebP, and only JPEG and PNG are read");
  EXPECT_EQ(said("BM6\1"), "is a BMP, and only JPEG and PNG are read");
  EXPECT_EQ(said("II*\0\10"s), "is a TIFF, and only JPEG and PNG are read");
  EXPECT_EQ(said("\0\0\0\x18"
                 "ftypheic"s),
            "is a HEIC, and only JPEG and PNG are read");
  EXPECT_EQ(said("\0\0\0\x18"
                 "ftypavif"s),
            "is an AVIF, and only JPEG and PNG are read");
  EXPECT_EQ(said("<!DOCTYPE html><p>404"), "is an HTML page, and only JPEG and PNG are read");
  EXPECT_EQ(said(""), "is empty, where a JPEG or a PNG is expected");
  EXPECT_EQ(said("abc"),
            "is no image that is known: it begins with 61 62 63, and only JPEG and PNG are read");
}

TEST(ImageTest, WantedRegionBeyondTheImageIsCutToIt) {
  const Bytes file = made_jpeg(10, 20, {});
  const auto part = [&](Region wanted) {
    return decode(file, 3, [&](Size) { return wanted; }).part;
  };
  EXPECT_EQ(part({-5, -5, 100, 100}).height, 10);
  EXPECT_EQ(part({-5, -5, 100, 100}).width, 20);
  EXPECT_EQ(part({50, 50, 5, 5}).top, 9);
  EXPECT_EQ(part({3, 4, 0, 0}).height, 1) << "an image without pixels is none";
}

TEST(ImageTest, ExceptionOfTheCallbackPasses) {
  const Bytes file = made_jpeg(10, 20, {});
  EXPECT_THROW(decode(file, 3, [](Size) -> Region { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_THROW(decode(file, 2), std::invalid_argument);
}

}  // namespace
}  // namespace convscope

// JPEG, by libjpeg-turbo: the pixels that every program gets that decodes accurately, as Pillow
// does, but of the wanted part alone.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>

// jpeglib.h needs <cstdio>, and jerror.h numbers its messages by what jpeglib.h says.
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "suite/data/exif.h"
#include "suite/data/formats.h"

namespace convscope {
namespace {

// Each scan of a progressive file goes over the whole image, and takes a dozen bytes to ask for.
constexpr int most_scans = 500;

/// Warnings after which pixels are wrong. The others are about what stands between the data, or
/// about headers, and were met in files that are right.
bool loses_pixels(int warning) {
  return warning == JWRN_JPEG_EOF || warning == JWRN_HIT_MARKER || warning == JWRN_HUFF_BAD_CODE ||
         warning == JWRN_ARITH_BAD_CODE || warning == JWRN_MUST_RESYNC;
}

/// libjpeg's state. It reports errors by a jump, which must not pass by a destructor: what runs
/// inside `guarded` owns nothing.
class Decompressor {
 public:
  Decompressor(const uint8_t* bytes, size_t size);
  ~Decompressor() { jpeg_destroy_decompress(&info_); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  Size size() const { return {info_.image_height, info_.image_width}; }
  int orientation() const;
  /// The most pixels in a byte: one bit for each block of the coarsest component; an arithmetic
  /// coder can do better.
  double pixels_in_a_byte() const { return info_.arith_code ? 8 * 512 : 512; }
  void read(const Region& region, int64_t channels, uint8_t* out);

 private:
  static Decompressor& self(j_common_ptr info) {
    return *static_cast<Decompressor*>(info->client_data);
  }
  [[noreturn]] static void on_error(j_common_ptr info) {
    info->err->format_message(info, self(info).message_.data());
    self(info).failed_with_ = info->err->msg_code;
    std::longjmp(self(info).jump_, 1);
  }
  static void on_message(j_common_ptr info, int level) {
    if (level < 0 && loses_pixels(info->err->msg_code)) on_error(info);
  }
  static void on_progress(j_common_ptr info) {
    Decompressor& decompressor = self(info);
    if (decompressor.info_.input_scan_number <= most_scans) return;
    std::snprintf(decompressor.message_.data(), decompressor.message_.size(), "over %d scans",
                  most_scans);
    std::longjmp(decompressor.jump_, 1);
  }

  template <class Function>
  void guarded(Function function) {
    if (setjmp(jump_) != 0) fail();
    function();
  }
  [[noreturn]] void fail() const;

  bool parts_are_exact() const;
  void read_rows(const Region& region, int64_t channels, uint8_t* out, JSAMPROW* rows);

  jpeg_decompress_struct info_ = {};
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf jump_ = {};
  std::array<char, JMSG_LENGTH_MAX> message_ = {};
  int failed_with_ = 0;
};

Decompressor::Decompressor(const uint8_t* bytes, size_t size) {
  info_.err = jpeg_std_error(&errors_);
  errors_.error_exit = on_error;
  errors_.emit_message = on_message;
  info_.client_data = this;
  progress_.progress_monitor = on_progress;
  try {
    guarded([&] {
      jpeg_create_decompress(&info_);
      info_.progress = &progress_;
      jpeg_mem_src(&info_, bytes, size);
      jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
      jpeg_read_header(&info_, TRUE);
    });
  } catch (...) {
    jpeg_destroy_decompress(&info_);  // no destructor without an object
    throw;
  }
}

void Decompressor::fail() const {
  if (failed_with_ == JWRN_JPEG_EOF || failed_with_ == JERR_INPUT_EOF) {
    throw BrokenImage("is cut short: the JPEG ends before its image does");
  }
  throw BrokenImage("is a broken JPEG: " + std::string(message_.data()));
}

int Decompressor::orientation() const {
  constexpr char name[] = "Exif\0";  // and the 0 that ends a literal
  for (auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
    if (marker->data_length > sizeof(name) && std::memcmp(marker->data, name, sizeof(name)) == 0) {
      return exif_orientation(marker->data + sizeof(name), marker->data_length - sizeof(name));
    }
  }
  return 1;
}

/// Whether libjpeg gives a part of the image the pixels that it gives the whole. With coefficients
/// that were sent coarsely it smooths over blocks, and of odd sampling not every case was tried.
bool Decompressor::parts_are_exact() const {
  for (int i = 0; i < info_.num_components; ++i) {
    const jpeg_component_info& component = info_.comp_info[i];
    if (component.h_samp_factor > 2 || component.v_samp_factor > 2) return false;
    if (info_.coef_bits == nullptr) continue;
    const int* bits = info_.coef_bits[i];
    if (std::any_of(bits, bits + DCTSIZE2, [](int missing) { return missing != 0; })) return false;
  }
  return true;
}

void convert(const uint8_t* in, int components, int64_t pixels, int64_t channels, uint8_t* out) {
  if (components == channels) {
    std::memcpy(out, in, pixels * channels);
  } else if (components == 3) {
    to_grey(in, pixels, out);
  } else {
    // Adobe writes CMYK inverted, 255 for no ink, and who else writes it does as Adobe: Pillow
    // takes every one for that. Its product of two bytes is rounded like this.
    const auto product = [](int a, int b) { return ((a * b + 128) + ((a * b + 128) >> 8)) >> 8; };
    for (int64_t i = 0; i < pixels; ++i, in += 4, out += channels) {
      uint8_t rgb[3];
      for (int c = 0; c < 3; ++c) {
        rgb[c] = static_cast<uint8_t>(std::max(0, in[3] - product(255 - in[c], in[3])));
      }
      if (channels == 1) {
        to_grey(rgb, 1, out);
      } else {
        std::memcpy(out, rgb, 3);
      }
    }
  }
}

// So many rows libjpeg gives at once, at most.
constexpr int rows_at_once = 4;

void Decompressor::read(const Region& region, int64_t channels, uint8_t* out) {
  if (info_.jpeg_color_space == JCS_UNKNOWN) {
    throw BrokenImage("is a JPEG of " + std::to_string(info_.num_components) +
                      " components, which stand for no known colours");
  }
  if (info_.num_components == 4) {
    info_.out_color_space = JCS_CMYK;
  } else {
    const bool grey = info_.num_components == 1 && channels == 1;
    info_.out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  }
  info_.dct_method = JDCT_ISLOW;
  info_.do_fancy_upsampling = TRUE;

  const int64_t row_bytes = size().width * 4;
  std::vector<uint8_t> bytes(row_bytes * rows_at_once);
  JSAMPROW rows[rows_at_once];
  for (int i = 0; i < rows_at_once; ++i) rows[i] = bytes.data() + i * row_bytes;
  guarded([&] { read_rows(region, channels, out, rows); });
}

void Decompressor::read_rows(const Region& region, int64_t channels, uint8_t* out, JSAMPROW* rows) {
  jpeg_start_decompress(&info_);
  JDIMENSION left = 0;
  if (parts_are_exact()) {
    // Chroma is interpolated, so what lies at the edge of a part is not what it is within; and in a
    // part of a few columns libjpeg does not interpolate it.
    constexpr int64_t margin = 8;
    const int64_t right = std::min(region.left + region.width + margin, size().width);
    left = static_cast<JDIMENSION>(std::max<int64_t>(region.left - margin, 0));
    JDIMENSION width = static_cast<JDIMENSION>(right) - left;
    if (width < info_.output_width) jpeg_crop_scanline(&info_, &left, &width);
    const int64_t block_rows = int64_t{DCTSIZE} * info_.max_v_samp_factor;
    const int64_t skipped = (region.top - margin) / block_rows * block_rows;
    if (skipped > 0) jpeg_skip_scanlines(&info_, static_cast<JDIMENSION>(skipped));
  }
  const int components = info_.out_color_components;
  const int64_t offset = (region.left - left) * components;
  // What lies below is not read.
  while (info_.output_scanline < region.top + region.height) {
    const int64_t first = info_.output_scanline;
    const int64_t count = jpeg_read_scanlines(&info_, rows, rows_at_once);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = first + i - region.top;
      if (row < 0 || row >= region.height) continue;
      convert(rows[i] + offset, components, region.width, channels,
              out + row * region.width * channels);
    }
  }
}

}  // namespace

Image decode_jpeg(const uint8_t* bytes, size_t size, int64_t channels, const WantedRegion& wanted) {
  Decompressor jpeg(bytes, size);
  const Size stored = jpeg.size();
  check_pixels(stored, static_cast<double>(size) * jpeg.pixels_in_a_byte());
  const int orientation = jpeg.orientation();
  const Region part = region_of(wanted, upright_size(stored, orientation));
  Image image = {stored, stored_region(part, stored, orientation), channels, {}};
  image.pixels.resize(image.part.height * image.part.width * channels);
  jpeg.read(image.part, channels, image.pixels.data());
  return upright(std::move(image), orientation);
}

}  // namespace convscope

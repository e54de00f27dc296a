// Pillow's resampling: a convolution along the rows, rounded to bytes, then one along the columns,
// in integers of 22 bits behind the point. A window of one pixel with the weight 1 leaves it as it
// is, so no case needs a path of its own.
#include "suite/data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace convscope {
namespace {

constexpr int precision = 22;
constexpr int32_t one = 1 << precision, half = one / 2;

/// A filter, which is stretched when the image shrinks.
struct Filter {
  double support;
  double (*weight)(double distance);
};

double triangle(double x) { return std::max(0.0, 1.0 - std::fabs(x)); }

/// Keys' cubic convolution, with the a of -0.5 that Pillow has.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

Filter filter_of(Interpolation interpolation) {
  return interpolation == Interpolation::bicubic ? Filter{2.0, cubic} : Filter{1.0, triangle};
}

/// Where output pixels lie among input pixels.
struct Axis {
  int64_t in;
  double scale, stretch, support;
  Filter filter;

  Axis(int64_t in_pixels, int64_t out_pixels, Interpolation interpolation)
      : in(in_pixels),
        scale(static_cast<double>(in_pixels) / static_cast<double>(out_pixels)),
        stretch(std::max(scale, 1.0)),
        support(filter_of(interpolation).support * stretch),
        filter(filter_of(interpolation)) {}

  double centre(int64_t x) const { return (static_cast<double>(x) + 0.5) * scale; }

  Span span(int64_t x) const {
    // Cut towards zero, behind which there is nothing.
    const double from = centre(x) - support + 0.5, to = centre(x) + support + 0.5;
    const int64_t first = std::max<int64_t>(static_cast<int64_t>(from), 0);
    return {first, std::min(static_cast<int64_t>(to), in) - first};
  }
};

/// Steps are added up, not multiplied, as Pillow's are: the last bits decide at the edges.
std::vector<Span> nearest_spans(int64_t in, int64_t out, int64_t first, int64_t count) {
  std::vector<Span> result(count, {0, 0});
  const double step = static_cast<double>(in) / static_cast<double>(out);
  double position = step * 0.5;
  const int64_t end = std::min(first + count, out);
  for (int64_t x = 0; x < end; ++x, position += step) {
    const auto pixel = static_cast<int64_t>(position);
    if (x >= first && pixel < in) result[x - first] = {pixel, 1};
  }
  return result;
}

uint8_t to_byte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> precision, 0, 255)); }

// ---- in plain C++

template <int channels>
void convolve_row(const uint8_t* in, const Windows& columns, uint8_t* out) {
  const int32_t* weights = columns.weights.data();
  for (const Span& span : columns.spans) {
    int32_t sums[channels];
    std::fill_n(sums, channels, half);
    const uint8_t* pixel = in + span.first * channels;
    for (int64_t i = 0; i < span.count; ++i, pixel += channels) {
      for (int c = 0; c < channels; ++c) sums[c] += pixel[c] * weights[i];
    }
    for (int c = 0; c < channels; ++c) *out++ = to_byte(sums[c]);
    weights += columns.longest;
  }
}

void blend_rows(const uint8_t* in, int64_t stride, Span span, const int32_t* weights, int64_t bytes,
                int32_t* sums, uint8_t* out) {
  std::fill_n(sums, bytes, half);
  in += span.first * stride;
  for (int64_t i = 0; i < span.count; ++i, in += stride) {
    const int32_t weight = weights[i];
    for (int64_t x = 0; x < bytes; ++x) sums[x] += in[x] * weight;
  }
  std::transform(sums, sums + bytes, out, to_byte);
}

#ifdef __x86_64__

// ---- with AVX2: products of 16 bits, two to a sum, where 32 bits would take ten times as long. A
// weight is cut in two for that; sums wrap around and are right again when the halves are joined.

constexpr int low_bits = 10;
constexpr int16_t high_of(int32_t weight) { return static_cast<int16_t>(weight >> low_bits); }
constexpr int16_t low_of(int32_t weight) {
  return static_cast<int16_t>(weight & ((1 << low_bits) - 1));
}

/// The weights of a group of pixels, in the order in which a register holds the pixels' bytes.
struct alignas(32) Group {
  int16_t high[16], low[16];
};

/// The windows along a row, made for registers.
struct Groups {
  struct Column {
    int64_t offset;  ///< of the first byte
    int64_t groups;
  };
  std::vector<Column> columns;
  int64_t longest;  ///< groups of each column
  std::vector<Group> groups;
};

/// Three channels: r0 r1 r0 r1 ..., two pixels to a lane, of which one place in four stays empty.
template <int channels>
constexpr int pixels_in_group = channels == 3 ? 4 : 16;

template <int channels>
Groups group(const Windows& windows) {
  constexpr int pixels = pixels_in_group<channels>;
  Groups result;
  result.longest = std::max<int64_t>((windows.longest + pixels - 1) / pixels, 1);
  result.groups.resize(windows.spans.size() * result.longest);
  result.columns.reserve(windows.spans.size());
  for (size_t x = 0; x < windows.spans.size(); ++x) {
    const Span& span = windows.spans[x];
    result.columns.push_back({span.first * channels, (span.count + pixels - 1) / pixels});
    const int32_t* weights = windows.weights.data() + x * windows.longest;
    for (int64_t i = 0; i < span.count; ++i) {
      Group& to = result.groups[x * result.longest + i / pixels];
      const int64_t place = i % pixels;
      for (int c = 0; c < channels; ++c) {
        const int64_t at = channels == 3 ? place / 2 * 8 + c * 2 + place % 2 : place;
        to.high[at] = high_of(weights[i]);
        to.low[at] = low_of(weights[i]);
      }
    }
  }
  return result;
}

constexpr int rows_at_once = 4;  // they share the loads of the weights

/// Four rows. Reads 16 bytes where a group begins, and writes one byte too many behind each row of
/// three channels.
template <int channels>
__attribute__((target("avx2"))) void convolve_rows_avx2(const uint8_t* in, int64_t in_stride,
                                                        const Groups& windows, uint8_t* out,
                                                        int64_t out_stride) {
  constexpr char z = -128;  // a zero
  const __m256i spread =
      channels == 3 ? _mm256_setr_epi8(0, z, 3, z, 1, z, 4, z, 2, z, 5, z, z, z, z, z,  //
                                       6, z, 9, z, 7, z, 10, z, 8, z, 11, z, z, z, z, z)
                    : _mm256_setr_epi8(0, z, 1, z, 2, z, 3, z, 4, z, 5, z, 6, z, 7, z,  //
                                       8, z, 9, z, 10, z, 11, z, 12, z, 13, z, 14, z, 15, z);
  // All that is added up for an output byte begins with one half.
  const __m256i rounding = channels == 3 ? _mm256_setr_epi32(half, half, half, half, 0, 0, 0, 0)
                                         : _mm256_setr_epi32(half, 0, 0, 0, 0, 0, 0, 0);
  const Group* groups = windows.groups.data();
  for (const Groups::Column& column : windows.columns) {
    __m256i high[rows_at_once], low[rows_at_once];
    for (int r = 0; r < rows_at_once; ++r) {
      high[r] = _mm256_setzero_si256();
      low[r] = rounding;
    }
    const uint8_t* at = in + column.offset;
    for (int64_t g = 0; g < column.groups; ++g, at += pixels_in_group<channels> * channels) {
      const __m256i high_weights =
          _mm256_load_si256(reinterpret_cast<const __m256i*>(groups[g].high));
      const __m256i low_weights =
          _mm256_load_si256(reinterpret_cast<const __m256i*>(groups[g].low));
      for (int r = 0; r < rows_at_once; ++r) {
        const __m256i bytes = _mm256_broadcastsi128_si256(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + r * in_stride)));
        const __m256i pixels = _mm256_shuffle_epi8(bytes, spread);
        high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(pixels, high_weights));
        low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(pixels, low_weights));
      }
    }
    groups += windows.longest;
    // From here on rows 0 and 2 are in the lower lane, 1 and 3 in the upper one.
    __m256i sums[2];
    for (int i = 0; i < 2; ++i) {
      const __m256i a = _mm256_add_epi32(_mm256_slli_epi32(high[i * 2], low_bits), low[i * 2]);
      const __m256i b =
          _mm256_add_epi32(_mm256_slli_epi32(high[i * 2 + 1], low_bits), low[i * 2 + 1]);
      sums[i] = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                 _mm256_permute2x128_si256(a, b, 0x31));
    }
    if (channels == 1) {
      sums[0] = _mm256_hadd_epi32(sums[0], sums[1]);
      sums[0] = sums[1] = _mm256_hadd_epi32(sums[0], sums[0]);
    }
    const __m256i words = _mm256_packs_epi32(_mm256_srai_epi32(sums[0], precision),
                                             _mm256_srai_epi32(sums[1], precision));
    const __m256i packed = _mm256_packus_epi16(words, words);
    const auto even = static_cast<uint64_t>(_mm256_extract_epi64(packed, 0));
    const auto odd = static_cast<uint64_t>(_mm256_extract_epi64(packed, 2));
    if (channels == 3) {
      for (int r = 0; r < rows_at_once; ++r) {
        const auto pixel = static_cast<uint32_t>((r % 2 == 0 ? even : odd) >> (r / 2 * 32));
        std::memcpy(out + r * out_stride, &pixel, sizeof(pixel));
      }
    } else {
      for (int r = 0; r < rows_at_once; ++r) {
        out[r * out_stride] = static_cast<uint8_t>((r % 2 == 0 ? even : odd) >> (r / 2 * 8));
      }
    }
    out += channels;
  }
}

constexpr int64_t bytes_at_once = 32;

/// Reads up to the next multiple of 32 bytes of each row.
__attribute__((target("avx2"))) void blend_rows_avx2(const uint8_t* in, int64_t stride, Span span,
                                                     const int32_t* weights, int64_t bytes,
                                                     uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i rounding = _mm256_set1_epi32(half);
  in += span.first * stride;
  for (int64_t x = 0; x < bytes; x += bytes_at_once) {
    __m256i high[4], low[4];
    for (int i = 0; i < 4; ++i) high[i] = low[i] = zero;
    for (int64_t i = 0; i < span.count; i += 2) {
      // Two rows at a time; behind the last of an odd number comes nothing.
      const bool pair = i + 1 < span.count;
      const int32_t second = pair ? weights[i + 1] : 0;
      const uint8_t* at = in + i * stride + x;
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      const __m256i b =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + (pair ? stride : 0)));
      const __m256i high_weights =
          _mm256_set1_epi32(static_cast<int32_t>(static_cast<uint32_t>(high_of(second)) << 16 |
                                                 static_cast<uint16_t>(high_of(weights[i]))));
      const __m256i low_weights = _mm256_set1_epi32(low_of(second) << 16 | low_of(weights[i]));
      const __m256i ab[2] = {_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)};
      for (int part = 0; part < 4; ++part) {
        const __m256i pixels = part % 2 == 0 ? _mm256_unpacklo_epi8(ab[part / 2], zero)
                                             : _mm256_unpackhi_epi8(ab[part / 2], zero);
        high[part] = _mm256_add_epi32(high[part], _mm256_madd_epi16(pixels, high_weights));
        low[part] = _mm256_add_epi32(low[part], _mm256_madd_epi16(pixels, low_weights));
      }
    }
    for (int i = 0; i < 4; ++i) {
      const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high[i], low_bits), low[i]);
      high[i] = _mm256_srai_epi32(_mm256_add_epi32(sum, rounding), precision);
    }
    const __m256i packed = _mm256_packus_epi16(_mm256_packs_epi32(high[0], high[1]),
                                               _mm256_packs_epi32(high[2], high[3]));
    if (x + bytes_at_once <= bytes) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x), packed);
    } else {
      alignas(32) uint8_t last[bytes_at_once];
      _mm256_store_si256(reinterpret_cast<__m256i*>(last), packed);
      std::memcpy(out + x, last, bytes - x);
    }
  }
}

/// Rows [first, first + count) of the image into rows of `stride` bytes, of which there are as many
/// as make fours.
template <int channels>
void convolve_image_avx2(const uint8_t* pixels, int64_t height, int64_t width, int64_t first,
                         int64_t count, const Windows& columns, uint8_t* out, int64_t stride) {
  constexpr int64_t beyond = 16;  // what a load may read behind the last pixel of a row
  const Groups groups = group<channels>(columns);
  const int64_t row_bytes = width * channels;
  const uint8_t* end = pixels + height * row_bytes;
  std::vector<uint8_t> padded;
  for (int64_t y = 0; y < count; y += rows_at_once) {
    const uint8_t* in = pixels + (first + y) * row_bytes;
    if (end - in < rows_at_once * row_bytes + beyond) {
      padded.resize(rows_at_once * row_bytes + beyond);
      std::copy(in, std::min(in + rows_at_once * row_bytes, end), padded.begin());
      in = padded.data();
    }
    convolve_rows_avx2<channels>(in, row_bytes, groups, out + y * stride, stride);
  }
}

#endif

}  // namespace

std::vector<Span> spans(int64_t in, int64_t out, int64_t first, int64_t count,
                        Interpolation interpolation) {
  if (interpolation == Interpolation::nearest) return nearest_spans(in, out, first, count);
  std::vector<Span> result(count, {0, 0});
  const Axis axis(in, out, interpolation);
  const int64_t end = std::min(first + count, out);
  for (int64_t x = std::max<int64_t>(first, 0); x < end; ++x) {
    result[x - first] = in == out ? Span{x, 1} : axis.span(x);
  }
  return result;
}

Windows windows(int64_t in, int64_t out, int64_t first, int64_t count,
                Interpolation interpolation) {
  Windows result = {spans(in, out, first, count, interpolation), 0, {}};
  for (const Span& span : result.spans) result.longest = std::max(result.longest, span.count);
  result.weights.resize(result.spans.size() * result.longest);
  const Axis axis(in, out, interpolation);
  std::vector<double> exact(result.longest);
  for (int64_t i = 0; i < count; ++i) {
    const Span& span = result.spans[i];
    int32_t* weights = result.weights.data() + i * result.longest;
    if (span.count == 0) continue;
    if (interpolation == Interpolation::nearest || in == out) {
      weights[0] = one;
      continue;
    }
    double sum = 0;
    for (int64_t k = 0; k < span.count; ++k) {
      const double distance = static_cast<double>(span.first + k) - axis.centre(first + i) + 0.5;
      exact[k] = axis.filter.weight(distance * (1.0 / axis.stretch));
      sum += exact[k];
    }
    for (int64_t k = 0; k < span.count; ++k) {
      const double weight = (sum == 0 ? exact[k] : exact[k] / sum) * one;
      weights[k] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }
  return result;
}

std::vector<uint8_t> resample(const uint8_t* pixels, int64_t height, int64_t width,
                              int64_t channels, const Windows& rows, const Windows& columns,
                              Instructions instructions) {
  int64_t first = height, end = 0;
  for (const Span& span : rows.spans) {
    if (span.count == 0) continue;
    first = std::min(first, span.first);
    end = std::max(end, span.first + span.count);
  }
  const int64_t count = std::max<int64_t>(end - first, 0);
  const int64_t bytes = static_cast<int64_t>(columns.spans.size()) * channels;
  // Rows are as long as registers like them, with a place for what is written too far.
  const int64_t stride = (bytes + 1 + 31) / 32 * 32;
  const std::unique_ptr<uint8_t[]> between(new uint8_t[(count + 3) * stride]);
  std::vector<uint8_t> out(rows.spans.size() * bytes);
#ifdef __x86_64__
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2 && instructions == Instructions::best) {
    (channels == 3 ? convolve_image_avx2<3> : convolve_image_avx2<1>)(pixels, height, width, first,
                                                                      count, columns, between.get(),
                                                                      stride);
    for (size_t y = 0; y < rows.spans.size(); ++y) {
      blend_rows_avx2(between.get(), stride, {rows.spans[y].first - first, rows.spans[y].count},
                      rows.weights.data() + y * rows.longest, bytes, out.data() + y * bytes);
    }
    return out;
  }
#endif
  for (int64_t y = 0; y < count; ++y) {
    (channels == 3 ? convolve_row<3> : convolve_row<1>)(pixels + (first + y) * width * channels,
                                                        columns, between.get() + y * stride);
  }
  std::vector<int32_t> sums(bytes);
  for (size_t y = 0; y < rows.spans.size(); ++y) {
    blend_rows(between.get(), stride, {rows.spans[y].first - first, rows.spans[y].count},
               rows.weights.data() + y * rows.longest, bytes, sums.data(), out.data() + y * bytes);
  }
  return out;
}

}  // namespace convscope

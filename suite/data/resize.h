// Resizing as Pillow does it, to the byte: networks were trained on its pixels, and were evaluated
// with them. An axis is a list of windows, so that cutting out, mirroring, filling with black and
// taking the nearest pixel are the same arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "architectures/preprocessing.h"

namespace convscope {

/// Pixels along one axis; none is black.
struct Span {
  int64_t first, count;
};

/// The pixels, of `in`, that make each of `count` output pixels from `first` on, of `out`; outside
/// of those there are none.
std::vector<Span> spans(int64_t in, int64_t out, int64_t first, int64_t count,
                        Interpolation interpolation);

/// Those, with how much of each pixel, in 1 / 2^22.
struct Windows {
  std::vector<Span> spans;
  int64_t longest;               ///< no span is longer
  std::vector<int32_t> weights;  ///< spans.size() x longest, with zeros behind
};

Windows windows(int64_t in, int64_t out, int64_t first, int64_t count, Interpolation interpolation);

/// What the processor is asked for; the bytes are the same.
enum class Instructions { best, portable };

/// From height x width x channels (1 or 3) bytes to rows x columns of them. All spans must lie
/// within the image.
std::vector<uint8_t> resample(const uint8_t* pixels, int64_t height, int64_t width,
                              int64_t channels, const Windows& rows, const Windows& columns,
                              Instructions instructions = Instructions::best);

}  // namespace convscope

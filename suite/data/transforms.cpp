// torchvision's Resize, CenterCrop, ToTensor and Normalize, with their rounding.
#include "suite/data/transforms.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "suite/data/resize.h"

namespace convscope {
namespace {

/// Where the middle `crop` of `size` pixels begins. Python's round() goes to the even number, as
/// nearbyint does; what is too small gets its black border first, whose halves round down.
int64_t middle(int64_t size, int64_t crop) {
  if (crop > size) return -((crop - size) / 2);
  return static_cast<int64_t>(std::nearbyint(static_cast<double>(size - crop) / 2));
}

/// The range that the spans cover, shifted by where the source begins.
Span covered(const std::vector<Span>& spans, int64_t shift) {
  int64_t first = INT64_MAX, end = 0;
  for (const Span& span : spans) {
    if (span.count == 0) continue;
    first = std::min(first, span.first);
    end = std::max(end, span.first + span.count);
  }
  return end == 0 ? Span{shift, 0} : Span{first + shift, end - first};
}

/// From pixels of the source to pixels of the part of it that is there.
void shift(Windows& windows, int64_t by, int64_t size) {
  for (Span& span : windows.spans) {
    if (span.count == 0) continue;
    span.first += by;
    if (span.first < 0 || span.first + span.count > size) {
      throw std::invalid_argument("the view needs more of the image than was decoded");
    }
  }
}

void mirror(Windows& windows) {
  const int64_t last = static_cast<int64_t>(windows.spans.size()) - 1;
  for (int64_t i = 0; i < last - i; ++i) {
    std::swap(windows.spans[i], windows.spans[last - i]);
    const auto weights = windows.weights.begin() + i * windows.longest;
    std::swap_ranges(weights, weights + windows.longest,
                     windows.weights.begin() + (last - i) * windows.longest);
  }
}

}  // namespace

View centre_view(const Preprocessing& preprocessing, Size image) {
  constexpr int64_t most = 65536;  // whose products with an image's side do not overflow
  for (const auto& [what, side] :
       {std::pair("resize", preprocessing.resize), std::pair("crop", preprocessing.crop)}) {
    if (side <= most) continue;
    throw std::invalid_argument("expected a " + std::string(what) + " of at most " +
                                std::to_string(most) + " pixels, found " + std::to_string(side));
  }
  View view = {{0, 0, image.height, image.width}, image, {}, false};
  if (preprocessing.resize > 0) {
    const int64_t shorter = std::min(image.height, image.width);
    // Divided as numbers with a point, then cut, as torchvision does.
    const auto scaled = [&](int64_t side) {
      return static_cast<int64_t>(static_cast<double>(preprocessing.resize * side) /
                                  static_cast<double>(shorter));
    };
    view.resized = {scaled(image.height), scaled(image.width)};
  }
  view.crop = {0, 0, view.resized.height, view.resized.width};
  if (preprocessing.crop > 0) {
    const int64_t crop = preprocessing.crop;
    view.crop = {middle(view.resized.height, crop), middle(view.resized.width, crop), crop, crop};
  }
  return view;
}

Region needed(const View& view, Size image, Interpolation interpolation) {
  const Region& source = view.source;
  const Span rows = covered(
      spans(source.height, view.resized.height, view.crop.top, view.crop.height, interpolation),
      source.top);
  const Span columns = covered(
      spans(source.width, view.resized.width, view.crop.left, view.crop.width, interpolation),
      source.left);
  if (rows.first + rows.count > image.height || columns.first + columns.count > image.width) {
    throw std::invalid_argument("the view is of a larger image");
  }
  return {rows.first, columns.first, rows.count, columns.count};
}

Image render(const Image& image, const View& view, Interpolation interpolation) {
  const Region& source = view.source;
  Windows rows =
      windows(source.height, view.resized.height, view.crop.top, view.crop.height, interpolation);
  Windows columns =
      windows(source.width, view.resized.width, view.crop.left, view.crop.width, interpolation);
  shift(rows, source.top - image.part.top, image.part.height);
  shift(columns, source.left - image.part.left, image.part.width);
  if (view.mirrored) mirror(columns);
  const Size size = {view.crop.height, view.crop.width};
  return {size,
          {0, 0, size.height, size.width},
          image.channels,
          resample(image.pixels.data(), image.part.height, image.part.width, image.channels, rows,
                   columns)};
}

void normalise(const Image& image, const Preprocessing& preprocessing, float* out) {
  const int64_t channels = image.channels;
  if (static_cast<int64_t>(preprocessing.mean.size()) != channels ||
      preprocessing.deviation.size() != preprocessing.mean.size()) {
    throw std::invalid_argument("an image of " + std::to_string(channels) +
                                " channels cannot be normalised with " +
                                std::to_string(preprocessing.mean.size()) + " means and " +
                                std::to_string(preprocessing.deviation.size()) + " deviations");
  }
  const int64_t pixels = image.part.height * image.part.width;
  for (int64_t c = 0; c < channels; ++c) {
    // A byte has 256 values. Each step is rounded to a float, as tensors are.
    std::array<float, 256> value;
    const auto range = static_cast<float>(preprocessing.range);
    const auto mean = static_cast<float>(preprocessing.mean[c]);
    const auto deviation = static_cast<float>(preprocessing.deviation[c]);
    for (int i = 0; i < 256; ++i) {
      value[i] = (static_cast<float>(i) / 255.0F * range - mean) / deviation;
    }
    const uint8_t* in = image.pixels.data() + (preprocessing.bgr ? channels - 1 - c : c);
    for (int64_t i = 0; i < pixels; ++i) out[i] = value[in[i * channels]];
    out += pixels;
  }
}

}  // namespace convscope

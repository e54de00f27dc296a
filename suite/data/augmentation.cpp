// torchvision.transforms.RandomResizedCrop, RandomCrop, RandomHorizontalFlip and ColorJitter on
// Pillow images.
#include "suite/data/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "suite/data/formats.h"

namespace convscope {
namespace {

double between(double low, double high, Random& random) {
  return low + (high - low) * random.uniform();
}

/// Python's round().
int64_t rounded(double x) { return static_cast<int64_t>(std::nearbyint(x)); }

Region random_part(const Augmentation& augmentation, Size image, Random& random) {
  const auto [height, width] = image;
  const auto [narrowest, widest] = std::pair(augmentation.ratio[0], augmentation.ratio[1]);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = static_cast<double>(height * width) *
                        between(augmentation.area[0], augmentation.area[1], random);
    const double ratio = std::exp(between(std::log(narrowest), std::log(widest), random));
    const int64_t w = rounded(std::sqrt(area * ratio)), h = rounded(std::sqrt(area / ratio));
    if (w <= 0 || w > width || h <= 0 || h > height) continue;
    const int64_t top = random.below(height - h + 1);
    return {top, random.below(width - w + 1), h, w};
  }
  // The largest part in the middle whose ratio is allowed.
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  int64_t h = height, w = width;
  if (ratio < narrowest) h = rounded(static_cast<double>(width) / narrowest);
  if (ratio > widest) w = rounded(static_cast<double>(height) * widest);
  h = std::clamp<int64_t>(h, 1, height);
  w = std::clamp<int64_t>(w, 1, width);
  return {(height - h) / 2, (width - w) / 2, h, w};
}

/// Pillow's blend, from `from` (0) to `to` (1) and beyond.
uint8_t blend(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<uint8_t>(std::clamp(value, 0.0F, 255.0F));
}

/// Brightness and contrast: each byte is blended with the same one.
void blend_with(Image& image, int from, double factor) {
  std::array<uint8_t, 256> table;
  for (int i = 0; i < 256; ++i) table[i] = blend(from, i, static_cast<float>(factor));
  for (uint8_t& byte : image.pixels) byte = table[byte];
}

std::vector<uint8_t> grey_of(const Image& image) {
  if (image.channels == 1) return image.pixels;
  std::vector<uint8_t> grey(image.pixels.size() / 3);
  to_grey(image.pixels.data(), static_cast<int64_t>(grey.size()), grey.data());
  return grey;
}

/// Turns the hue by `turn` of 256 steps, by way of hue, saturation and value in a byte each, as
/// Pillow has them (Smith 1978, and Python's colorsys).
void turn_hue(uint8_t* rgb, uint8_t turn) {
  const uint8_t least = std::min({rgb[0], rgb[1], rgb[2]});
  const uint8_t most = std::max({rgb[0], rgb[1], rgb[2]});
  if (least == most) return;
  const auto range = static_cast<float>(most - least);
  const float r = static_cast<float>(most - rgb[0]) / range;
  const float g = static_cast<float>(most - rgb[1]) / range;
  const float b = static_cast<float>(most - rgb[2]) / range;
  float hue = 0;
  if (rgb[0] == most) {
    hue = b - g;
  } else if (rgb[1] == most) {
    hue = static_cast<float>(2.0 + r - b);
  } else {
    hue = static_cast<float>(4.0 + g - r);
  }
  hue = static_cast<float>(std::fmod(hue / 6.0 + 1.0, 1.0));
  const auto saturation = static_cast<uint8_t>(range / static_cast<float>(most) * 255.0);
  const auto turned = static_cast<uint8_t>(static_cast<int>(hue * 255.0) + turn);

  if (saturation == 0) {
    rgb[0] = rgb[1] = rgb[2] = most;
    return;
  }
  const double sixth = std::floor(turned * 6.0 / 255.0);
  const auto part = static_cast<float>(turned * 6.0 / 255.0 - sixth);
  const auto colour = static_cast<float>(saturation / 255.0);
  const auto level = [&](double darkening) {
    return static_cast<uint8_t>(std::clamp(std::round(most * (1.0 - darkening)), 0.0, 255.0));
  };
  const uint8_t v = most, p = level(colour);
  const uint8_t q = level(static_cast<double>(colour * part)), t = level(colour * (1.0 - part));
  const uint8_t sectors[6][3] = {{v, t, p}, {q, v, p}, {p, v, t}, {p, q, v}, {t, p, v}, {v, p, q}};
  std::copy_n(sectors[static_cast<int>(sixth) % 6], 3, rgb);
}

}  // namespace

View random_view(const Augmentation& augmentation, const Preprocessing& preprocessing, Size image,
                 Random& random) {
  View view = centre_view(preprocessing, image);
  if (augmentation.cropping == Cropping::resized) {
    view.source = random_part(augmentation, image, random);
    view.crop = {0, 0, view.crop.height, view.crop.width};
    view.resized = {view.crop.height, view.crop.width};
  } else if (augmentation.cropping == Cropping::random) {
    // Where the image with its border is still too small, the crop stays where centre_view put it.
    const int64_t padding = augmentation.padding;
    const int64_t below = view.resized.height + 2 * padding - view.crop.height;
    const int64_t right = view.resized.width + 2 * padding - view.crop.width;
    if (below >= 0) view.crop.top = random.below(below + 1) - padding;
    if (right >= 0) view.crop.left = random.below(right + 1) - padding;
  }
  view.mirrored = random.uniform() < augmentation.mirrored;
  return view;
}

void jitter(Image& image, const Augmentation& augmentation, Random& random) {
  const auto factor = [&](double spread) {
    return between(std::max(0.0, 1 - spread), 1 + spread, random);
  };
  std::array<int, 4> order = {0, 1, 2, 3};
  for (int64_t i = 3; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  // All are drawn, so that the one does not depend on whether there is the other.
  const double brightness = factor(augmentation.brightness);
  const double contrast = factor(augmentation.contrast);
  const double saturation = factor(augmentation.saturation);
  const double hue = between(-augmentation.hue, augmentation.hue, random);
  for (const int step : order) {
    if (step == 0 && augmentation.brightness > 0) adjust_brightness(image, brightness);
    if (step == 1 && augmentation.contrast > 0) adjust_contrast(image, contrast);
    if (step == 2 && augmentation.saturation > 0) adjust_saturation(image, saturation);
    if (step == 3 && augmentation.hue > 0) adjust_hue(image, hue);
  }
}

void adjust_brightness(Image& image, double factor) { blend_with(image, 0, factor); }

void adjust_contrast(Image& image, double factor) {
  if (image.pixels.empty()) return;
  int64_t sum = 0;
  const std::vector<uint8_t> grey = grey_of(image);
  for (const uint8_t level : grey) sum += level;
  const double rounded_up = static_cast<double>(sum) / static_cast<double>(grey.size()) + 0.5;
  blend_with(image, static_cast<int>(rounded_up), factor);
}

void adjust_saturation(Image& image, double factor) {
  if (image.channels == 1) return;
  const std::vector<uint8_t> grey = grey_of(image);
  uint8_t* byte = image.pixels.data();
  for (const uint8_t level : grey) {
    for (int c = 0; c < 3; ++c, ++byte) *byte = blend(level, *byte, static_cast<float>(factor));
  }
}

void adjust_hue(Image& image, double turn) {
  if (image.channels == 1) return;
  // Towards 0 to a byte, of which 256 make a circle.
  const auto steps = static_cast<uint8_t>(static_cast<int>(turn * 255));
  for (size_t i = 0; i < image.pixels.size(); i += 3) turn_hue(&image.pixels[i], steps);
}

}  // namespace convscope

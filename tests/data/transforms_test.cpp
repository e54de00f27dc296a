#include "suite/data/transforms.h"

#include <gtest/gtest.h>

#include "suite/data/random.h"
#include "suite/data/resize.h"
#include "tests/data/made_images.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

constexpr Interpolation interpolations[] = {Interpolation::nearest, Interpolation::bilinear,
                                            Interpolation::bicubic};

Preprocessing imagenet(int64_t resize, int64_t crop) {
  return {resize, crop, Interpolation::bilinear, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
}

Image whole(const Bytes& pixels, int64_t height, int64_t width, int64_t channels) {
  return {{height, width}, {0, 0, height, width}, channels, pixels};
}

void expect_region(const Region& actual, const Region& expected) {
  EXPECT_EQ(actual.top, expected.top);
  EXPECT_EQ(actual.left, expected.left);
  EXPECT_EQ(actual.height, expected.height);
  EXPECT_EQ(actual.width, expected.width);
}

TEST(CentreViewTest, ShorterSideIsResizedAndTheMiddleCutOut) {
  const View view = centre_view(imagenet(256, 224), {375, 500});
  EXPECT_EQ(view.resized.height, 256);
  EXPECT_EQ(view.resized.width, 341) << "256 * 500 / 375 = 341.33, cut";
  expect_region(view.source, {0, 0, 375, 500});
  // (341 - 224) / 2 = 58.5, which Python rounds to the even 58.
  expect_region(view.crop, {16, 58, 224, 224});
  EXPECT_FALSE(view.mirrored);
  // 343 - 224 = 119: 59.5 becomes 60.
  expect_region(centre_view(imagenet(256, 224), {343, 256}).crop, {60, 16, 224, 224});
}

TEST(CentreViewTest, ZeroLeavesAsItIs) {
  const View view = centre_view(imagenet(0, 0), {30, 40});
  EXPECT_EQ(view.resized.height, 30);
  EXPECT_EQ(view.resized.width, 40);
  expect_region(view.crop, {0, 0, 30, 40});
  expect_region(centre_view(imagenet(0, 32), {28, 33}).crop, {-2, 0, 32, 32});
}

TEST(CentreViewTest, AbsurdResizeOrCropIsRefused) {
  EXPECT_EQ(centre_view(imagenet(65536, 65536), {3, 3}).resized.height, 65536);
  const auto said = [](int64_t resize, int64_t crop) {
    return message_of<std::invalid_argument>([&] { centre_view(imagenet(resize, crop), {3, 3}); });
  };
  EXPECT_EQ(said(65537, 224), "expected a resize of at most 65536 pixels, found 65537");
  EXPECT_EQ(said(256, INT64_MAX),
            "expected a crop of at most 65536 pixels, found 9223372036854775807");
}

TEST(CentreViewTest, BorderOfASmallImageIsWiderBelow) {
  // torchvision pads (crop - size) // 2 above and (crop - size + 1) // 2 below.
  expect_region(centre_view(imagenet(0, 32), {27, 31}).crop, {-2, 0, 32, 32});
}

TEST(RenderViewTest, SameSizeIsTheSameImage) {
  const Bytes pixels = made_pixels(9, 14, 3);
  for (const Interpolation interpolation : interpolations) {
    const View view = {{0, 0, 9, 14}, {9, 14}, {0, 0, 9, 14}, false};
    EXPECT_EQ(render(whole(pixels, 9, 14, 3), view, interpolation).pixels, pixels);
  }
}

TEST(RenderViewTest, HalvesAreRoundedUp) {
  const View to_one = {{0, 0, 1, 2}, {1, 1}, {0, 0, 1, 1}, false};
  const auto of_two = [&](uint8_t a, uint8_t b, Interpolation interpolation) {
    return render(whole({a, b}, 1, 2, 1), to_one, interpolation).pixels[0];
  };
  EXPECT_EQ(of_two(0, 255, Interpolation::bilinear), 128) << "127.5";
  EXPECT_EQ(of_two(0, 255, Interpolation::bicubic), 128);
  EXPECT_EQ(of_two(10, 20, Interpolation::nearest), 20) << "the pixel at 1.0";
}

TEST(RenderViewTest, UpscalingInterpolatesBetweenCentres) {
  // Output pixels lie at -0.25, 0.25, 0.75 and 1.25 pixels from the first.
  const View view = {{0, 0, 1, 2}, {1, 4}, {0, 0, 1, 4}, false};
  EXPECT_EQ(render(whole({0, 200}, 1, 2, 1), view, Interpolation::bilinear).pixels,
            (Bytes{0, 50, 150, 200}));
  EXPECT_EQ(render(whole({0, 200}, 1, 2, 1), view, Interpolation::nearest).pixels,
            (Bytes{0, 0, 200, 200}));
}

TEST(RenderViewTest, WhatSticksOutIsBlack) {
  const View view = {{0, 0, 1, 2}, {1, 2}, {-1, -2, 3, 5}, false};
  EXPECT_EQ(render(whole({7, 9}, 1, 2, 1), view, Interpolation::bilinear).pixels,
            (Bytes{0, 0, 0, 0, 0, 0, 0, 7, 9, 0, 0, 0, 0, 0, 0}));
}

TEST(RenderViewTest, MirroredIsTheSameTheOtherWayRound) {
  const Image image = whole(made_pixels(40, 50, 3), 40, 50, 3);
  View view = {{3, 4, 30, 41}, {27, 33}, {-2, 5, 20, 31}, false};
  for (const Interpolation interpolation : interpolations) {
    view.mirrored = false;
    const Image straight = render(image, view, interpolation);
    view.mirrored = true;
    const Image mirrored = render(image, view, interpolation);
    for (int64_t y = 0; y < 20; ++y) {
      for (int64_t x = 0; x < 31; ++x) {
        for (int64_t c = 0; c < 3; ++c) {
          ASSERT_EQ(mirrored.pixels[(y * 31 + x) * 3 + c],
                    straight.pixels[(y * 31 + 30 - x) * 3 + c]);
        }
      }
    }
  }
}

TEST(RenderViewTest, SourceIsResizedAsAnImageOfItsOwn) {
  const Image image = whole(made_pixels(40, 50, 3), 40, 50, 3);
  const Region source = {5, 7, 22, 30};
  const Image cut = whole(part_of(image, source), 22, 30, 3);
  for (const Interpolation interpolation : interpolations) {
    const View of_part = {source, {17, 19}, {0, 0, 17, 19}, false};
    const View of_cut = {{0, 0, 22, 30}, {17, 19}, {0, 0, 17, 19}, false};
    EXPECT_EQ(render(image, of_part, interpolation).pixels,
              render(cut, of_cut, interpolation).pixels);
  }
}

TEST(RenderViewTest, NeededPartIsEnough) {
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const Size size = {1 + random.below(90), 1 + random.below(90)};
    const int64_t channels = i % 2 == 0 ? 3 : 1;
    const Image image =
        whole(made_pixels(size.height, size.width, channels), size.height, size.width, channels);
    const View view = centre_view(imagenet(random.below(60), random.below(50)), size);
    for (const Interpolation interpolation : interpolations) {
      const Region part = needed(view, size, interpolation);
      const Image cut = {size, part, channels, part_of(image, part)};
      ASSERT_EQ(render(cut, view, interpolation).pixels, render(image, view, interpolation).pixels)
          << size.height << " x " << size.width;
    }
  }
}

TEST(RenderViewTest, LessThanNeededIsRefused) {
  const View view = {{0, 0, 9, 14}, {9, 14}, {0, 0, 9, 14}, false};
  const Image part = {{9, 14}, {1, 0, 8, 14}, 1, Bytes(8 * 14)};
  EXPECT_THROW(render(part, view, Interpolation::bilinear), std::invalid_argument);
  EXPECT_THROW(needed(view, {8, 14}, Interpolation::bilinear), std::invalid_argument);
}

TEST(ResampleTest, EveryProcessorGivesTheSameBytes) {
  Random random(4);
  for (int i = 0; i < 600; ++i) {
    const int64_t most = i % 10 == 0 ? 900 : 70;
    const int64_t height = 1 + random.below(most), width = 1 + random.below(most);
    const int64_t channels = i % 2 == 0 ? 3 : 1;
    Bytes pixels = made_pixels(height, width, channels, i);
    // Black and white alone, where bicubic goes beyond the range.
    if (i % 3 == 0) {
      for (uint8_t& byte : pixels) byte = byte < 128 ? 0 : 255;
    }
    const auto axis = [&](int64_t in) {
      const int64_t out = 1 + random.below(80);
      const int64_t first = random.below(out + 4) - 2;
      return windows(in, out, first, 1 + random.below(out), interpolations[i % 3]);
    };
    const Windows rows = axis(height), columns = axis(width);
    ASSERT_EQ(
        resample(pixels.data(), height, width, channels, rows, columns),
        resample(pixels.data(), height, width, channels, rows, columns, Instructions::portable))
        << height << " x " << width << " x " << channels;
  }
}

TEST(ResampleTest, WeightsOfAWindowMakeOne) {
  for (const Interpolation interpolation : interpolations) {
    for (const auto& [in, out] : {std::pair{500, 224}, {10, 37}, {1, 9}, {640, 1}}) {
      const Windows result = windows(in, out, 0, out, interpolation);
      for (int64_t i = 0; i < out; ++i) {
        const auto [first, count] = result.spans[i];
        EXPECT_GE(first, 0);
        EXPECT_LE(first + count, in);
        int64_t sum = 0;
        for (int64_t k = 0; k < count; ++k) sum += result.weights[i * result.longest + k];
        EXPECT_NEAR(static_cast<double>(sum), 1 << 22, static_cast<double>(count));
      }
    }
  }
}

TEST(NormaliseTest, IsWhatTorchComputesInFloats) {
  const Image image = whole({0, 128, 255, 10, 20, 30}, 1, 2, 3);
  Preprocessing preprocessing = imagenet(0, 0);
  std::vector<float> values(6);
  normalise(image, preprocessing, values.data());
  EXPECT_EQ(values[0], (0.0F - 0.485F) / 0.229F);
  EXPECT_EQ(values[1], (10.0F / 255.0F - 0.485F) / 0.229F);
  EXPECT_EQ(values[2], (128.0F / 255.0F - 0.456F) / 0.224F);
  EXPECT_EQ(values[5], (30.0F / 255.0F - 0.406F) / 0.225F);
  preprocessing.bgr = true;
  normalise(image, preprocessing, values.data());
  EXPECT_EQ(values[0], (1.0F - 0.485F) / 0.229F) << "blue, with the first mean";
  EXPECT_EQ(values[4], (0.0F - 0.406F) / 0.225F);
  preprocessing = {0, 0, Interpolation::bilinear, {100, 0, 0}, {1, 1, 1}, 255};
  normalise(image, preprocessing, values.data());
  EXPECT_FLOAT_EQ(values[1], 10 - 100);
}

TEST(NormaliseTest, OtherChannelsThanTheNetworksAreRefused) {
  float value = 0;
  EXPECT_THROW(normalise(whole({1}, 1, 1, 1), imagenet(0, 0), &value), std::invalid_argument);
}

}  // namespace
}  // namespace convscope

#include "suite/data/augmentation.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "tests/data/made_images.h"

namespace convscope {
namespace {

const Preprocessing to_224 = {256, 224, Interpolation::bilinear, {0, 0, 0}, {1, 1, 1}};

TEST(RandomTest, IsTheSameEverywhere) {
  // From SplitMix64 written with Python's integers.
  Random zero(0);
  EXPECT_EQ(zero.next(), 0x2130748aaac80268u);
  EXPECT_EQ(zero.next(), 0x0cc78fb979ce5090u);
  Random three(1, 2, 3);
  EXPECT_EQ(three.next(), 0x214d4c07ecfeaac5u);
  EXPECT_EQ(three.next(), 0x6ff419cb83dfe1e6u);
  EXPECT_EQ(Random(UINT64_MAX).next(), 0x00fc86d80b488e96u);
}

TEST(RandomTest, StartsDependOnEveryNumber) {
  std::set<uint64_t> firsts;
  for (uint64_t i = 0; i < 1000; ++i) {
    firsts.insert(Random(i).next());
    firsts.insert(Random(0, i + 1).next());
    firsts.insert(Random(0, 0, i + 1).next());
  }
  EXPECT_EQ(firsts.size(), 3000u);
}

TEST(RandomTest, BelowAndUniformAreEven) {
  Random random(9);
  std::array<int, 7> counts = {};
  double sum = 0;
  for (int i = 0; i < 70000; ++i) {
    ++counts[random.below(7)];
    const double x = random.uniform();
    ASSERT_TRUE(x >= 0 && x < 1);
    sum += x;
  }
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);  // five deviations
  EXPECT_NEAR(sum / 70000, 0.5, 0.006);
}

TEST(RandomViewTest, WithoutAugmentationItIsTheCentre) {
  Random random(1);
  const View view = random_view({}, to_224, {375, 500}, random);
  EXPECT_EQ(view.crop.left, 58);
  EXPECT_EQ(view.crop.top, 16);
  EXPECT_FALSE(view.mirrored);
}

TEST(RandomViewTest, ResizedPartsLieWithinTheImageAndItsLimits) {
  Augmentation augmentation;
  augmentation.cropping = Cropping::resized;
  augmentation.mirrored = 0.5;
  double area = 0;
  int mirrored = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    Random random(1, i);
    const View view = random_view(augmentation, to_224, {375, 500}, random);
    const Region& part = view.source;
    ASSERT_TRUE(part.top >= 0 && part.left >= 0 && part.top + part.height <= 375 &&
                part.left + part.width <= 500);
    const double ratio = static_cast<double>(part.width) / static_cast<double>(part.height);
    ASSERT_TRUE(ratio > 0.74 && ratio < 1.35) << ratio;
    area += static_cast<double>(part.height * part.width) / (375 * 500);
    mirrored += view.mirrored ? 1 : 0;
    ASSERT_EQ(view.resized.height, 224);
    ASSERT_EQ(view.crop.width, 224);
  }
  // torchvision's get_params on the same size: 0.434 on average over 40000.
  EXPECT_NEAR(area / 4000, 0.434, 0.02);
  EXPECT_NEAR(mirrored, 2000, 160);
}

TEST(RandomViewTest, StripHasNoPartOfTheRatioButItsMiddle) {
  Augmentation augmentation;
  augmentation.cropping = Cropping::resized;
  augmentation.area[0] = 0.9;
  Random random(1);
  const Region wide = random_view(augmentation, to_224, {30, 300}, random).source;
  EXPECT_EQ(wide.width, 40) << "4 / 3 of the height";
  EXPECT_EQ(wide.left, 130);
  const Region high = random_view(augmentation, to_224, {300, 30}, random).source;
  EXPECT_EQ(high.height, 40);
  EXPECT_EQ(high.top, 130);
}

TEST(RandomViewTest, PaddedCropReachesEveryPlaceOfTheBorder) {
  // As for CIFAR: 32 x 32 with 4 black pixels around.
  Augmentation augmentation;
  augmentation.cropping = Cropping::random;
  augmentation.padding = 4;
  const Preprocessing cifar = {0, 32, Interpolation::bilinear, {0, 0, 0}, {1, 1, 1}};
  std::set<int64_t> tops, lefts;
  for (uint64_t i = 0; i < 500; ++i) {
    Random random(2, i);
    const View view = random_view(augmentation, cifar, {32, 32}, random);
    tops.insert(view.crop.top);
    lefts.insert(view.crop.left);
    EXPECT_EQ(view.crop.height, 32);
  }
  const std::set<int64_t> all = {-4, -3, -2, -1, 0, 1, 2, 3, 4};
  EXPECT_EQ(tops, all);
  EXPECT_EQ(lefts, all);
}

Image one_pixel(const Bytes& pixel) {
  return {{1, 1}, {0, 0, 1, 1}, static_cast<int64_t>(pixel.size()), pixel};
}

TEST(JitterTest, FactorsDoWhatTheyAreCalled) {
  const auto changed = [](void (*adjust)(Image&, double), double factor, const Bytes& pixel) {
    Image image = one_pixel(pixel);
    adjust(image, factor);
    return image.pixels;
  };
  const Bytes orange = {200, 100, 50};
  for (const auto adjust : {adjust_brightness, adjust_contrast, adjust_saturation}) {
    EXPECT_EQ(changed(adjust, 1, orange), orange);
  }
  EXPECT_EQ(changed(adjust_brightness, 0.5, orange), (Bytes{100, 50, 25}));
  EXPECT_EQ(changed(adjust_brightness, 2, orange), (Bytes{255, 200, 100}));
  EXPECT_EQ(changed(adjust_contrast, 0, orange), (Bytes{124, 124, 124})) << "its own grey";
  EXPECT_EQ(changed(adjust_saturation, 0, orange), (Bytes{124, 124, 124}));
  EXPECT_EQ(changed(adjust_hue, 0.3334, {255, 0, 0}), (Bytes{0, 255, 0})) << "a third of a circle";
  EXPECT_EQ(changed(adjust_hue, 0.4, {9, 9, 9}), (Bytes{9, 9, 9})) << "grey has no hue";
  EXPECT_EQ(changed(adjust_hue, 0.4, {9}), Bytes{9});
  EXPECT_EQ(changed(adjust_saturation, 0, {9}), Bytes{9});
}

TEST(JitterTest, SameSeedSameColours) {
  Augmentation augmentation;
  augmentation.brightness = augmentation.contrast = augmentation.saturation = 0.4;
  augmentation.hue = 0.1;
  const Bytes pixels = made_pixels(20, 30, 3);
  const auto changed = [&](uint64_t seed) {
    Image image = {{20, 30}, {0, 0, 20, 30}, 3, pixels};
    Random random(seed);
    jitter(image, augmentation, random);
    return image.pixels;
  };
  EXPECT_EQ(changed(1), changed(1));
  EXPECT_NE(changed(1), changed(2));
  Image image = {{20, 30}, {0, 0, 20, 30}, 3, pixels};
  Random random(1);
  jitter(image, {}, random);
  EXPECT_EQ(image.pixels, pixels) << "no jitter is asked for";
}

}  // namespace
}  // namespace convscope

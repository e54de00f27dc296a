// Kernels and numbers as colours.
#include "suite/pictures/kernels.h"

#include <gtest/gtest.h>

#include <cmath>

namespace convscope {
namespace {

TEST(Pixels, ScalesAreWhiteAtNothingAndDarkAtTheEnds) {
  for (const Colour white : {sequential(0), diverging(0), sequential(-5)}) {
    EXPECT_EQ(white.red, 255);
    EXPECT_EQ(white.blue, 255);
  }
  EXPECT_GT(diverging(-0.6).red, diverging(-0.6).blue);
  EXPECT_GT(diverging(0.6).blue, diverging(0.6).red);
  EXPECT_EQ(sequential(2).green, sequential(1).green);
  EXPECT_EQ(sequential(std::nan("")).red, 128);
  int before = 3 * 255;
  for (double share = 0.1; share <= 1; share += 0.1) {
    const Colour colour = sequential(share);
    const int sum = colour.red + colour.green + colour.blue;
    EXPECT_LT(sum, before) << share;
    before = sum;
  }
}

TEST(Kernels, ThoseOfThreeChannelsAreInTheirColours) {
  // Red as much as it can be, green nothing, blue as much below.
  const KernelBank bank{"conv", 1, 3, 1, 2, {2, 0, 0, 0, -2, 0}};
  const Pixels pixels = kernel_picture(bank, 0, 1, false);
  EXPECT_EQ(pixels.width, 2);
  EXPECT_EQ(pixels.rgb, (std::vector<uint8_t>{255, 128, 0, 128, 128, 128}));
  EXPECT_EQ(kernel_picture(bank, 0, 1, true).rgb[0], 0) << "blue comes first";
}

TEST(Kernels, OfManyChannelsTheNormIsShown) {
  const KernelBank bank{"conv", 2, 4, 1, 1, {1, 1, 1, 1, 3, 3, 3, 3}};
  EXPECT_EQ(norm(bank, 0), 2);
  EXPECT_EQ(largest_norm(bank), 6);
  EXPECT_EQ(strongest(bank), (std::vector<int64_t>{1, 0}));
  const Colour third = sequential(2.0 / 6);
  EXPECT_EQ(kernel_picture(bank, 0, 6, false).rgb,
            (std::vector<uint8_t>{third.red, third.green, third.blue}));
  const Pixels matrix = matrix_picture(bank, {1, 0});
  EXPECT_EQ(matrix.width, 4);
  EXPECT_EQ(matrix.height, 2);
}

TEST(Kernels, OfOneChannelTheSignIsShown) {
  const KernelBank bank{"conv", 1, 1, 1, 2, {-4, 4}};
  const Colour low = diverging(-1), high = diverging(1);
  EXPECT_EQ(kernel_picture(bank, 0, 0, false).rgb,
            (std::vector<uint8_t>{low.red, low.green, low.blue, high.red, high.green, high.blue}));
  const KernelBank nothing{"conv", 1, 1, 1, 1, {0}};
  EXPECT_EQ(kernel_picture(nothing, 0, 0, false).rgb[0], 255);
}

}  // namespace
}  // namespace convscope

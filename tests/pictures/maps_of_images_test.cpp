// Maps drawn over and around images.
#include <gtest/gtest.h>

#include "suite/pictures/field_map.h"
#include "suite/pictures/overlay.h"

namespace convscope {
namespace {

Colour at(const Pixels& pixels, int row, int column) {
  const uint8_t* of = &pixels.rgb[3 * static_cast<size_t>(row * pixels.width + column)];
  return {of[0], of[1], of[2]};
}

TEST(Overlay, OrangeIsForBlueIsAgainstAndNothingLeavesTheGrey) {
  Pixels photograph{3, 1, {}};
  for (int i = 0; i < 3; ++i) photograph.add({100, 100, 100});
  const Pixels drawn = overlaid(photograph, {2, 0, -2});
  EXPECT_GT(at(drawn, 0, 0).red, at(drawn, 0, 0).blue);
  EXPECT_GT(at(drawn, 0, 2).blue, at(drawn, 0, 2).red);
  EXPECT_EQ(at(drawn, 0, 1).red, 162) << "255 - 0.6 * (255 - 100)";
  EXPECT_EQ(at(drawn, 0, 1).blue, 162);
  EXPECT_THROW(overlaid(photograph, {1, 2}), std::invalid_argument);
  EXPECT_EQ(at(overlaid(photograph, {0, 0, 0}), 0, 0).red, 162);
}

TEST(Overlay, AFewHugeValuesDoNotTakeTheColourFromTheRest) {
  Pixels photograph{1000, 1, {}};
  std::vector<float> values(1000, 1);
  for (int i = 0; i < 1000; ++i) photograph.add({255, 255, 255});
  values[7] = 1e6f;
  const Pixels drawn = overlaid(photograph, values);
  EXPECT_EQ(at(drawn, 0, 0).blue, at(drawn, 0, 7).blue);
  EXPECT_LT(at(drawn, 0, 0).blue, 60);
}

TEST(FieldPicture, HasItsFrameAndGreyBeyondTheImage) {
  // A field of 5 x 5 from -2: two lines of it lie beyond an image of 8 x 8.
  std::vector<double> magnitudes(64);
  magnitudes[0] = 1;
  const Pixels drawn = field_picture(magnitudes.data(), 8, 8, {-2, -2, 5, 5}, {0, 0, 1, 1});
  EXPECT_EQ(drawn.width, drawn.height);
  EXPECT_EQ(at(drawn, 0, 0).red, 222) << "beyond the image";
  int black = 0, vermillion = 0;
  for (int row = 0; row < drawn.height; ++row) {
    for (int column = 0; column < drawn.width; ++column) {
      black += at(drawn, row, column).red == 38;
      vermillion += at(drawn, row, column).green == 94;
    }
  }
  EXPECT_GT(black, 0);
  EXPECT_GT(vermillion, 0);
}

}  // namespace
}  // namespace convscope

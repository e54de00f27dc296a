// How gradients lie within a receptive field, from maps whose answer is known.
#include "suite/analysis/effective_field.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace convscope {
namespace {

/// A field of `side` pixels in the middle of an image of as many.
CentreUnit whole(int64_t side) { return {0, 0, 0, 0, side, side}; }

std::vector<double> bell(int64_t side, double width) {
  const double middle = static_cast<double>(side - 1) / 2;
  std::vector<double> values;
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) {
      const double dy = static_cast<double>(y) - middle, dx = static_cast<double>(x) - middle;
      values.push_back(std::exp(-(dx * dx + dy * dy) / (2 * width * width)));
    }
  }
  return values;
}

TEST(EffectiveField, TheWidthOfAGaussianIsFoundWhateverItsHeight) {
  for (const int64_t side : {101, 100}) {  // a middle on a pixel, and between two
    for (const double width : {1.5, 6.0, 12.0}) {
      auto values = bell(side, width);
      const GradientSpread found = gradient_spread(values.data(), side, side, whole(side));
      EXPECT_NEAR(found.width, width, 1e-4 * width) << side;
      EXPECT_NEAR(found.gaussian, 1, 1e-9);
      for (double& value : values) value *= 1e-6;
      EXPECT_NEAR(gradient_spread(values.data(), side, side, whole(side)).side, found.side, 1e-9);
    }
  }
}

TEST(EffectiveField, OfAGaussianTheSquareHoldsWhatTheNormalDistributionSays) {
  // Both coordinates within c deviations: erf(c / sqrt 2) squared is 0.95 at c = 2.2365.
  const double width = 20;
  const auto values = bell(301, width);
  const GradientSpread found = gradient_spread(values.data(), 301, 301, whole(301));
  EXPECT_NEAR(found.side, 2 * 2.2365 * width, 0.1);
}

TEST(EffectiveField, AFlatFieldIsHeldByItsWholeArea) {
  // Of 3 x 3 equal pixels the inner one has a ninth; the ring is taken in part.
  const std::vector<double> flat(9, 1);
  const GradientSpread found = gradient_spread(flat.data(), 3, 3, whole(3));
  EXPECT_NEAR(found.side, 1 + 2 * (0.95 - 1. / 9) / (8. / 9), 1e-12);
  EXPECT_TRUE(std::isnan(found.width)) << "nothing flat is a Gaussian";
  EXPECT_EQ(found.gaussian, 0);
}

TEST(EffectiveField, OnePixelIsASideOfOne) {
  std::vector<double> values(49);
  values[24] = 5;
  EXPECT_NEAR(gradient_spread(values.data(), 7, 7, whole(7)).side, 0.95, 1e-12);
  EXPECT_EQ(gradient_spread(std::vector<double>(49).data(), 7, 7, whole(7)).side, 0);
}

TEST(EffectiveField, TheShareOfTheFieldIsOfItsArea) {
  EXPECT_DOUBLE_EQ(share_of_field(50, whole(100)), 0.25);
  EXPECT_DOUBLE_EQ(share_of_field(200, whole(100)), 1);
  EXPECT_DOUBLE_EQ(share_of_field(2, {0, 0, 0, 0, 1, 4}), 0.5) << "a strip of 1 x 4";
}

TEST(EffectiveField, TheUnitInTheMiddleKnowsWhereItLooks) {
  // Features of a 7 x 7 convolution with stride 2 and padding 3 on 224 pixels: number 56 sees from
  // 109 to 115.
  const MapLayer layer{"conv1", "aten::conv2d", 0, {1, 64, 112, 112}, {{7, 2, 3}, {7, 2, 3}}, 1};
  const CentreUnit unit = centre_unit(layer);
  EXPECT_EQ(unit.row, 56);
  EXPECT_EQ(unit.top, 109);
  EXPECT_EQ(unit.field_width, 7);
  EXPECT_FALSE(unit.clipped(224, 224));
  EXPECT_TRUE(unit.clipped(114, 224));
  EXPECT_TRUE((CentreUnit{0, 0, -3, 0, 7, 7}.clipped(224, 224)));
}

}  // namespace
}  // namespace convscope

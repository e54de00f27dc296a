// The textbook's examples, whose numbers are worked out by hand.
#include "suite/pictures/filtering.h"

#include <gtest/gtest.h>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

Grid grid(const std::string& text) { return parse_grid(text, "grid"); }

TEST(Filtering, SobelFindsTheEdgeOfTheTextbook) {
  std::string edge;
  for (int row = 0; row < 5; ++row) edge += "255 255 0 0 0\n";
  const Grid found = convolved(grid(edge), known_filter("sobel-x"));
  ASSERT_EQ(found.height, 3);
  ASSERT_EQ(found.width, 3);
  EXPECT_EQ(found.values, (std::vector<double>{-1020, -1020, 0, -1020, -1020, 0, -1020, -1020, 0}));
  EXPECT_EQ(rectified(found).values, std::vector<double>(9, 0));
}

TEST(Filtering, SobelSeesTheBothSidesOfABar) {
  std::string bar;
  for (int row = 0; row < 6; ++row) bar += "0 0 255 255 0 0\n";
  const Grid found = convolved(grid(bar), known_filter("sobel-x"));
  ASSERT_EQ(found.width, 4);
  for (int row = 0; row < 4; ++row) {
    EXPECT_EQ(found.at(row, 0), 1020);
    EXPECT_EQ(found.at(row, 1), 1020);
    EXPECT_EQ(found.at(row, 2), -1020);
    EXPECT_EQ(found.at(row, 3), -1020);
  }
}

TEST(Filtering, PoolingTakesTheLargestOfEachFour) {
  const Grid pooled = max_pooled(grid("1,1,2,4\n5,6,7,8\n3,2,1,0\n1,2,3,4\n"));
  EXPECT_EQ(pooled.values, (std::vector<double>{6, 8, 3, 4}));
  EXPECT_EQ(max_pooled(grid("1 2 9\n3 4 9\n9 9 9\n")).values, std::vector<double>{4})
      << "an odd row and column are left out";
}

TEST(Filtering, KernelsThatFindEdgesGiveNothingOnEvenGround) {
  for (const std::string& name : known_filters()) {
    const double expected = name == "gauss" ? 7 : 0;
    EXPECT_NEAR(convolved(grid("7 7 7\n7 7 7\n7 7 7"), known_filter(name)).values.at(0), expected,
                1e-12)
        << name;
  }
}

TEST(Filtering, MistakesAreNamedWithTheirLine) {
  EXPECT_EQ(message_of<std::invalid_argument>([] { grid("1 2\n3 x\n"); }),
            "grid line 2: expected numbers, found 'x'");
  EXPECT_EQ(message_of<std::invalid_argument>([] { grid("1 2\n\n3\n"); }),
            "grid line 3: expected 2 numbers, found 1");
  EXPECT_EQ(message_of<std::invalid_argument>([] { grid("\n"); }), "grid has no numbers");
  EXPECT_EQ(message_of<std::invalid_argument>(
                [] { convolved(grid("1 2\n3 4"), known_filter("laplace")); }),
            "an image of 2x2 is smaller than the filter of 3x3");
  EXPECT_EQ(message_of<std::invalid_argument>([] { max_pooled(grid("1 2 3")); }),
            "2x2 pooling needs 2x2 values at least, and there are 1x3");
  EXPECT_EQ(message_of<std::invalid_argument>([] { known_filter("sobel"); }).substr(0, 18),
            "no filter 'sobel';");
}

}  // namespace
}  // namespace convscope

// Sheets of pictures: where their tiles lie, and that their pixels arrive.
#include "suite/report/chart.h"
#include "tests/report/drawn.h"

namespace convscope {
namespace {

Sheet::Tile tile(const std::string& label, int width, int height, uint8_t grey = 90) {
  return {label, width, height,
          std::vector<uint8_t>(static_cast<size_t>(3 * width * height), grey)};
}

TEST(SheetTest, TilesStandInRowsWithTheirNamesBelow) {
  Sheet sheet;
  for (int i = 0; i < 10; ++i) sheet.tiles.push_back(tile("tile " + std::to_string(i), 5, 5));
  const canvas::Drawing drawing = canvas::draw({"sheet", "Ten tiles", sheet});
  const auto rasters = shapes_of<canvas::Raster>(drawing);
  ASSERT_EQ(rasters.size(), 10u);
  EXPECT_EQ(rasters[0].box.top, rasters[3].box.top) << "four in a row";
  EXPECT_GT(rasters[0].box.bottom, rasters[4].box.top);
  EXPECT_EQ(rasters[0].box.left, rasters[4].box.left);
  EXPECT_LT(box_of(drawing, "tile 0").top, rasters[0].box.bottom);
  EXPECT_GT(box_of(drawing, "tile 0").bottom, rasters[4].box.top);
  expect_texts_apart_on_the_page({"sheet", "Ten tiles", sheet});
}

TEST(SheetTest, PixelsAreSquareAndSmallPicturesMadeOfBlocks) {
  Sheet sheet;
  sheet.tiles = {tile("", 3, 2), tile("", 2, 8)};
  sheet.tiles[0].rgb[0] = 255;  // red, at the left above
  const auto rasters = shapes_of<canvas::Raster>(canvas::draw({"s", "t", sheet}));
  for (const canvas::Raster& raster : rasters)
    EXPECT_NEAR((raster.box.right - raster.box.left) / raster.width,
                (raster.box.top - raster.box.bottom) / raster.height, 1e-9);
  EXPECT_EQ(rasters[0].width, 96);
  EXPECT_EQ(rasters[0].height, 64);
  EXPECT_EQ(rasters[0].rgb[3 * (31 * 96 + 31)], 255) << "still in the first block";
  EXPECT_EQ(rasters[0].rgb[3 * (31 * 96 + 32)], 90);
}

TEST(SheetTest, NamesHaveLinesAndAFrameHidesNothing) {
  Sheet sheet;
  sheet.tiles = {tile("one\ntwo", 5, 5), tile("one", 5, 5), tile("", 5, 5)};
  sheet.tiles[1].framed = true;
  const Figure figure{"sheet", "Three tiles", sheet};
  const canvas::Drawing drawing = canvas::draw(figure);
  EXPECT_GT(box_of(drawing, "one").bottom, box_of(drawing, "two").top - 1);
  const auto frames = shapes_of<canvas::Polyline>(drawing);
  ASSERT_EQ(frames.size(), 1u);
  const canvas::Box picture = shapes_of<canvas::Raster>(drawing)[1].box;
  for (const canvas::Point& corner : frames[0].points) {
    EXPECT_TRUE(corner.x < picture.left || corner.x > picture.right);
    EXPECT_TRUE(corner.y < picture.bottom || corner.y > picture.top);
  }
  expect_texts_apart_on_the_page(figure);
  EXPECT_EQ(human_text(figure_data(figure).rows[0][0], Human::plain), "one two");
}

TEST(SheetTest, WhatIsNoPictureIsAnErrorThatNamesIt) {
  EXPECT_EQ(error_of({"s", "t", Sheet()}), "a sheet needs a tile");
  Sheet sheet;
  sheet.tiles = {tile("conv1", 3, 3)};
  sheet.tiles[0].rgb.pop_back();
  EXPECT_EQ(error_of({"s", "t", sheet}), "conv1: 26 bytes are no picture of 3 x 3 pixels");
  sheet.tiles.assign(1025, tile("", 1, 1));
  EXPECT_EQ(error_of({"s", "t", sheet}), "1025 tiles do not fit a sheet: at most 1024");
}

TEST_F(RenderTest, SheetsOfPixelsLeaveNothingBehindTheirPictures) {
  Sheet sheet;
  sheet.key = "dark: less";
  for (int i = 0; i < 6; ++i)
    sheet.tiles.push_back(tile("a `b` <c> \"d\"", 7, 7, static_cast<uint8_t>(40 * i)));
  const Figure figure{"sheet", "Six greys", sheet};
  render(figure, folder.path);
  EXPECT_EQ(files(),
            (std::set<std::string>{"sheet.svg", "sheet-dark.svg", "sheet.png", "sheet.pdf"}));
  const std::string svg = contents(folder.path / "sheet.svg");
  EXPECT_NE(svg.find(" href='data:image/png;base64,"), std::string::npos);
  EXPECT_EQ(svg.find("xlink"), std::string::npos);
  EXPECT_EQ(figure_data(figure).rows.size(), 6u);
}

}  // namespace
}  // namespace convscope

#include <gtest/gtest.h>

#include <sstream>

#include "suite/report/figure.h"

namespace convscope {
namespace {

std::string csv(const Figure& figure) {
  std::ostringstream out;
  write(figure_data(figure), Format::csv, out);
  return out.str();
}

std::string headings(const Figure& figure) {
  std::string all;
  for (const TableColumn& column : figure_data(figure).columns) all += column.heading + "|";
  return all;
}

// What a sum in binary gives, which no rounding to people's digits reads back.
const double third = 1.0 / 3, odd = 0.1 + 0.2;

TEST(FigureData, StackedBarsAreAsGivenAndNotInTheUnitOfTheirPanel) {
  const StackedBars bars{
      {"conv", "linear"}, {{"Parameters (millions)", 1e6}}, {{"a, b", "g", {{61706, third}}}}};
  EXPECT_EQ(csv({"b", "", bars}),
            "row,group,panel,kind,value,unit\n"
            "\"a, b\",g,Parameters (millions),conv,61706,1000000\n"
            "\"a, b\",g,Parameters (millions),linear,0.3333333333333333,1000000\n");
}

TEST(FigureData, LinesHavePointsDotsMarksAndTheReference) {
  Lines lines;
  lines.x.label = "Layer";
  lines.y.label = "Pixels";
  lines.series = {{"s", "g", {{1, third}}, {{0.25, odd}}, {{2, 3}}}};
  lines.reference = Lines::Reference{224, "input", {}};
  lines.marks = {{4, 5, "here"}};
  EXPECT_EQ(csv({"l", "", lines}),
            "series,group,what,x,y,y_low,y_high\n"
            "s,g,point,1,0.3333333333333333,0.25,0.30000000000000004\n"
            "s,g,dot,2,3,,\n"
            "here,,mark,4,5,,\n"
            "input,,reference,,224,,\n");
  EXPECT_EQ(headings({"l", "", lines}), "Series|Group|What|Layer|Pixels|Pixels, low|Pixels, high|");
}

TEST(FigureData, BubblesHaveTheirFrontAndWhatTheyAreComparedWith) {
  Bubbles bubbles;
  bubbles.x.label = "MACs";
  bubbles.y.label = "Params";
  bubbles.size_label = "activations";
  bubbles.bubbles = {{"a", "g", 1e9, odd, 0}, {"b", "g", 2e9, 5, 7}};
  bubbles.front = {1};
  bubbles.guides = {{0.5, "half"}};
  EXPECT_EQ(csv({"b", "", bubbles}),
            "label,group,what,x,y,size,slope\n"
            "a,g,point,1000000000,0.30000000000000004,0,\n"
            "b,g,front,2000000000,5,7,\n"
            "half,,guide,,,,0.5\n");
  EXPECT_EQ(headings({"b", "", bubbles}), "Name|Group|What|MACs|Params|activations|Slope|");
  bubbles.bubbles[1].size = 0;
  EXPECT_EQ(headings({"b", "", bubbles}), "Name|Group|What|MACs|Params|Slope|")
      << "sizes that are not drawn";
}

TEST(FigureData, RoofIsAmongTheNumbers) {
  Bubbles bubbles;
  bubbles.bubbles = {{"a", "g", 1, 1, 1}};
  bubbles.roof = Bubbles::Roof{40, "memory", {{235, "FMA"}}};
  EXPECT_EQ(csv({"b", "", bubbles}),
            "label,group,what,x,y,size,slope\n"
            "a,g,point,1,1,1,\n"
            "FMA,,ceiling,,235,,\n"
            "memory,,roof,,,,40\n");
}

TEST(FigureData, HeatMapHasARowForEachCell) {
  const HeatMap map{{"cat", "dog"}, {{1, 0}, {third, odd}}, "Class", "Predicted class"};
  EXPECT_EQ(csv({"h", "", map}),
            "row,column,share\n"
            "cat,cat,1\ncat,dog,0\ndog,cat,0.3333333333333333\ndog,dog,0.30000000000000004\n");
  EXPECT_EQ(headings({"h", "", map}), "Class|Predicted class|Share|");
}

TEST(FigureData, DotsHaveTheirRawValues) {
  Dots dots;
  dots.x.label = "ms";
  dots.rows = {{"vgg11", "VGG", {{"eager", odd, Spread{0.25, 0.5}, {third, 0.5}}}}};
  dots.reference = Dots::Reference{10, "limit"};
  EXPECT_EQ(csv({"d", "", dots}),
            "row,group,series,what,x,x_low,x_high\n"
            "vgg11,VGG,eager,dot,0.30000000000000004,0.25,0.5\n"
            "vgg11,VGG,eager,raw,0.3333333333333333,,\n"
            "vgg11,VGG,eager,raw,0.5,,\n"
            "limit,,,reference,10,,\n");
}

TEST(FigureData, DistributionsHaveTheirBinsAndWhatLiesBeyond) {
  Distributions all;
  all.x.label = "ms";
  all.low = 10;
  all.high = 12;
  all.rows = {{"a", "g", {0.5, 0, third, 0}, 0, 0.125, odd, Spread{0.25, 0.5}, "n = 600"}};
  EXPECT_EQ(csv({"d", "", all}),
            "row,group,bin_start,bin_end,share,median,median_low,median_high,note\n"
            "a,g,10,10.5,0.5,0.30000000000000004,0.25,0.5,n = 600\n"
            "a,g,11,11.5,0.3333333333333333,0.30000000000000004,0.25,0.5,n = 600\n"
            "a,g,12,,0.125,0.30000000000000004,0.25,0.5,n = 600\n");
}

TEST(FigureData, ColumnsHaveTheirPanelsSideBySide) {
  Columns columns;
  columns.x_label = "Layer";
  columns.panels = {{"Parameters (thousands)", 1e3}, {"MACs", 1}};
  columns.columns = {{"conv1", "convolution", {61706, third}}, {"fc", "linear", {odd, 0}}};
  EXPECT_EQ(csv({"c", "", columns}),
            "column,kind,panel_1,panel_2\n"
            "conv1,convolution,61706,0.3333333333333333\n"
            "fc,linear,0.30000000000000004,0\n");
}

}  // namespace
}  // namespace convscope

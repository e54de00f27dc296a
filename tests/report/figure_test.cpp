#include "suite/report/figure.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <set>

#include "suite/report/axis.h"
#include "suite/report/chart.h"
#include "suite/report/fonts.h"
#include "suite/report/gnuplot.h"
#include "tests/report/drawn.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

using canvas::Drawing;

// Networks of very different cost, in pairs that nearly coincide, with the longest names there are.
struct Network {
  const char* name;
  const char* family;
  double conv_params, linear_params, macs, activations;
};
constexpr Network networks[] = {
    {"lenet5", "LeNet", 2872, 59134, 6.5e5, 8.5e3},
    {"alexnet", "AlexNet", 2469696, 58631144, 7.1e8, 4.9e5},
    {"alexnet_two_towers", "AlexNet", 2.33e6, 58.63e6, 7.2e8, 6.5e5},
    {"vgg11", "VGG", 9220480, 123642856, 7.61e9, 7.4e6},
    {"vgg11_bn", "VGG", 9225984, 123642856, 7.61e9, 7.4e6},
    {"vgg16", "VGG", 14714688, 123642856, 1.547e10, 1.36e7},
    {"vgg16_bn", "VGG", 14723136, 123642856, 1.547e10, 1.36e7},
    {"vgg19", "VGG", 20024384, 123642856, 1.963e10, 1.49e7},
    {"vgg19_bn", "VGG", 20035392, 123642856, 1.963e10, 1.49e7},
    {"googlenet", "Inception", 5599904, 1025000, 1.498e9, 3.2e6},
    {"inception_v3", "Inception", 21785568, 2049000, 5.71e9, 8.9e6},
    {"resnet18", "ResNet", 11176512, 513000, 1.814e9, 2.5e6},
    {"resnet50", "ResNet", 23508032, 2049000, 4.089e9, 1.11e7},
    {"resnet50_v1", "ResNet", 23508032, 2049000, 3.858e9, 1.05e7},
    {"resnet152", "ResNet", 58143808, 2049000, 1.1514e10, 2.26e7},
    {"resnet20_cifar", "ResNet (CIFAR)", 269072, 650, 4.08e7, 1.9e5},
    {"resnet1202_cifar", "ResNet (CIFAR)", 19420000, 650, 2.9e9, 1.2e7},
    {"mobilenet_v2", "MobileNet", 2223872, 1281000, 3.008e8, 6.7e6},
    {"mobilenet_v3_small", "MobileNet", 927008, 1615848, 5.65e7, 1.4e6},
};

Figure bars() {
  StackedBars bars{
      {"convolution", "linear"}, {{"Parameters (millions)", 1e6}, {"MACs (billions)", 1e9}}, {}};
  for (const Network& n : networks)
    bars.rows.push_back({n.name, n.family, {{n.conv_params, n.linear_params}, {n.macs, 0}}});
  return {"bars", "What the networks are made of", bars};
}

Figure bubbles() {
  Bubbles bubbles{{"MACs for one image", Scale::log, TickText::si},
                  {"Parameters", Scale::log, TickText::si},
                  "activations",
                  {},
                  {}};
  for (const Network& n : networks)
    bubbles.bubbles.push_back(
        {n.name, n.family, n.macs, n.conv_params + n.linear_params, n.activations});
  return {"bubbles", "Work against size", bubbles};
}

Figure lines(Scale x) {
  Lines lines{
      {"Weighted layers from the input", x}, {"Receptive field (pixels)", Scale::log}, {}, {}, {}};
  lines.reference = {224, "input: 224 pixels"};
  int slope = 2;
  for (const char* name : {"vgg11", "vgg16", "resnet18", "resnet50", "mobilenet_v3_small"}) {
    Lines::Series series{name, std::string(name).substr(0, 3), {}};
    for (int layer = 1; layer <= 6 * slope; ++layer)
      series.points.push_back({1.0 * layer, 3.0 + layer * (40.0 / slope)});
    slope += 2;
    lines.series.push_back(series);
  }
  return {"lines", "How much of the image a feature sees", lines};
}

// Layers of a network under what a machine can do: 40 GB/s, 200 and 235 GFLOP/s.
Figure roofline() {
  Bubbles layers{{"FLOP per byte", Scale::log}, {"GFLOP/s", Scale::log}, "milliseconds", {}, {}};
  for (int layer = 0; layer < 40; ++layer) {
    const double intensity = 0.1 * std::pow(1.2, layer);
    layers.bubbles.push_back({"layer" + std::to_string(layer), layer % 3 == 0 ? "relu" : "conv2d",
                              intensity, 0.8 * std::min(40 * intensity, 200.0), 1.0 + layer % 7});
  }
  layers.roof = Bubbles::Roof{
      40, "memory: 40 GB/s", {{235, "FMA: 235 GFLOP/s"}, {200, "matrix product: 200 GFLOP/s"}}};
  layers.named = 8;
  return {"roofline", "What bounds the layers", layers};
}

// Five lines of three points that nearly coincide, each with its range, round a reference.
Figure ranges() {
  Lines lines;
  lines.x.label = "Stages that are taken";
  lines.x.whole = true;
  lines.x.from_zero = false;
  lines.x.names = {{1, "conv1"}, {2, "conv2"}, {3, "fc"}};
  lines.y = {"Top-1 (%)", Scale::linear, TickText::plain, false};
  lines.bars = true;
  lines.reference = Lines::Reference{62.5, "base: 62.5 %", Spread{62, 63}};
  for (int i = 0; i < 5; ++i) {
    Lines::Series series{"kind" + std::to_string(i), i < 2 ? "B" : "A", {}};
    for (int cut = 1; cut <= 3; ++cut) {
      series.points.push_back({1.0 * cut, 60.0 + 0.5 * i + 0.1 * cut});
      series.spread.push_back({58.0 + 0.2 * i, 64.0 + 0.3 * cut});
    }
    lines.series.push_back(series);
  }
  return {"ranges", "How well stages transfer", lines};
}

// A curve with the dots that it smooths, a band round it, and places on it.
Figure curve() {
  Lines lines{{"Learning rate", Scale::log}, {"Loss"}, {{"smoothed", "g", {}}}, {}, {}};
  Lines::Series& series = lines.series[0];
  for (int i = 0; i < 60; ++i) {
    const double rate = 1e-6 * std::pow(1.2, i), loss = 2.3 / (1 + 30 * rate);
    series.points.push_back({rate, loss});
    series.spread.push_back({loss - 0.1, loss + 0.1});
    series.dots.push_back({rate, loss + (i % 3 - 1) * 0.08});
  }
  for (const int i : {20, 44, 46, 50})
    lines.marks.push_back({series.points[i].x, series.points[i].y, "rule/1" + std::to_string(i)});
  return {"curve", "Loss at growing rates", lines};
}

Figure heat_map(int classes) {
  HeatMap map{{}, {}, "Class", "Taken for class (percent of the row)"};
  for (int i = 0; i < classes; ++i) {
    map.labels.push_back("n0144" + std::to_string(1000 + i) + " a class with a long name");
    map.shares.emplace_back(classes, 0.4 / classes);
    map.shares.back()[i] += 0.6;
  }
  return {"heat_map", "What a network takes each class for", map};
}

std::vector<Figure> figures() {
  return {bars(),   bubbles(), roofline(),  lines(Scale::log), lines(Scale::linear),
          ranges(), curve(),   heat_map(3), heat_map(30)};
}

// PATH for the time of a test.
struct Path {
  std::string before = std::getenv("PATH");
  explicit Path(const std::string& path) { setenv("PATH", path.c_str(), 1); }
  ~Path() { setenv("PATH", before.c_str(), 1); }
};

// A program called gnuplot that does something else.
void put_program(const std::filesystem::path& folder, const std::string& script) {
  put(folder / "gnuplot", "#!/bin/sh\n" + script);
  chmod((folder / "gnuplot").c_str(), 0755);
}

TEST(Layout, TextsLieOnThePageAndDoNotOverlap) {
  for (const Figure& figure : figures()) expect_texts_apart_on_the_page(figure);
}

TEST(Layout, BubblesAreNotCoveredByText) {
  const Drawing drawing = canvas::draw(bubbles());
  for (const auto& shape : drawing.shapes) {
    const auto* disc = std::get_if<canvas::Disc>(&shape);
    for (const canvas::Text& text : drawing.texts) {
      EXPECT_FALSE(disc != nullptr &&
                   overlap(canvas::bounds(text), canvas::Circle{disc->centre, disc->radius - 0.1}))
          << text.text;
    }
  }
}

TEST(Layout, EveryNetworkIsNamed) {
  for (const Figure& figure : {bars(), bubbles()})
    for (const Network& n : networks)
      EXPECT_TRUE(has_text(canvas::draw(figure), n.name)) << figure.name << ": " << n.name;
}

TEST(StackedBars, BarTooShortToSeeStillHasItsNumber) {
  const Drawing drawing = canvas::draw(bars());
  EXPECT_TRUE(has_text(drawing, "0.00065")) << "LeNet-5's MACs in billions";
  EXPECT_TRUE(has_text(drawing, "0.062")) << "LeNet-5's parameters in millions";
  EXPECT_TRUE(has_text(drawing, "144")) << "VGG-19's parameters in millions";
}

TEST(StackedBars, LengthsAreInProportion) {
  const StackedBars two{{"a", "b"}, {{"P", 1}}, {{"x", "g", {{2, 1}}}, {"y", "g", {{6, 0}}}}};
  const Drawing drawing = canvas::draw({"two", "", two});
  std::vector<double> lengths;
  for (const auto& shape : drawing.shapes)
    if (const auto* bar = std::get_if<canvas::Rectangle>(&shape))
      if (bar->box.top - bar->box.bottom > 6.5) lengths.push_back(bar->box.right - bar->box.left);
  // The whole of x under its first part, and y; the squares of the legend are lower.
  ASSERT_EQ(lengths.size(), 3u);
  EXPECT_NEAR(lengths[0] / lengths[2], 3.0 / 6, 1e-9);
  EXPECT_NEAR(lengths[1] / lengths[2], 2.0 / 6, 1e-9);
}

TEST(Bubbles, AreaIsInProportion) {
  Bubbles two{{"x"}, {"y"}, "z", {{"small", "g", 1, 1, 25}, {"large", "g", 2, 2, 100}}, {}};
  const Drawing drawing = canvas::draw({"two", "", two});
  std::vector<double> radii;
  for (const auto& shape : drawing.shapes)
    if (const auto* disc = std::get_if<canvas::Disc>(&shape))
      if (disc->fill == canvas::palette(0)) radii.push_back(disc->radius);
  ASSERT_EQ(radii.size(), 2u);
  EXPECT_NEAR(std::pow(radii[0] / radii[1], 2), 4, 1e-9) << "the larger one is drawn first";
}

TEST(Bubbles, RoofRisesToItsHighestCeiling) {
  const Drawing drawing = canvas::draw(roofline());
  std::vector<canvas::Polyline> roofs;
  for (const auto& shape : drawing.shapes)
    if (const auto* line = std::get_if<canvas::Polyline>(&shape))
      if (line->points.size() == 3 && line->dash == canvas::Dash::solid && line->width > 1)
        roofs.push_back(*line);
  ASSERT_EQ(roofs.size(), 1u);
  const auto& points = roofs[0].points;
  EXPECT_LT(points[0].x, points[1].x);
  EXPECT_LT(points[0].y, points[1].y);
  EXPECT_LT(points[1].x, points[2].x);
  EXPECT_EQ(points[1].y, points[2].y);
  for (const auto& shape : drawing.shapes)
    if (const auto* disc = std::get_if<canvas::Disc>(&shape))
      if (disc->fill != 0x999999) {
        // Every layer of this example does 0.8 of what it could.
        const double along = (disc->centre.x - points[0].x) / (points[1].x - points[0].x);
        const double roof = points[0].y + std::min(along, 1.0) * (points[1].y - points[0].y);
        EXPECT_LT(disc->centre.y, roof);
      }
}

TEST(Bubbles, OnlyTheLargestAreNamedWhereThatIsAsked) {
  Figure figure = roofline();
  std::get<Bubbles>(figure.content).named = 2;
  std::get<Bubbles>(figure.content).bubbles[30].size = 50;
  std::get<Bubbles>(figure.content).bubbles[3].size = 40;
  const Drawing drawing = canvas::draw(figure);
  for (int layer = 0; layer < 40; ++layer)
    EXPECT_EQ(has_text(drawing, "layer" + std::to_string(layer)), layer == 30 || layer == 3);
}

TEST(Bubbles, RoofThatCannotStandIsRefused) {
  Figure figure = roofline();
  auto& roof = *std::get<Bubbles>(figure.content).roof;
  roof.slope = 0;
  EXPECT_EQ(error_of(figure),
            "memory: 40 GB/s: GFLOP/s is 0, which a logarithmic axis cannot show");
  roof = {40, "memory", {{-1, "FMA"}}};
  EXPECT_EQ(error_of(figure), "FMA: GFLOP/s is -1, which a logarithmic axis cannot show");
  roof.ceilings.clear();
  EXPECT_EQ(error_of(figure), "a roof needs a ceiling");
}

TEST(Lines, ReferenceHasItsNameAndItsPlaceOnTheAxis) {
  Lines lines{{"x"}, {"y"}, {{"a", "g", {{0, 0}, {1, 100}}}}, Lines::Reference{300, "limit"}, {}};
  EXPECT_TRUE(has_text(canvas::draw({"l", "", lines}), "limit"));
  EXPECT_TRUE(has_text(canvas::draw({"l", "", lines}), "300")) << "the axis reaches it";
}

std::vector<canvas::Rectangle> bars_of(const Drawing& drawing, canvas::Color color) {
  std::vector<canvas::Rectangle> found;
  for (const auto& shape : drawing.shapes)
    if (const auto* bar = std::get_if<canvas::Rectangle>(&shape))
      if (bar->fill == color) found.push_back(*bar);
  return found;
}

TEST(Lines, RangesStandSideBySide) {
  const Drawing drawing = canvas::draw(ranges());
  std::vector<canvas::Rectangle> all = bars_of(drawing, canvas::palette(0));
  for (const auto& bar : bars_of(drawing, canvas::palette(1))) all.push_back(bar);
  ASSERT_EQ(all.size(), 15u);
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t k = 0; k < i; ++k) EXPECT_FALSE(overlap(all[i].box, all[k].box, 1));
}

TEST(Lines, BandLiesUnderItsLineAndLetsTheGridThrough) {
  const Drawing drawing = canvas::draw(curve());
  size_t band = 0, line = 0;
  for (size_t i = 0; i < drawing.shapes.size(); ++i) {
    if (const auto* polygon = std::get_if<canvas::Polygon>(&drawing.shapes[i]))
      if (polygon->opacity < 1) band = i;
    if (const auto* path = std::get_if<canvas::Polyline>(&drawing.shapes[i]))
      if (path->points.size() == 60) line = i;
  }
  EXPECT_GT(band, 0u);
  EXPECT_LT(band, line);
}

TEST(Lines, PlacesOnACurveAreNamed) {
  const Drawing drawing = canvas::draw(curve());
  for (const char* name : {"rule/120", "rule/144", "rule/146", "rule/150"})
    EXPECT_TRUE(has_text(drawing, name)) << name;
}

TEST(Lines, SpreadsAreAsManyAsPoints) {
  Figure figure = ranges();
  std::get<Lines>(figure.content).series[1].spread.pop_back();
  EXPECT_EQ(error_of(figure), "the line 'kind1' has 3 points and 2 spreads");
}

TEST(HeatMap, IsDarkerWhereThereIsMore) {
  const HeatMap map{{"a", "b"}, {{1, 0}, {0.25, 0.75}}, "row", "column"};
  const Drawing drawing = canvas::draw({"h", "", map});
  std::vector<canvas::Rectangle> cells;
  for (const auto& shape : drawing.shapes)
    if (const auto* cell = std::get_if<canvas::Rectangle>(&shape))
      if (cell->box.top - cell->box.bottom > 10) cells.push_back(*cell);
  ASSERT_EQ(cells.size(), 4u);
  for (size_t i = 1; i < cells.size(); ++i)
    EXPECT_LT(cells[i].fill >> 16, cells[i - 1].fill >> 16) << "the lightest is drawn first";
  EXPECT_LT(cells[3].box.left, cells[0].box.left) << "all of the first row is in its first cell";
  EXPECT_EQ(cells[3].box.top, cells[0].box.top);
  for (const char* percent : {"100", "25", "75"}) EXPECT_TRUE(has_text(drawing, percent));
}

TEST(HeatMap, ThatCannotBeShownNamesItsRow) {
  HeatMap map{{"a", "b"}, {{1, 0}, {0.25, 1.75}}, "row", "column"};
  EXPECT_EQ(error_of({"h", "", map}), "b: 1.75 is no share, expected 0 to 1");
  map.shares[1].pop_back();
  EXPECT_EQ(error_of({"h", "", map}), "b: 1 values, expected 2");
  map.shares.pop_back();
  EXPECT_EQ(error_of({"h", "", map}), "a heat map of 1 rows, expected 2");
  EXPECT_EQ(error_of({"h", "", HeatMap{}}), "a heat map needs a row");
  EXPECT_EQ(error_of(heat_map(31)), "31 rows do not fit a heat map: at most 30");
}

TEST(Figure, GroupsKeepTheColorsThatAreListed) {
  Bubbles one{{"x"}, {"y"}, "z", {{"a", "VGG", 1, 1, 1}}, {"LeNet", "AlexNet", "VGG"}};
  bool found = false;
  for (const auto& shape : canvas::draw({"b", "", one}).shapes)
    if (const auto* disc = std::get_if<canvas::Disc>(&shape))
      found = found || disc->fill == canvas::palette(2);
  EXPECT_TRUE(found);
}

TEST(Figure, SinglePointIsDrawn) {
  EXPECT_EQ(error_of({"b", "", Bubbles{{"x", Scale::log}, {"y"}, "z", {{"a", "g", 5, 0, 0}}, {}}}),
            "");
  EXPECT_EQ(error_of({"l", "", Lines{{"x"}, {"y", Scale::log}, {{"a", "g", {{3, 7}}}}, {}, {}}}),
            "");
  EXPECT_EQ(error_of({"s", "", StackedBars{{"k"}, {{"p", 1}}, {{"a", "g", {{0}}}}}}), "");
}

TEST(Figure, ThousandNetworksAreSoundOrAnError) {
  std::minstd_rand random(3);
  Bubbles many{{"x"}, {"y"}, "z", {}, {}};
  StackedBars bars{{"k"}, {{"p", 1}}, {}};
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "network" + std::to_string(i);
    many.bubbles.push_back(
        {name, "g", static_cast<double>(random() % 1000), static_cast<double>(random() % 1000), 1});
    bars.rows.push_back({name, "g", {{1}}});
  }
  const Drawing drawing = canvas::draw({"b", "", many});
  EXPECT_NE(drawing.texts.back().text.find(" of 1000 names left out"), std::string::npos);
  EXPECT_EQ(error_of({"s", "", bars}), "1000 bars do not fit a page: choose at most 200");
}

TEST(Figure, ValueThatCannotBeShownNamesItsRow) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(
      error_of({"b", "", Bubbles{{"MACs", Scale::log}, {"y"}, "z", {{"a", "g", 0, 1, 1}}, {}}}),
      "a: MACs is 0, which a logarithmic axis cannot show");
  EXPECT_EQ(error_of({"b", "", Bubbles{{"x"}, {"y"}, "z", {{"a", "g", 1, nan, 1}}, {}}}),
            "a: y is nan, which no figure can show");
  EXPECT_EQ(error_of({"b", "", Bubbles{{"x"}, {"y"}, "z", {{"a", "g", 1, 1, -1}}, {}}}),
            "a: z is -1, which no area can show");
  EXPECT_EQ(error_of({"s", "", StackedBars{{"k"}, {{"p", 1}}, {{"a", "g", {{-2}}}}}}),
            "a: a part of 'p' is -2, which no bar can show");
  EXPECT_EQ(error_of({"s", "", StackedBars{{"k"}, {{"p", 1}}, {{"a", "g", {{1, 2}}}}}}),
            "a: 2 values in 'p', expected 1");
  EXPECT_EQ(error_of({"s", "", StackedBars{{"k"}, {{"p", 1}}, {}}}),
            "a figure of bars needs a row, a panel and a kind");
  EXPECT_EQ(error_of({"l", "", Lines{{"x"}, {"y"}, {{"a", "g", {}}}, {}, {}}}),
            "the line 'a' has no points");
}

TEST(Ticks, AreRoundAndNotTooMany) {
  const auto values = [](const Axis& axis, canvas::Range range, int at_most) {
    std::string text;
    for (const canvas::Tick& tick : canvas::ticks(axis, range, at_most)) text += tick.text + " ";
    return text;
  };
  EXPECT_EQ(values({"x"}, {0, 144}, 4), "0 50 100 ");
  EXPECT_EQ(values({"x"}, {-0.3, 0.32}, 8), "-0.3 -0.2 -0.1 0 0.1 0.2 0.3 ");
  EXPECT_EQ(values({"x", Scale::log}, {3, 1400}, 9), "5 10 20 50 100 200 500 1000 ");
  EXPECT_EQ(values({"x", Scale::log, TickText::si}, {3e5, 2e10}, 8), "1 M 10 M 100 M 1 G 10 G ");
  const Axis counts{"x", Scale::linear, TickText::plain, false, true};
  EXPECT_EQ(values(counts, {1, 4}, 8), "1 2 3 4 ");
  EXPECT_EQ(values(counts, {0.5, 1.5}, 8), "1 ");
  EXPECT_EQ(values(counts, {1, 15}, 6), "5 10 15 ");
  EXPECT_EQ(values({"x", Scale::log}, {41, 44}, 8), "41 41.5 42 42.5 43 43.5 44 ");
  EXPECT_EQ(values({"x", Scale::log}, {1e-30, 1e30}, 7), "1e-30 1e-20 1e-10 1 1e+10 1e+20 1e+30 ");
}

TEST(Palette, TextCanBeReadOnWhite) {
  const auto luminance = [](canvas::Color color) {
    const auto linear = [](canvas::Color channel) {
      const double c = channel / 255.0;
      return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(color >> 16) + 0.7152 * linear(color >> 8 & 0xFF) +
           0.0722 * linear(color & 0xFF);
  };
  // The contrast that WCAG 2 asks for.
  for (size_t i = 0; i < 7; ++i)
    EXPECT_GE(1.05 / (luminance(canvas::text_color(canvas::palette(i))) + 0.05), 4.5) << i;
  EXPECT_GE(1.05 / (luminance(canvas::muted) + 0.05), 4.5);
}

TEST_F(RenderTest, MakesTheFilesOfEachFormat) {
  for (const Figure& figure : figures()) {
    const auto paths = render(figure, folder.path / "new" / "folder");
    ASSERT_EQ(paths.size(), 4u);
    EXPECT_EQ(paths[0], folder.path / "new" / "folder" / (figure.name + ".svg"));
    EXPECT_EQ(paths[1], folder.path / "new" / "folder" / (figure.name + "-dark.svg"));
    const std::string svg = contents(paths[0]), png = contents(paths[2]), pdf = contents(paths[3]);
    EXPECT_NE(svg.find("<svg"), std::string::npos);
    EXPECT_NE(svg.find("</svg>"), std::string::npos);
    EXPECT_NE(svg.find("<title>" + figure.title + "</title>"), std::string::npos);
    EXPECT_EQ(svg.find(":Bold"), std::string::npos) << "browsers know no such font";
    ASSERT_GT(png.size(), 24u);
    EXPECT_EQ(png.substr(1, 3), "PNG");
    EXPECT_EQ(png.substr(16, 4), std::string("\0\0\x07\xD0", 4)) << "2000 pixels wide";
    EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
    EXPECT_NE(pdf.find("%%EOF"), std::string::npos);
  }
}

TEST_F(RenderTest, LeavesNothingElseBehind) {
  render(bars(), folder.path, {ImageFormat::pdf});
  EXPECT_EQ(files(), std::set<std::string>{"bars.pdf"});
}

TEST_F(RenderTest, SameFigureGivesTheSameBytes) {
  const auto first = render(bubbles(), folder.path / "1");
  // PDF holds whole seconds.
  struct timespec pause = {1, 100000000};
  nanosleep(&pause, nullptr);
  const auto second = render(bubbles(), folder.path / "2");
  for (size_t i = 0; i < first.size(); ++i)
    EXPECT_TRUE(contents(first[i]) == contents(second[i])) << first[i];
}

TEST_F(RenderTest, TextIsShownAsItIsAndNeverRun) {
  Figure figure = bars();
  figure.title = "<script>&`touch ran`";
  auto& content = std::get<StackedBars>(figure.content);
  content.rows.clear();
  for (const char* label :
       {"a_b^{c} 'd' \"e\" `touch ran`", "$x @y \\n 100%% # <script> &", "'; system('touch ran')",
        "\"; system(\"touch ran\")", "''' ''", "é模\n\xff", "1/10: 3e-07"})
    content.rows.push_back({label, "g", {{1, 2}, {3, 4}}});
  const std::string svg = contents(render(figure, folder.path)[0]);
  for (const char* shown : {"a_b^{c} 'd' \"e\" `touch ran`", "$x @y \\n 100%% # &lt;script> &amp;",
                            "'; system('touch ran')", "\"; system(\"touch ran\")", "''' ''",
                            "é模 \uFFFD", "1/10: 3e-07"})
    EXPECT_NE(svg.find("<text>" + std::string(shown) + "</text>"), std::string::npos) << shown;
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_EQ(files(), (std::set<std::string>{"bars.svg", "bars-dark.svg", "bars.png", "bars.pdf"}));
}

TEST_F(RenderTest, FolderMayHaveAnyName) {
  const auto odd = folder.path / "|touch ran; it's \"odd\" `x`";
  EXPECT_TRUE(std::filesystem::exists(render(lines(Scale::log), odd)[1]));
}

TEST_F(RenderTest, NameThatIsAPathIsRefused) {
  Figure figure = bars();
  figure.name = "../bars";
  EXPECT_THROW(render(figure, folder.path), std::invalid_argument);
}

TEST_F(RenderTest, FolderThatCannotBeMadeSaysWhichAndWhy) {
  put(folder.path / "file", "");
  EXPECT_EQ(
      message_of<std::runtime_error>([&] { render(bars(), folder.path / "file" / "x"); }),
      "cannot create the folder " + (folder.path / "file" / "x").string() + ": Not a directory");
}

TEST_F(RenderTest, FailureLeavesTheOlderFiles) {
  put(folder.path / "bars.svg", "older");
  TemporaryFolder programs;
  put_program(programs.path,
              "echo half > .bars.$PPID.svg\necho '         line 3: no' >&2\nexit 1\n");
  const Path path(programs.path);
  EXPECT_EQ(message_of<std::runtime_error>([&] { render(bars(), folder.path); }),
            "gnuplot failed: line 3: no");
  EXPECT_EQ(files(), std::set<std::string>{"bars.svg"});
  EXPECT_EQ(contents(folder.path / "bars.svg"), "older");
}

TEST(Drawable, CharacterThatNoFontHasIsReplaced) {
  EXPECT_EQ(drawable({"resnet50 é", "a\U0010FFFDb"}),
            (std::vector<std::string>{"resnet50 é", "a\uFFFDb"}));
  const Path path("");
  EXPECT_EQ(drawable({"é", "α"}), (std::vector<std::string>{"é", "\uFFFD"})) << "without fc-list";
}

TEST(Shortened, KeepsTheBeginningAndTheEnd) {
  EXPECT_EQ(canvas::shortened("resnet50", 100, 7), "resnet50");
  const std::string shorter = canvas::shortened("a_network_with_a_very_long_name_v2", 80, 7);
  EXPECT_LE(canvas::text_width(shorter, 7), 80);
  EXPECT_EQ(shorter.substr(0, 4), "a_ne");
  EXPECT_EQ(shorter.substr(shorter.size() - 3), "_v2");
}

TEST(Gnuplot, MissingProgramNamesItsPackage) {
  TemporaryFolder folder;
  const Path path("");
  const std::string message =
      "there is no gnuplot in PATH, which draws the figures: install the Debian package "
      "gnuplot-nox";
  EXPECT_EQ(message_of<std::runtime_error>([&] { render(bars(), folder.path); }), message);
  EXPECT_EQ(message_of<std::runtime_error>([] { check_gnuplot(); }), message);
}

TEST(Gnuplot, ThatHangsIsStopped) {
  TemporaryFolder folder;
  put_program(folder.path, "trap '' TERM\nwhile :; do :; done\n");
  const Path path(folder.path);
  EXPECT_EQ(message_of<std::runtime_error>(
                [&] { run_gnuplot("", folder.path, std::chrono::milliseconds(100)); }),
            "gnuplot was stopped after 100 ms without an end");
}

TEST(Gnuplot, ComplaintIsAnErrorEvenWithoutAStatus) {
  TemporaryFolder folder;
  put_program(folder.path, "echo '         line 0: warning: no valid points' >&2\n");
  const Path path(folder.path);
  EXPECT_EQ(message_of<std::runtime_error>([&] { run_gnuplot("", folder.path); }),
            "gnuplot failed: line 0: warning: no valid points");
}

TEST(Gnuplot, FontMessagesAreNotComplaints) {
  TemporaryFolder folder;
  put_program(folder.path, "echo 'Fontconfig warning: no writable cache directories' >&2\n");
  const Path path(folder.path);
  EXPECT_NO_THROW(run_gnuplot("", folder.path));
}

TEST(Gnuplot, ScriptIsReadWholeHoweverLong) {
  TemporaryFolder folder;
  put_program(folder.path, "wc -c > size\n");
  const Path path(folder.path.string() + ":/usr/bin:/bin");
  run_gnuplot(std::string(3000000, '#'), folder.path);
  EXPECT_EQ(std::stol(contents(folder.path / "size")), 3000000);
}

}  // namespace
}  // namespace convscope

#include "suite/report/svg.h"

#include <cmath>
#include <set>
#include <string>

#include "tests/report/drawn.h"

namespace convscope {
namespace {

double luminance(canvas::Color color) {
  const auto linear = [](canvas::Color channel) {
    const double c = channel / 255.0;
    return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color >> 16) + 0.7152 * linear(color >> 8 & 0xFF) +
         0.0722 * linear(color & 0xFF);
}

// As WCAG 2 has it.
double contrast(canvas::Color a, canvas::Color b) {
  const double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
  return std::max(x, y) / std::min(x, y);
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Every kind, with each color that it has.
std::vector<Figure> every_kind() {
  const Axis x{"x"}, y{"y"};
  StackedBars bars{{}, {{"p", 1}}, {{"row", "g", {{}}}}};
  Bubbles bubbles{x, y, "z", {}, {}}, markers{x, y, "", {}, {}};
  Lines lines;
  lines.x = x;
  lines.y = y;
  Dots dots;
  dots.x = x;
  Distributions distributions;
  distributions.x = x;
  distributions.low = 0;
  distributions.high = 1;
  Columns columns;
  columns.panels = {{"p", 1}};
  for (size_t k = 0; k < 7; ++k) {
    const std::string name = "kind" + std::to_string(k);
    const double value = 1 + static_cast<double>(k);
    bars.kinds.push_back(name);
    bars.rows[0].values[0].push_back(value);
    bubbles.bubbles.push_back({name, name, value, value, value});
    markers.bubbles.push_back({name, name, value, value, 0, Spread{0.5, 9}});
    lines.series.push_back(
        {name, name, {{0, value}, {9, 2 * value}}, {{0, 1}, {1, 2}}, {{4, value}}});
    dots.rows.push_back({name, "g", {{name, value, Spread{1, 2}, {value, 1}}}});
    distributions.rows.push_back({name, name, {0.2, 0.8}, 0.1, 0.1, 0.5, Spread{0.4, 0.6}, "n"});
    columns.columns.push_back({name, name, {value}});
  }
  markers.front = {1, 2};
  markers.front_label = "front";
  markers.guides = {{1, "guide"}};
  lines.reference = Lines::Reference{3, "reference", Spread{2, 4}};
  lines.marks = {{5, 3, "mark"}};
  dots.reference = Dots::Reference{3, "reference"};
  dots.joined = true;
  HeatMap map{{}, {}, "row", "column"};
  for (int r = 0; r < 10; ++r) {
    map.labels.push_back(std::to_string(r));
    map.shares.emplace_back();
    for (int c = 0; c < 10; ++c) map.shares.back().push_back((10 * r + c) / 99.0);
  }
  return {{"bars", "t", bars},       {"bubbles", "t", bubbles},
          {"markers", "t", markers}, {"lines", "t", lines},
          {"dots", "t", dots},       {"distributions", "t", distributions},
          {"columns", "t", columns}, {"map", "t", map}};
}

// The colors of shapes, and those of texts.
std::set<canvas::Color> shape_colors(const canvas::Drawing& drawing) {
  std::set<canvas::Color> colors;
  for (const auto& shape : drawing.shapes) {
    if (const auto* line = std::get_if<canvas::Polyline>(&shape)) colors.insert(line->color);
    if (const auto* one = std::get_if<canvas::Polygon>(&shape)) colors.insert(one->fill);
    if (const auto* one = std::get_if<canvas::Disc>(&shape)) colors.insert(one->fill);
    if (const auto* one = std::get_if<canvas::Rectangle>(&shape)) colors.insert(one->fill);
  }
  return colors;
}

TEST(InDark, EveryColorOfEveryKindHasItsCounterpart) {
  for (const Figure& figure : every_kind()) {
    const canvas::Drawing drawing = canvas::draw(figure);
    std::set<canvas::Color> colors = shape_colors(drawing);
    for (const canvas::Text& text : drawing.texts) colors.insert(text.color);
    for (const canvas::Color color : colors)
      EXPECT_NE(canvas::in_dark(color), 0xFFFFFF - color) << figure.name << std::hex << color;
  }
}

TEST(InDark, MarksAndTextsStandOut) {
  const canvas::Color page = canvas::in_dark(canvas::paper);
  EXPECT_LT(luminance(page), 0.02);
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_GE(contrast(canvas::in_dark(canvas::palette(i)), page), 3) << i;
    EXPECT_GE(contrast(canvas::in_dark(canvas::text_color(canvas::palette(i))), page), 4.5) << i;
  }
  for (const canvas::Color color : {canvas::ink, canvas::muted})
    EXPECT_GE(contrast(canvas::in_dark(color), page), 4.5);
  EXPECT_GE(contrast(canvas::in_dark(canvas::rim), page), 3);
}

TEST(InDark, PercentagesCanBeReadOnTheirCells) {
  const canvas::Drawing drawing = canvas::draw(every_kind().back());
  for (const canvas::Text& text : drawing.texts)
    for (const auto& cell : shapes_of<canvas::Rectangle>(drawing)) {
      if (!overlap(canvas::bounds(text), cell.box)) continue;
      EXPECT_GE(contrast(canvas::in_dark(text.color), canvas::in_dark(cell.fill)), 4.5)
          << text.text;
    }
}

struct SvgTest : RenderTest {
  std::string light(const Figure& figure) const {
    return contents(render(figure, folder.path, {ImageFormat::svg}).at(0));
  }
};

TEST_F(SvgTest, DarkOneHasNoColorOfALightPage) {
  for (const Figure& figure : every_kind()) {
    const auto paths = render(figure, folder.path, {ImageFormat::svg});
    const std::string dark = contents(paths.at(1));
    EXPECT_NE(dark.find("fill=\"#16191D\""), std::string::npos) << "the page";
    for (const char* color :
         {"#FFFFFF\"/>", "#ffffff", "'#FFFFFF'", "#E6E6E6", "#BDBDBD", "#F4F4F4", "#262626",
          "#5C5C5C", "white", "black", "rgb(", "currentColor"})
      EXPECT_EQ(dark.find(color), std::string::npos) << figure.name << ": " << color;
    EXPECT_EQ(dark.size(), contents(paths.at(0)).size()) << "nothing else differs";
  }
}

TEST_F(SvgTest, EveryPathHasItsOwnStroke) {
  for (const Figure& figure : every_kind()) {
    const std::string svg = light(figure);
    EXPECT_EQ(count(svg, "<path "), count(svg, "<path stroke='#")) << figure.name;
    EXPECT_EQ(count(svg, "<polygon "), count(svg, "<polygon fill = '#")) << figure.name;
  }
}

TEST_F(SvgTest, HasNoIdsAndOneTitle) {
  for (const Figure& figure : every_kind()) {
    const std::string svg = light(figure);
    EXPECT_EQ(svg.find(" id="), std::string::npos);
    EXPECT_EQ(svg.find("xlink"), std::string::npos);
    EXPECT_EQ(count(svg, "<title>"), 1u) << "others would be tooltips";
    EXPECT_EQ(count(svg, "<g"), count(svg, "</g>"));
  }
}

TEST_F(SvgTest, ThemedOneTakesItsColorsFromThePage) {
  for (const Figure& figure : every_kind()) {
    const std::string svg = light(figure), themed = themed_svg(svg);
    EXPECT_EQ(themed.substr(0, 5), "<svg ");
    EXPECT_EQ(themed.substr(themed.size() - 6), "</svg>");
    const std::string tag = themed.substr(0, themed.find('>'));
    EXPECT_NE(tag.find(" viewBox=\"0 0 324 "), std::string::npos);
    EXPECT_EQ(tag.find(" width="), std::string::npos);
    EXPECT_EQ(tag.find(" height="), std::string::npos);
    const auto colors = dark_colors(svg);
    EXPECT_EQ(colors.at("#FFFFFF"), "#16191D");
    size_t variables = 0;
    for (const auto& [from, to] : colors) {
      const size_t used = count(themed, "var(--c" + from.substr(1) + ", " + from + ")");
      EXPECT_GT(used, 0u) << figure.name << ": " << from << " to " << to;
      variables += used;
    }
    EXPECT_EQ(count(themed, "#"), variables);
  }
}

TEST_F(SvgTest, TextIsNeitherMarkupNorAColor) {
  Dots dots;
  dots.x = {"<b>&amp; #262626"};
  const std::string odd[] = {"</text><script>",
                             "#FFFFFF rgb(1, 2, 3)",
                             "<text> color=\"black\"",
                             "`touch ran` $(x) 'q' \"d\"",
                             "a\nb\r\t#FFFFFF",
                             "\\frac{1}{2}_x^y @z",
                             "模型 модель",
                             "id=\"x\"</title>"};
  for (const std::string& label : odd) dots.rows.push_back({label, label, {{label, 1.0}}});
  dots.rows.resize(7);
  dots.reference = Dots::Reference{1, "<title>#0072B2"};
  const Figure figure{"odd", "<title>#0072B2</title>", dots};
  const std::string svg = light(figure);
  for (const std::string& drawn : {svg, dark_svg(svg), themed_svg(svg)}) {
    for (const char* shown :
         {"&lt;/text>&lt;script>", "#FFFFFF rgb(1, 2, 3)", "&lt;text> color=\"black\"",
          "`touch ran` $(x) 'q' \"d\"", "a b  #FFFFFF", "\\frac{1}{2}_x^y @z", "模型 модель"})
      EXPECT_NE(drawn.find(">" + std::string(shown) + "</text>"), std::string::npos) << shown;
    const bool titled =
        drawn.find("<title>&lt;title&gt;#0072B2&lt;/title&gt;</title>") < drawn.size();
    EXPECT_EQ(titled, drawn.find("var(--c") == std::string::npos) << "themed ones have none";
    EXPECT_NE(drawn.find("&lt;title>#0072B2</text>"), std::string::npos);
    EXPECT_EQ(drawn.find("<script"), std::string::npos);
    EXPECT_EQ(count(drawn, "<text"), count(drawn, "</text>"));
  }
  EXPECT_EQ(files(), (std::set<std::string>{"odd.svg", "odd-dark.svg"}));
}

TEST_F(SvgTest, OddNamesAreTextInEveryKind) {
  const std::string odd = "</text><script>'\"`touch ran`\\n";
  Columns columns;
  columns.kinds = {odd, "b"};
  columns.x_label = odd;
  columns.panels = {{odd, 1}};
  columns.columns = {{odd, odd, {1}}, {"b", "b", {2}}};
  Distributions distributions;
  distributions.x = {odd};
  distributions.low = 0;
  distributions.high = 1;
  distributions.rows = {{odd, odd, {1}, 0, 0, 0.5, {}, odd}};
  Bubbles bubbles;
  bubbles.x = bubbles.y = {odd};
  bubbles.bubbles = {{odd, odd, 1, 1, 0}, {"b", "b", 2, 2, 0}};
  bubbles.front = {0, 1};
  bubbles.front_label = odd;
  bubbles.guides = {{1, odd}};
  for (const Figure& figure :
       {Figure{"c", odd, columns}, Figure{"d", odd, distributions}, Figure{"b", odd, bubbles}}) {
    const std::string svg = light(figure);
    EXPECT_NE(svg.find(">&lt;/text>&lt;script>'\"`touch ran`\\n</text>"), std::string::npos);
    EXPECT_EQ(svg.find("<script"), std::string::npos);
    EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
  }
  EXPECT_EQ(files().count("ran"), 0u);
}

TEST(ThemedSvg, WhatIsNoPictureIsRefused) {
  EXPECT_EQ(message_of<std::invalid_argument>([] { themed_svg("older"); }),
            "there is no <svg> in a picture that should be one");
}

}  // namespace
}  // namespace convscope

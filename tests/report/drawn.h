// What the tests of the figures ask of a drawing.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "suite/report/chart.h"
#include "tests/report/temporary_folder.h"

namespace convscope {

inline bool has_text(const canvas::Drawing& drawing, const std::string& text) {
  return std::any_of(drawing.texts.begin(), drawing.texts.end(),
                     [&](const canvas::Text& t) { return t.text == text; });
}

/// Of the first text that says so.
inline canvas::Box box_of(const canvas::Drawing& drawing, const std::string& text) {
  for (const canvas::Text& t : drawing.texts)
    if (t.text == text) return canvas::bounds(t);
  throw std::out_of_range("there is no text '" + text + "'");
}

template <class Shape>
std::vector<Shape> shapes_of(const canvas::Drawing& drawing) {
  std::vector<Shape> found;
  for (const auto& shape : drawing.shapes)
    if (const auto* one = std::get_if<Shape>(&shape)) found.push_back(*one);
  return found;
}

inline canvas::Point centre(const canvas::Polygon& polygon) {
  canvas::Point sum{0, 0};
  for (const canvas::Point& corner : polygon.corners) sum = {sum.x + corner.x, sum.y + corner.y};
  const auto count = static_cast<double>(polygon.corners.size());
  return {sum.x / count, sum.y / count};
}

inline void expect_texts_apart_on_the_page(const Figure& figure) {
  const canvas::Drawing drawing = canvas::draw(figure);
  for (size_t i = 0; i < drawing.texts.size(); ++i) {
    const canvas::Box box = canvas::bounds(drawing.texts[i]);
    EXPECT_TRUE(box.left >= 0 && box.right <= drawing.width && box.bottom >= -drawing.below &&
                box.top <= drawing.height)
        << figure.name << ": " << drawing.texts[i].text;
    for (size_t k = 0; k < i; ++k)
      EXPECT_FALSE(overlap(box, canvas::bounds(drawing.texts[k])))
          << figure.name << ": " << drawing.texts[i].text << " over " << drawing.texts[k].text;
  }
}

inline std::string error_of(const Figure& figure) {
  return message_of<std::invalid_argument>([&] { canvas::draw(figure); });
}

/// A folder to draw into, for what can only be tested with gnuplot.
struct RenderTest : testing::Test {
  TemporaryFolder folder;

  void SetUp() override {
    try {
      check_gnuplot();
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path))
      names.insert(entry.path().filename().string());
    return names;
  }
};

}  // namespace convscope

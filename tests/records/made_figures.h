// Records of a few rows, written by a test, and the figures that are made of them.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "suite/records/figures.h"
#include "suite/report/chart.h"
#include "tests/report/temporary_folder.h"

namespace convscope {

/// Names that mean something to HTML, LaTeX, gnuplot, a shell or a terminal.
inline const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> all = {"<script>alert(1)</script>",
                                               "a&b",
                                               "50% {^up_down} \\frac$x$",
                                               "@x `date` $(date)",
                                               "'single' \"double\"",
                                               "网络一",
                                               "шум",
                                               "\xff\x1b[31m"};
  return all;
}

/// A field of a CSV file, quoted.
inline std::string quoted(const std::string& text) {
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + "\"";
}

struct MadeFigures : testing::Test {
  TemporaryFolder folder;
  std::ostringstream err;
  std::set<std::string> models, depth_models;

  void record(const std::string& file, const std::string& text) { put(folder.path / file, text); }

  std::vector<Figure> figures(const std::string& name) {
    err.str("");
    const Records records{folder.path, err, models, depth_models};
    for (const RecordFigure& figure : record_figures())
      if (figure.name == name) return figure.make(records);
    throw std::logic_error("there is no figure " + name);
  }

  /// The only figure of that name, which can be drawn.
  template <class Content>
  Content only(const std::string& name) {
    const auto all = figures(name);
    if (all.size() != 1) throw std::logic_error(name + ": " + err.str());
    canvas::draw(all[0]);
    return std::get<Content>(all[0].content);
  }

  /// Nothing is drawn, and it is said why.
  void expect_none(const std::string& name, const std::string& why) {
    EXPECT_TRUE(figures(name).empty()) << name;
    EXPECT_NE(err.str().find(why), std::string::npos) << name << ": " << err.str();
  }

  /// One line that has these words.
  void expect_error(const std::string& name, const std::vector<std::string>& words) {
    const std::string said = message_of<std::runtime_error>([&] { figures(name); });
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    for (const std::string& word : words)
      EXPECT_NE(said.find(word), std::string::npos) << name << ": " << said;
  }

  /// Drawn, or not and it is said why, or an error of one line.
  void expect_sound(const std::string& name) {
    try {
      const auto all = figures(name);
      EXPECT_TRUE(!all.empty() || !err.str().empty()) << name << " says nothing";
      for (const Figure& figure : all) canvas::draw(figure);
    } catch (const std::runtime_error& error) {
      EXPECT_FALSE(std::string(error.what()).empty());
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(' '), std::string::npos)
          << name << ": '" << error.what() << "' says nothing to people";
    }
  }
};

}  // namespace convscope

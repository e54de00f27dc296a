#include "suite/pictures/filtering.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>
#include <stdexcept>

#include "architectures/nearest.h"

namespace convscope {
namespace {

const std::map<std::string, Grid>& filters() {
  static const std::map<std::string, Grid> all = {
      {"sobel-x", {3, 3, {-1, 0, 1, -2, 0, 2, -1, 0, 1}}},
      {"sobel-y", {3, 3, {-1, -2, -1, 0, 0, 0, 1, 2, 1}}},
      {"prewitt", {3, 3, {-1, 0, 1, -1, 0, 1, -1, 0, 1}}},
      {"laplace", {3, 3, {0, 1, 0, 1, -4, 1, 0, 1, 0}}},
      {"gauss",
       {3, 3, {1. / 16, 2. / 16, 1. / 16, 2. / 16, 4. / 16, 2. / 16, 1. / 16, 2. / 16, 1. / 16}}}};
  return all;
}

std::string sides(const Grid& grid) {
  return std::to_string(grid.height) + "x" + std::to_string(grid.width);
}

}  // namespace

const std::vector<std::string>& known_filters() {
  static const std::vector<std::string> names = {"sobel-x", "sobel-y", "prewitt", "laplace",
                                                 "gauss"};
  return names;
}

Grid known_filter(const std::string& name) {
  const auto found = filters().find(name);
  if (found != filters().end()) return found->second;
  std::string all;
  for (const std::string& known : known_filters()) all += (all.empty() ? "" : ", ") + known;
  throw std::invalid_argument("no filter '" + name + "'" + did_you_mean(name, known_filters()) +
                              "; there are " + all + ", or a FILE of numbers in rows");
}

Grid parse_grid(const std::string& text, const std::string& name) {
  constexpr size_t most = 4096;
  Grid grid;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return c == ',' || c == ';' || c == '\t' || c == '\r'; }, ' ');
    int columns = 0;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      double value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value)) {
        throw std::invalid_argument(name + " line " + std::to_string(number) +
                                    ": expected numbers, found '" + word.substr(0, 40) + "'");
      }
      grid.values.push_back(value);
      ++columns;
    }
    if (columns == 0) continue;
    if (grid.height == 0) grid.width = columns;
    if (columns != grid.width || grid.values.size() > most * most) {
      throw std::invalid_argument(name + " line " + std::to_string(number) + ": expected " +
                                  std::to_string(grid.width) + " numbers, found " +
                                  std::to_string(columns));
    }
    ++grid.height;
  }
  if (grid.height == 0) throw std::invalid_argument(name + " has no numbers");
  return grid;
}

Grid convolved(const Grid& image, const Grid& kernel) {
  if (image.height < kernel.height || image.width < kernel.width) {
    throw std::invalid_argument("an image of " + sides(image) + " is smaller than the filter of " +
                                sides(kernel));
  }
  Grid result{image.height - kernel.height + 1, image.width - kernel.width + 1, {}};
  for (int row = 0; row < result.height; ++row) {
    for (int column = 0; column < result.width; ++column) {
      double sum = 0;
      for (int y = 0; y < kernel.height; ++y) {
        for (int x = 0; x < kernel.width; ++x) {
          sum += kernel.at(y, x) * image.at(row + y, column + x);
        }
      }
      result.values.push_back(sum);
    }
  }
  return result;
}

Grid rectified(Grid grid) {
  for (double& value : grid.values) value = std::max(value, 0.0);
  return grid;
}

Grid max_pooled(const Grid& grid) {
  if (grid.height < 2 || grid.width < 2) {
    throw std::invalid_argument("2x2 pooling needs 2x2 values at least, and there are " +
                                sides(grid));
  }
  Grid result{grid.height / 2, grid.width / 2, {}};
  for (int row = 0; row < result.height; ++row) {
    for (int column = 0; column < result.width; ++column) {
      result.values.push_back(
          std::max({grid.at(2 * row, 2 * column), grid.at(2 * row, 2 * column + 1),
                    grid.at(2 * row + 1, 2 * column), grid.at(2 * row + 1, 2 * column + 1)}));
    }
  }
  return result;
}

}  // namespace convscope

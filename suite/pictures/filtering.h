// A hand-written kernel on an image, step by step, as textbooks show it: the convolution, ReLU, and
// 2x2 max pooling.
#pragma once

#include <string>
#include <vector>

namespace convscope {

/// Numbers in rows.
struct Grid {
  int height = 0, width = 0;
  std::vector<double> values;

  double at(int row, int column) const {
    return values[static_cast<size_t>(row) * static_cast<size_t>(width) +
                  static_cast<size_t>(column)];
  }
};

/// "sobel-x", "sobel-y", "prewitt", "laplace", "gauss".
const std::vector<std::string>& known_filters();

/// A kernel by its name. Throws std::invalid_argument that suggests the nearest.
Grid known_filter(const std::string& name);

/// Rows of numbers, parted by blanks, commas or semicolons; `name` stands in the errors. Throws
/// std::invalid_argument that names the line.
Grid parse_grid(const std::string& text, const std::string& name);

/// The cross-correlation that deep learning calls convolution, stride 1, without padding. Throws
/// std::invalid_argument if the image is smaller than the kernel.
Grid convolved(const Grid& image, const Grid& kernel);

/// Negative values become 0.
Grid rectified(Grid grid);

/// The largest of each 2x2; an odd row or column at the end is left out, as PyTorch does. Throws
/// std::invalid_argument for less than 2x2.
Grid max_pooled(const Grid& grid);

}  // namespace convscope

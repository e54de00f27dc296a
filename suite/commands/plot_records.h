// What figures are drawn from: the records of a results folder, and which of them a figure needs.
// Apart from the figures, which are in several files.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "suite/report/csv_file.h"
#include "suite/report/figure.h"

namespace convscope {

/// What `--results` holds, with the networks that are asked for.
struct Records {
  std::filesystem::path folder;
  std::ostream& err;
  std::set<std::string> models;     ///< empty: all
  std::set<std::string> rf_models;  ///< empty: the same

  /// Says on `err` if a torn last row was left out. Throws as read_csv() does.
  CsvFile read(const std::string& file) const;
  /// The rows whose column `model` is in `only`; all of them if that is empty.
  CsvFile read(const std::string& file, const std::set<std::string>& only) const;
};

struct PlotFigure {
  std::string name;
  std::vector<std::string> records;  ///< that it is drawn from
  /// Several where one record holds several experiments; none, and why on `err`, where it holds
  /// nothing to draw. Throws std::runtime_error or UsageError for records that cannot be read.
  std::function<std::vector<Figure>(const Records&)> make;
};

}  // namespace convscope

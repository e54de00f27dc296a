// Every figure that records can be drawn as: what `plot` draws and `report` shows.
#pragma once

#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "suite/records/records.h"
#include "suite/report/figure.h"

namespace convscope {

struct RecordFigure {
  std::string name;
  std::vector<std::string> records;  ///< that it is drawn from
  /// Several where one record holds several experiments; none, and why on `err`, where it holds
  /// nothing to draw. Throws std::runtime_error for records that cannot be read.
  std::function<std::vector<Figure>(const Records&)> make;
};

/// All of them, in the order of a report.
const std::vector<RecordFigure>& record_figures();

/// Their parts: what networks cost, that through their depth, the times, training, how far units
/// look, what answers rest on, shifts, and images by their features.
std::vector<RecordFigure> cost_figures();
std::vector<RecordFigure> depth_figures();
std::vector<RecordFigure> time_figures();
std::vector<RecordFigure> training_figures();
std::vector<RecordFigure> field_figures();
std::vector<RecordFigure> saliency_figures();
std::vector<RecordFigure> shift_figures();
std::vector<RecordFigure> neighbour_figures();

/// Whether the records that it is drawn from are there.
bool drawable(const RecordFigure& figure, const std::filesystem::path& folder);

/// Those of `asked`; without any, those whose records are there. Throws std::invalid_argument for a
/// name that no figure has.
std::vector<RecordFigure> chosen_figures(const std::vector<std::string>& asked,
                                         const std::filesystem::path& folder);

/// All that they make of these records, in their order. Why one makes nothing is said only where it
/// was `asked` for, or where none makes anything: a folder need not hold everything.
std::vector<Figure> made(const std::vector<RecordFigure>& figures, const Records& records,
                         bool asked);

/// Of more rows than a page has room for the first, which is said on `err`.
template <class Row>
void keep_page(const Records& records, const std::string& figure, std::vector<Row>& rows) {
  constexpr size_t most = 200;
  if (rows.size() <= most) return;
  records.err << figure << ": shows the first " << most << " of " << rows.size()
              << " rows; --model chooses others\n";
  rows.resize(most);
}

/// Gives the figure a number if its name is among `names`, to which it is added: names that differ
/// in what a file's name cannot have are the same.
void tell_apart(Figure& figure, std::set<std::string>& names);

/// A figure's name allows fewer characters than an experiment's: others become '_'.
std::string file_name(std::string name);

}  // namespace convscope

// A results folder, or several side by side, as the page of a report.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "suite/records/records.h"
#include "suite/records/verdicts.h"
#include "suite/report/figure.h"
#include "suite/report/page.h"

namespace convscope {

struct DrawnFigure {
  Figure figure;
  std::string svg;  ///< as render() wrote it
};

/// One results folder and the figures that were drawn of it.
struct ReportSource {
  Records records;
  std::string label;  ///< tells it from the others: "before"
  std::vector<DrawnFigure> figures;
  Floor in_turns;  ///< of its samples
};

/// The second folder of two against the first.
struct ReportComparison {
  std::string a, b;        ///< labels
  JudgedPairs judged;      ///< without pairs where they were not judged
  std::string not_judged;  ///< why not: environments that differ, nothing in common; else ""
  std::string across;      ///< what differs although it is compared: "commit (1 / 2)"; else ""
  std::optional<DrawnFigure> figure = {};  ///< verdict_figure(), drawn
};

/// What the names of figures, tables and anchors of each source begin with, unlike each other: made
/// of their labels; "" of a single one.
std::vector<std::string> report_names(const std::vector<std::string>& labels);

/// Throws std::runtime_error for records that cannot be read.
Page report_page(const std::vector<ReportSource>& sources,
                 const std::vector<ReportComparison>& comparisons, const std::string& made);

/// The tables of the page that a paper has room for, up to 100 rows, with their file names: "cost",
/// "bench", ...
std::vector<std::pair<std::string, Table>> report_tables(const Page& page);

}  // namespace convscope

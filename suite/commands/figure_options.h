// Which figures of which networks, in which formats: what `plot` and `report` ask alike.
#pragma once

#include <filesystem>
#include <vector>

#include "suite/commands/command.h"
#include "suite/records/figures.h"
#include "suite/records/records.h"
#include "suite/report/figure.h"

namespace convscope {

/// Adds --figure, --model, --depth-model and --image-format.
void add_figure_options(po::options_description& options);

/// The folder's records, of the networks that are asked for. Throws UsageError if there is no such
/// folder.
Records records_of(const Invocation& invocation, const std::filesystem::path& folder);

/// Throws UsageError if one has a name that no figure has, or if there is no gnuplot.
std::vector<RecordFigure> wanted_figures(const Invocation& invocation, const Records& records);

std::vector<ImageFormat> image_formats(const Invocation& invocation);
/// The same as the endings of files; "svg" is always among those of a report.
std::vector<std::string> image_endings(const Invocation& invocation);

}  // namespace convscope

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

/// With --dry-run, whether one of the folders is not there yet, as in an experiment whose first
/// commands are to make it; then it is said that all that will be there is drawn.
bool nothing_to_read_yet(const Invocation& invocation, const std::vector<std::string>& folders);

/// The folder's records, of the networks that are asked for. Throws UsageError if there is no such
/// folder.
Records records_of(const Invocation& invocation, const std::filesystem::path& folder);

/// Throws UsageError if one has a name that no figure has, or if there is no gnuplot.
std::vector<RecordFigure> wanted_figures(const Invocation& invocation, const Records& records);

std::vector<ImageFormat> image_formats(const Invocation& invocation);
/// The same as the endings of files; "svg" is always among those of a report.
std::vector<std::string> image_endings(const Invocation& invocation);

}  // namespace convscope

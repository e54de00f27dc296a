// Where the pictures of a network's insides go.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/pictures/pixels.h"
#include "suite/report/figure.h"

namespace convscope {

/// Adds --results and --image-format.
void add_picture_options(po::options_description& options);

/// What can be known to be wrong before the work: gnuplot is missing, or the folder cannot be
/// written. Throws UsageError.
void check_picture_options(const Invocation& invocation);

/// --results, or else results/COMMAND.
std::filesystem::path results_folder(const Invocation& invocation);

/// Draws into the folder's figures, and says where.
void draw_pictures(const Invocation& invocation, const std::vector<Figure>& figures);

/// What `plot --figure` draws of the folder's records of a network.
std::vector<Figure> figures_of_records(const Invocation& invocation, const std::string& figure,
                                       const std::string& model);

/// A tile of a sheet.
Sheet::Tile tile(const std::string& label, const Pixels& pixels);

}  // namespace convscope

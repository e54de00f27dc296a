// Where the pictures of a network's insides go.
#pragma once

#include <filesystem>
#include <vector>

#include "suite/commands/command.h"
#include "suite/pictures/pixels.h"
#include "suite/report/figure.h"

namespace convscope {

/// Adds --results and --image-format.
void add_picture_options(po::options_description& options);

/// --results, or results/COMMAND.
std::filesystem::path results_folder(const Invocation& invocation);

/// What can be known to be wrong before the work: gnuplot is missing, or the folder cannot be
/// written. Throws UsageError.
void check_picture_options(const Invocation& invocation);

/// Draws into the folder's figures, and says where.
void draw_pictures(const Invocation& invocation, const std::vector<Figure>& figures);

/// A tile of a sheet.
Sheet::Tile tile(const std::string& label, const Pixels& pixels);

}  // namespace convscope

#include "suite/commands/picture_output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "suite/commands/figure_options.h"
#include "suite/records/figures.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const Invocation& invocation) { return results_folder(invocation) / "figures"; }

}  // namespace

void add_picture_options(po::options_description& options) {
  options.add_options()  //
      ("results", text_value(),
       "DIR: of records, if there are any, and figures (default: results/COMMAND)")(
          "image-format", list_value(), "svg, png, pdf (default: all)");
}

fs::path results_folder(const Invocation& invocation) {
  const std::string& given = invocation.text("results");
  return given.empty() ? fs::path("results") / invocation.command.name : fs::path(given);
}

void check_picture_options(const Invocation& invocation) {
  image_formats(invocation);
  try {
    check_gnuplot();
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
  const fs::path folder = folder_of(invocation);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::access(folder.c_str(), W_OK) != 0) {
    throw UsageError("cannot write into '" + folder.string() +
                     "': " + (error ? error.message() : std::strerror(errno)));
  }
}

void draw_pictures(const Invocation& invocation, const std::vector<Figure>& figures) {
  try {
    for (const auto& paths :
         render_all(figures, folder_of(invocation), image_formats(invocation))) {
      for (const auto& path : paths) invocation.err << "wrote " << path.string() << "\n";
    }
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
}

std::vector<Figure> figures_of_records(const Invocation& invocation, const std::string& figure,
                                       const std::string& model) {
  const Records records{results_folder(invocation), invocation.err, {model}};
  return made(chosen_figures({figure}, records.folder), records, /*asked=*/true);
}

Sheet::Tile tile(const std::string& label, const Pixels& pixels) {
  return {label, pixels.width, pixels.height, pixels.rgb};
}

}  // namespace convscope

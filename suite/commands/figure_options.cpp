#include "suite/commands/figure_options.h"

#include <algorithm>
#include <set>
#include <utility>

#include "architectures/catalogue.h"
#include "architectures/nearest.h"
#include "suite/records/manifest.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

std::set<std::string> names(const std::vector<std::string>& patterns) {
  std::set<std::string> result;
  for (const Architecture& architecture : match_architectures(patterns)) {
    result.insert(architecture.name);
  }
  return result;
}

/// Whether there is a row of one of the networks that are asked for.
bool any_record_has(const Records& records) {
  for (const auto& entry : std::filesystem::directory_iterator(records.folder)) {
    if (entry.path().extension() != ".csv") continue;
    try {
      CsvReader reader(entry.path());
      if (!has_column(reader.file(), "model")) continue;
      const size_t model = column_index(reader.file(), "model");
      for (CsvRow row; reader.next(row);) {
        if (records.models.count(row.fields[model])) return true;
      }
    } catch (const std::runtime_error&) {
      return true;  // whoever needs this record says what is wrong with it
    }
  }
  return false;
}

std::string figure_names() {
  std::vector<std::string> all;
  for (const RecordFigure& figure : record_figures()) all.push_back(figure.name);
  return joined(all);
}

}  // namespace

void add_figure_options(po::options_description& options) {
  static const std::string figures = figure_names() + " (default: all that the records allow)";
  options.add_options()  //
      ("figure", list_value(), figures.c_str())(
          "model,m", list_value(), "only these networks (default: all that are there)")(
          "depth-model", list_value(),
          "only these in the figures through the depth: receptive_field, feature_maps, "
          "layer_costs")("image-format", list_value(), "svg, png, pdf (default: all)");
}

bool nothing_to_read_yet(const Invocation& invocation, const std::vector<std::string>& folders) {
  if (!invocation.flag("dry-run")) return false;
  const bool any = std::any_of(folders.begin(), folders.end(), [](const std::string& folder) {
    return !std::filesystem::exists(folder);
  });
  if (any) {
    invocation.out << invocation.command.name << " " << joined(folders, " ")
                   << ": what the records will allow\n";
  }
  return any;
}

Records records_of(const Invocation& invocation, const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    throw UsageError("'" + folder.string() + "' is no folder; expected a results folder");
  }
  if (manifest_is_damaged(folder)) {
    throw UsageError((folder / "manifest.json").string() +
                     " is no JSON that convscope wrote: mend it, or move it away");
  }
  Records records{folder, invocation.err, names(invocation.list("model")),
                  names(invocation.list("depth-model"))};
  if (!records.models.empty() && !any_record_has(records)) {
    throw UsageError("--model: no record of '" + folder.string() + "' has " +
                     joined({records.models.begin(), records.models.end()}));
  }
  return records;
}

std::vector<RecordFigure> wanted_figures(const Invocation& invocation, const Records& records) {
  auto wanted = chosen_figures(invocation.list("figure"), records.folder);
  try {
    check_gnuplot();
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
  return wanted;
}

std::vector<std::string> image_endings(const Invocation& invocation) {
  std::vector<std::string> endings = invocation.list("image-format");
  if (endings.empty()) return {"svg", "pdf", "png"};
  if (!std::count(endings.begin(), endings.end(), "svg")) endings.insert(endings.begin(), "svg");
  return endings;
}

std::vector<ImageFormat> image_formats(const Invocation& invocation) {
  const std::vector<std::pair<std::string, ImageFormat>> known = {
      {"svg", ImageFormat::svg}, {"png", ImageFormat::png}, {"pdf", ImageFormat::pdf}};
  std::vector<std::string> all;
  for (const auto& [name, format] : known) all.push_back(name);
  std::vector<std::string> asked = invocation.list("image-format");
  if (asked.empty()) asked = all;
  std::vector<ImageFormat> formats;
  for (const std::string& name : asked) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const auto& one) { return one.first == name; });
    if (found == known.end()) {
      throw UsageError("--image-format: no '" + name + "'" + did_you_mean(name, all) +
                       "; there are " + joined(all));
    }
    formats.push_back(found->second);
  }
  return formats;
}

}  // namespace convscope

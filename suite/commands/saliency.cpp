// convscope saliency: which pixels an answer rests on, and how faithful each method is.
#include "suite/interpretation/saliency.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <set>

#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/commands/saliency_rows.h"
#include "suite/commands/subject.h"
#include "suite/data/random.h"
#include "suite/inference/evaluation.h"
#include "suite/pictures/overlay.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

constexpr int64_t deletion_steps = 28;

std::vector<const SaliencyMethod*> methods_asked_for(const Invocation& invocation) {
  std::vector<std::string> names;
  for (const SaliencyMethod& method : saliency_methods()) names.push_back(method.name);
  std::vector<std::string> asked = invocation.list("method");
  asked = asked.empty() ? names : each_once(asked);
  std::vector<const SaliencyMethod*> methods;
  for (const std::string& name : asked) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      throw UsageError("--method: no '" + name + "'" + did_you_mean(name, names) + "; there are " +
                       joined(names));
    }
    methods.push_back(&saliency_methods()[static_cast<size_t>(found - names.begin())]);
  }
  return methods;
}

/// A class by its number or its name.
int64_t class_of(const WeightedNetwork& network, const std::string& text) {
  const int64_t classes = network.fit.settings.classes;
  const bool number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (number && text.size() < 10) {
    const int64_t index = std::stoll(text);
    if (index < classes) return index;
    throw UsageError("--class " + text + ": " + network.architecture.name + " has classes 0 to " +
                     std::to_string(classes - 1));
  }
  const std::vector<std::string>& names = network.classes.names;
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return found - names.begin();
  throw UsageError(
      "--class: no class is called '" + text + "'" + did_you_mean(text, names) +
      (names.empty() ? "; names are not known, but numbers are: 0 to " + std::to_string(classes - 1)
                     : ""));
}

/// Not taken apart at commas: "great white shark, white shark" is one class.
std::vector<int64_t> classes_asked_for(const Invocation& invocation,
                                       const WeightedNetwork& network) {
  std::vector<int64_t> classes;
  if (!invocation.values.count("class")) return classes;
  for (const std::string& text : invocation.values["class"].as<std::vector<std::string>>()) {
    classes.push_back(class_of(network, text));
  }
  return each_once(classes);
}

/// The photograph, with each method's map laid over it.
Figure sheet_of(const Subject& subject, const Photograph& photo,
                const std::vector<SaliencyRow>& rows, const std::vector<SaliencyMap>& maps) {
  const SaliencyRow& one = rows[0];
  Sheet sheet;
  const Pixels seen = pixels_of(photo.seen);
  std::string label = fmt::format("as shown: {:.3g} %", 100 * one.probability);
  sheet.tiles.emplace_back();
  for (size_t i = 0; i < rows.size(); ++i) {
    const double area = area_under(rows[i].deletion);
    if (rows[i].method->name == "random") {
      label += fmt::format("\nrandom {:.3f}", area);
      continue;
    }
    sheet.tiles.push_back(tile(fmt::format("{}\ndeletion {:.3f}", rows[i].method->heading, area),
                               overlaid(seen, maps[i].values)));
  }
  sheet.tiles.front() = tile(label, seen);
  sheet.key =
      "Orange speaks for the class, blue against it. The smaller deletion, the more faithful.";
  const fs::path path = one.image;
  return {file_name("saliency_" + subject.name() + "_" + path.stem().string() + "_" +
                    std::to_string(one.class_index) + subject.name_end()),
          fmt::format("What '{}' rests on{}", one.class_name, subject.title_end()), sheet,
          fmt::format("{}, as {} sees it: the class has a probability of {:.3g} %. Under each map "
                      "the area below its deletion curve: the mean probability that is left while "
                      "the squares of the image that the map calls most important are blurred, one "
                      "after the other; under the photograph that of a random order.",
                      path.filename().string(), subject.name(), 100 * one.probability)};
}

SaliencySettings settings_of(const Invocation& invocation, const LoadedNetwork& network) {
  SaliencySettings settings;
  const std::string& layer = invocation.text("at");
  settings.map_call =
      layer.empty() ? last_map_call(network.graph) : map_layer_asked_for(network.graph, layer).call;
  return settings;
}

/// One image, for each class that is asked for, or else the likeliest: its rows, and its figures.
std::vector<SaliencyRow> look_at(const Invocation& invocation, const Subject& shown,
                                 const fs::path& path, int64_t number,
                                 const std::vector<const SaliencyMethod*>& methods,
                                 const std::vector<int64_t>& classes, SaliencySettings settings,
                                 std::vector<Figure>& figures) {
  const Photograph photo = photograph(path, shown.weighted);
  const std::vector<float> logits = logits_of_image(shown.network, photo.values);
  const auto count = static_cast<int64_t>(logits.size());
  if (!all_finite(logits.data(), count)) {
    throw UsageError(path.string() + ": the network computes no finite number for it");
  }
  const std::vector<Guess> guesses = likeliest(logits.data(), count, count);
  std::vector<SaliencyRow> all;
  for (const int64_t index : classes.empty() ? std::vector{guesses[0].index} : classes) {
    const auto guess = std::find_if(guesses.begin(), guesses.end(),
                                    [&](const Guess& g) { return g.index == index; });
    settings.seed =
        Random(seed_of(invocation), static_cast<uint64_t>(number), static_cast<uint64_t>(index))
            .next();
    std::vector<SaliencyMap> maps;
    std::vector<SaliencyRow> rows;
    for (const SaliencyMethod* method : methods) {
      maps.push_back(saliency(shown.network, method->name, photo.values, index, settings));
      rows.push_back(
          {path.string(), index, class_name(shown.weighted, index), guess->probability, method,
           deletion_curve(shown.network, photo.values, maps.back().values, index, deletion_steps),
           maps.back().gap, ""});
    }
    figures.push_back(sheet_of(shown, photo, rows, maps));
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  Output output(invocation);
  const std::vector<fs::path> images = images_of(invocation);
  const std::vector<const SaliencyMethod*> methods = methods_asked_for(invocation);
  const Subject shown = subject(invocation, Needed::answers);
  const std::vector<int64_t> classes = classes_asked_for(invocation, shown.weighted);
  const SaliencySettings settings = settings_of(invocation, shown.network);
  check_picture_options(invocation);

  std::vector<SaliencyRow> rows, failed;
  std::unique_ptr<SaliencyRecords> records;
  std::set<std::string> names;
  Progress progress(invocation.err, shown.name(), static_cast<int64_t>(images.size()), "images");
  for (size_t i = 0; i < images.size(); ++i) {
    try {
      std::vector<Figure> figures;
      for (SaliencyRow& row : look_at(invocation, shown, images[i], static_cast<int64_t>(i),
                                      methods, classes, settings, figures)) {
        // Not before there is something to put in the place of what was there.
        if (!records) records = std::make_unique<SaliencyRecords>(invocation, shown, images);
        records->add(row);
        rows.push_back(std::move(row));
      }
      // Photographs of one name may come from two folders.
      for (Figure& figure : figures) tell_apart(figure, names);
      draw_pictures(invocation, figures);
    } catch (const UsageError& error) {
      SaliencyRow& row = failed.emplace_back();
      row.image = images[i].string();
      row.reason = error.what();
      if (failed.size() == images.size()) throw;
    }
    progress.update(static_cast<int64_t>(i) + 1);
  }
  for (const SaliencyRow& row : failed) records->add(row);
  progress.finish();
  record_run(results_folder(invocation), invocation, started, shown.name(), facts_of(shown));
  output.print(saliency_summary(rows, methods));
  std::set<std::string> unlikely;
  for (const SaliencyRow& row : rows) {
    if (row.probability < 0.01 && unlikely.insert(row.image + row.class_name).second) {
      invocation.err << "note: " << row.image << ": '" << row.class_name << "' has "
                     << fmt::format("{:.2g}", 100 * row.probability)
                     << " % to begin with; how it falls says little\n";
    }
    if (row.gap > 0.01) {
      invocation.err << "warning: " << row.image << ": integrated gradients miss their sum by "
                     << fmt::format("{:.2g}", 100 * row.gap) << " %\n";
    }
  }
  for (const SaliencyRow& row : failed) {
    invocation.err << "convscope: " << row.reason << "; it is left out\n";
  }
  for (const char* figure : {"deletion", "deletion_curves"}) {
    draw_pictures(invocation, figures_of_records(invocation, figure, shown.name()));
  }
  return failed.empty() ? done : some_failed;
}

}  // namespace

Command saliency_command() {
  Command command{"saliency",
                  "which pixels an answer rests on",
                  "convscope saliency mobilenet_v2 dog.jpg --weights mobilenet_v2.pth",
                  {},
                  {"model", "image"},
                  run};
  add_subject_options(command.options);
  add_threads_option(command.options);
  static const std::string methods = [] {
    std::vector<std::string> names;
    for (const SaliencyMethod& method : saliency_methods()) names.push_back(method.name);
    return joined(names) + " (default: all)";
  }();
  command.options.add_options()  //
      ("image", list_value(), "images, or folders of images")(
          "class", list_value(), "name or number, may be repeated (default: the likeliest)")(
          "method", list_value(), methods.c_str())(
          "at", text_value(), "LAYER: whose maps Grad-CAM weights (default: the last)");
  add_output_options(command.options);
  add_picture_options(command.options);
  return command;
}

}  // namespace convscope

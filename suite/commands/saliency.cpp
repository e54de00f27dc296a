// convscope saliency: which pixels an answer rests on, and how faithful each method is.
#include "suite/interpretation/saliency.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/analysis/effective_field.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/commands/subject.h"
#include "suite/inference/evaluation.h"
#include "suite/pictures/overlay.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

constexpr int64_t deletion_steps = 28;

/// One method's map of one image for one class.
struct SaliencyRow {
  std::string image;
  int64_t class_index;
  std::string class_name;
  double probability;  ///< of the class
  const SaliencyMethod* method;
  SaliencyMap map;
  std::vector<double> deletion;
};

struct MethodSummary {
  const SaliencyMethod* method;
  std::vector<double> areas, gaps;  ///< of each image and class
  int64_t beats_random = 0;
};

std::vector<const SaliencyMethod*> methods_asked_for(const Invocation& invocation) {
  std::vector<std::string> names;
  for (const SaliencyMethod& method : saliency_methods()) names.push_back(method.name);
  std::vector<std::string> asked = invocation.list("method");
  if (asked.empty()) asked = names;
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
  return classes;
}

Figure sheet_of(const Subject& subject, const fs::path& path, const Photograph& photo,
                const std::vector<SaliencyRow>& rows, size_t first) {
  const SaliencyRow& one = rows[first];
  Sheet sheet;
  const Pixels seen = pixels_of(photo.seen);
  std::string label = fmt::format("as shown: {:.3g} %", 100 * one.probability);
  sheet.tiles.emplace_back();
  for (size_t i = first; i < rows.size(); ++i) {
    if (rows[i].method->name == "random") {
      label += fmt::format("\nrandom {:.3f}", area_under(rows[i].deletion));
      continue;
    }
    sheet.tiles.push_back(tile(
        fmt::format("{}\ndeletion {:.3f}", rows[i].method->heading, area_under(rows[i].deletion)),
        overlaid(seen, rows[i].map.values)));
  }
  sheet.tiles.front() = tile(label, seen);
  sheet.key =
      "Orange speaks for the class, blue against it. The smaller deletion, the more faithful.";
  return {
      file_name("saliency_" + subject.network.architecture.name + "_" + path.stem().string() + "_" +
                std::to_string(one.class_index) +
                (subject.weights == "untrained" ? "_untrained" : "")),
      fmt::format("What '{}' rests on", one.class_name), sheet,
      fmt::format("{}, as {}{} sees it: the class has a probability of {:.3g} %. Under each map "
                  "the area below its deletion curve: the mean probability that is left while "
                  "the squares of the image that the map calls most important are blurred, one "
                  "after the other; under the photograph that of a random order.",
                  path.filename().string(), subject.network.architecture.name,
                  subject.weights == "untrained" ? ", untrained," : "", 100 * one.probability)};
}

const std::vector<Column<SaliencyRow>>& saliency_columns() {
  using R = SaliencyRow;
  static const std::vector<Column<SaliencyRow>> all = {
      {"image", "Image", Human::plain, [](const R& r) { return Cell(r.image); }},
      {"class", "Class", Human::plain, [](const R& r) { return Cell(r.class_index); }},
      {"class_name", "Name", Human::plain, [](const R& r) { return Cell(r.class_name); }},
      {"probability", "Probability", Human::plain, [](const R& r) { return Cell(r.probability); }},
      {"method", "Method", Human::plain, [](const R& r) { return Cell(r.method->name); }},
      {"deletion", "Deletion", Human::plain,
       [](const R& r) { return Cell(area_under(r.deletion)); }},
      {"gap", "Gap", Human::plain,
       [](const R& r) { return std::isnan(r.map.gap) ? Cell() : Cell(r.map.gap); }}};
  return all;
}

Cell end_of_interval(const std::vector<double>& values, double Interval::*end) {
  const auto interval = median_interval(values);
  return interval ? Cell((*interval).*end) : Cell();
}

Table summary_of(const std::vector<SaliencyRow>& rows,
                 const std::vector<const SaliencyMethod*>& methods) {
  std::vector<MethodSummary> summaries;
  for (const SaliencyMethod* method : methods) {
    MethodSummary summary{method, {}, {}};
    for (const SaliencyRow& row : rows) {
      if (row.method != method) continue;
      summary.areas.push_back(area_under(row.deletion));
      if (!std::isnan(row.map.gap)) summary.gaps.push_back(row.map.gap);
    }
    summaries.push_back(std::move(summary));
  }
  const auto random = std::find_if(summaries.begin(), summaries.end(), [](const MethodSummary& s) {
    return s.method->name == "random";
  });
  for (MethodSummary& summary : summaries) {
    for (size_t i = 0; random != summaries.end() && i < summary.areas.size(); ++i) {
      summary.beats_random += summary.areas[i] < random->areas[i];
    }
  }
  using R = MethodSummary;
  const bool any_random = random != summaries.end(), many = rows.size() > methods.size();
  return make_table<R>(
      {{"method", "Method", Human::plain, [](const R& r) { return Cell(r.method->name); }},
       {"deletion", "Deletion", Human::plain, [](const R& r) { return Cell(median(r.areas)); }},
       {"deletion_low", "from", many ? Human::plain : Human::none,
        [](const R& r) { return end_of_interval(r.areas, &Interval::low); }},
       {"deletion_high", "to", many ? Human::plain : Human::none,
        [](const R& r) { return end_of_interval(r.areas, &Interval::high); }},
       {"beats_random", "Beats random", Human::plain,
        [=](const R& r) {
          if (!any_random || r.method->name == "random") return Cell();
          return Cell(fmt::format("{} of {}", r.beats_random, r.areas.size()));
        }},
       {"gap", "Gap", Human::plain,
        [](const R& r) {
          return r.gaps.empty() ? Cell() : Cell(*std::max_element(r.gaps.begin(), r.gaps.end()));
        }},
       {"images", "Images", Human::plain,
        [](const R& r) { return Cell(static_cast<int64_t>(r.areas.size())); }}},
      summaries);
}

SaliencySettings settings_of(const Invocation& invocation, const LoadedNetwork& network) {
  SaliencySettings settings;
  const std::string& layer = invocation.text("at");
  if (layer.empty()) {
    settings.map_call = last_map_call(network.graph);
  } else {
    settings.map_call = map_layer(network.graph, layer).call;
  }
  settings.seed = static_cast<uint64_t>(integer_from_0(invocation, "seed"));
  return settings;
}

/// A row for each image, class, and method, and for each point of its curve.
void write_records(const Invocation& invocation, const Subject& subject,
                   const std::vector<SaliencyRow>& rows) {
  const std::vector<std::string> network = {subject.network.architecture.name, subject.weights,
                                            to_string(subject.network.settings.image)};
  const auto record = [&](const std::string& file, std::vector<std::string> columns) {
    columns.insert(columns.begin(), {"model", "weights", "input"});
    return open_record_without(results_folder(invocation), file, columns, invocation.err,
                               {network});
  };
  const auto write = [&](CsvWriter& writer, std::vector<Cell> row) {
    row.insert(row.begin(), network.begin(), network.end());
    writer.write(row);
  };
  const auto maps = record("saliency.csv", column_names(saliency_columns()));
  const auto curves =
      record("deletion.csv", {"image", "class", "method", "deleted", "probability"});
  for (const SaliencyRow& row : rows) {
    write(*maps, cells(saliency_columns(), row));
    for (size_t i = 0; i < row.deletion.size(); ++i) {
      write(*curves, {row.image, row.class_index, row.method->name,
                      static_cast<double>(i) / static_cast<double>(row.deletion.size() - 1),
                      row.deletion[i]});
    }
  }
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  Output output(invocation);
  const std::vector<fs::path> images = images_of(invocation);
  const std::vector<const SaliencyMethod*> methods = methods_asked_for(invocation);
  const Subject shown = subject(invocation, /*head_needed=*/true);
  const std::vector<int64_t> classes = classes_asked_for(invocation, shown.weighted);
  const SaliencySettings settings = settings_of(invocation, shown.network);
  check_picture_options(invocation);

  std::vector<SaliencyRow> rows;
  Progress progress(invocation.err, shown.network.architecture.name,
                    static_cast<int64_t>(images.size()), "images");
  for (size_t i = 0; i < images.size(); ++i) {
    const Photograph photo = photograph(images[i], shown.weighted);
    const std::vector<float> logits = logits_of_image(shown.network, photo.values);
    const auto count = static_cast<int64_t>(logits.size());
    if (!all_finite(logits.data(), count)) {
      throw UsageError(images[i].string() + ": the network computes no finite number for it");
    }
    const std::vector<Guess> guesses = likeliest(logits.data(), count, count);
    for (const int64_t index : classes.empty() ? std::vector{guesses[0].index} : classes) {
      const auto guess = std::find_if(guesses.begin(), guesses.end(),
                                      [&](const Guess& g) { return g.index == index; });
      const size_t first = rows.size();
      for (const SaliencyMethod* method : methods) {
        SaliencyMap map = saliency(shown.network, method->name, photo.values, index, settings);
        std::vector<double> curve =
            deletion_curve(shown.network, photo.values, map.values, index, deletion_steps);
        rows.push_back({images[i].filename().string(), index, class_name(shown.weighted, index),
                        guess->probability, method, std::move(map), std::move(curve)});
      }
      draw_pictures(invocation, {sheet_of(shown, images[i], photo, rows, first)});
      // The numbers stay, the maps do not: memory is for one image.
      for (size_t row = first; row < rows.size(); ++row) rows[row].map.values = {};
    }
    progress.update(static_cast<int64_t>(i) + 1);
  }
  progress.finish();
  write_records(invocation, shown, rows);
  record_run(results_folder(invocation), invocation, started, shown.network.architecture.name,
             facts_of(shown));
  output.print(summary_of(rows, methods));
  for (const SaliencyRow& row : rows) {
    if (row.map.gap > 0.01) {
      invocation.err << "warning: " << row.image << ": integrated gradients miss their sum by "
                     << fmt::format("{:.2g}", 100 * row.map.gap) << " % after "
                     << settings.most_intervals << " intervals\n";
    }
  }
  for (const char* figure : {"deletion", "deletion_curves"}) {
    draw_pictures(invocation, figures_of_records(invocation, figure));
  }
  return done;
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

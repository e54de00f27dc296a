// convscope dream: the pictures that make units of a network answer most, as a sheet.
#include "suite/interpretation/dream.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/analysis/graph_layers.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/commands/subject.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

const std::string logits = "logits";
constexpr int64_t usual_units = 9;  // but not nine of ten classes
constexpr size_t most_units = 1024;

double number_from_0(const Invocation& invocation, const std::string& option, double most) {
  const std::string& text = invocation.text(option);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= most)) {
    throw UsageError(fmt::format("--{} '{}' is no number from 0 to {}", option, text, most));
  }
  return value;
}

/// Whether an option says the second of its two words.
bool is_second(const Invocation& invocation, const std::string& option, const std::string& first,
               const std::string& second) {
  const std::string& text = invocation.text(option);
  if (text != first && text != second) {
    throw UsageError("--" + option + " '" + text + "' is neither " + first + " nor " + second +
                     did_you_mean(text, {first, second}));
  }
  return text == second;
}

DreamOptions dream_options(const Invocation& invocation) {
  DreamOptions options;
  if (is_second(invocation, "domain", "frequency", "pixels")) options.domain = DreamDomain::pixels;
  if (is_second(invocation, "objective", "channel", "centre")) {
    options.objective = DreamObjective::centre;
  }
  options.steps = positive_integer(invocation, "steps");
  options.rate = number_from_0(invocation, "rate", 10);
  if (options.rate == 0) throw UsageError("--rate 0 changes nothing: give a number above 0");
  options.blur = number_from_0(invocation, "blur", 100);
  options.total_variation = number_from_0(invocation, "total-variation", 1000);
  options.decay = number_from_0(invocation, "decay", 1000);
  options.seed = seed_of(invocation);
  return options;
}

int64_t jitter_of(const Invocation& invocation, const ImageShape& image) {
  const int64_t side = std::min(image.height, image.width);
  if (invocation.text("jitter").empty()) return side / 14;
  const int64_t jitter = integer_from_0(invocation, "jitter");
  if (jitter > side) {
    throw UsageError(
        fmt::format("--jitter {} is more than the {} pixels of the picture's side", jitter, side));
  }
  return jitter;
}

/// What is dreamed of.
struct Layer {
  std::string name;
  size_t call;
  int64_t units;
  bool is_head;         ///< its units are the network's classes
  bool is_map = false;  ///< each of them
};

/// --at, or the logits.
Layer layer_of(const Invocation& invocation, const Subject& seen) {
  const Graph& graph = seen.network.graph;
  Layer layer{invocation.text("at"), 0, 0, false};
  if (layer.name.empty()) {
    layer = {logits, graph.calls.size() - 1, 0, true};
    while (layer.call > 0 && graph.calls[layer.call].outputs != graph.outputs) --layer.call;
  } else {
    layer.call = call_asked_for(invocation, graph);
  }
  layer.units = unit_count(graph, layer.call);
  const int result = graph.calls[layer.call].outputs[0];
  layer.is_map = graph.values[static_cast<size_t>(result)].shape.size() == 4;
  // After the last weights.
  const auto has_weights = [&](int value) {
    return value >= 0 && graph.values[static_cast<size_t>(value)].parameter >= 0;
  };
  const bool last =
      std::none_of(graph.calls.begin() + static_cast<std::ptrdiff_t>(layer.call) + 1,
                   graph.calls.end(), [&](const Call& call) {
                     return std::any_of(call.inputs.begin(), call.inputs.end(), has_weights);
                   });
  layer.is_head = last && layer.units == seen.network.settings.classes;
  return layer;
}

std::vector<int64_t> units_of(const Invocation& invocation, const Layer& layer) {
  std::vector<int64_t> units = each_once(integers_from_0(invocation, "unit"));
  if (units.empty()) {
    units.resize(static_cast<size_t>(layer.units > usual_units + 1 ? usual_units : layer.units));
    std::iota(units.begin(), units.end(), 0);
  }
  for (const int64_t unit : units) {
    if (unit < layer.units) continue;
    throw UsageError(
        fmt::format("--unit {}: {} has units 0 to {}", unit, layer.name, layer.units - 1));
  }
  if (units.size() > most_units) {
    throw UsageError(
        fmt::format("--unit: {} units do not fit a sheet: at most {}", units.size(), most_units));
  }
  return units;
}

/// "whole maps, frequency domain, 256 steps, jitter 8".
std::string words_of(const Layer& layer, const DreamOptions& options) {
  const bool centre = options.objective == DreamObjective::centre;
  const bool pixels = options.domain == DreamDomain::pixels;
  std::string words = fmt::format("{}{} domain, {} steps",
                                  !layer.is_map ? ""
                                  : centre      ? "middle of the maps, "
                                                : "whole maps, ",
                                  pixels ? "pixel" : "frequency", options.steps);
  const auto add = [&words](const char* name, auto value) {
    if (value > 0) words += fmt::format(", {} {}", name, value);
  };
  add("jitter", options.jitter);
  add("blur", options.blur);
  add("total variation", options.total_variation);
  add("decay", options.decay);
  return words;
}

struct UnitDream {
  int64_t unit;
  std::string name;  ///< of the class, where the unit is one
  Dream dream;
};

Figure sheet_of(const Subject& seen, const Layer& layer, const DreamOptions& options,
                const std::vector<UnitDream>& dreams) {
  Sheet sheet;
  const size_t count = dreams.size();
  sheet.columns = count <= 4 ? 2 : count <= 9 ? 3 : count == 10 ? 5 : 0;
  for (const UnitDream& one : dreams) {
    std::string label = std::to_string(one.unit);
    if (!one.name.empty() && one.name != label) label += "\n" + one.name;  // digits are numbers
    sheet.tiles.push_back(tile(label, pixels_of(one.dream.picture)));
  }
  const std::string how = words_of(layer, options);
  sheet.key = how;
  return {
      file_name("dream_" + seen.name() + "_" + layer.name +
                (options.objective == DreamObjective::centre ? "_centre" : "") + seen.name_end()),
      fmt::format("What excites {}{} of {}{}", layer.name == logits ? "the " : "", layer.name,
                  seen.name(), seen.title_end()),
      sheet,
      "Each picture began as noise, and was changed step by step so that what its unit computes "
      "grew: " +
          how + "."};
}

Table table_of(const Subject& seen, const Layer& layer, const std::vector<UnitDream>& dreams) {
  using R = UnitDream;
  const Human if_classes = layer.is_head ? Human::plain : Human::none;
  return make_table<R>(
      {{"model", "Network", Human::none,
        [&](const R&) { return Cell(seen.network.architecture.name); }},
       {"weights", "Weights", Human::none, [&](const R&) { return Cell(seen.weights); }},
       {"layer", "Layer", Human::none, [&](const R&) { return Cell(layer.name); }},
       {"unit", "Unit", Human::plain, [](const R& r) { return Cell(r.unit); }},
       {"class", "Class", if_classes,
        [](const R& r) { return r.name.empty() ? Cell() : Cell(r.name); }},
       {"start", "Start", Human::plain, [](const R& r) { return Cell(r.dream.start); }},
       {"end", "End", Human::plain, [](const R& r) { return Cell(r.dream.end); }}},
      dreams);
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  Output output(invocation);
  DreamOptions options = dream_options(invocation);
  const Subject seen =
      subject(invocation, invocation.text("at").empty() ? Needed::answers : Needed::layers);
  const Layer layer = layer_of(invocation, seen);
  const std::vector<int64_t> units = units_of(invocation, layer);
  if (options.objective == DreamObjective::centre && !layer.is_map) {
    throw UsageError("--objective centre: " + layer.name +
                     " computes numbers, which have no middle; name a layer of maps with --at");
  }
  options.jitter = jitter_of(invocation, seen.network.settings.image);
  check_picture_options(invocation);
  // What nobody trained stands for no class yet.
  const bool named = layer.is_head && !seen.untrained && !seen.weighted.classes.names.empty();
  std::vector<UnitDream> dreams;
  Progress progress(invocation.err, layer.name, static_cast<int64_t>(units.size()) * options.steps,
                    "steps");
  for (const int64_t unit : units) {
    const auto before = static_cast<int64_t>(dreams.size()) * options.steps;
    dreams.push_back({unit, named ? class_name(seen.weighted, unit) : "",
                      dream(seen.network, seen.weighted.preprocessing, layer.call, unit, options,
                            [&](int64_t step) { progress.update(before + step); })});
  }
  progress.finish();
  draw_pictures(invocation, {sheet_of(seen, layer, options, dreams)});
  record_run(results_folder(invocation), invocation, started,
             seen.network.architecture.name + " " + layer.name, facts_of(seen));
  output.print(table_of(seen, layer, dreams));
  return done;
}

}  // namespace

Command dream_command() {
  Command command{"dream",
                  "the pictures that make units of a network answer most",
                  "convscope dream mobilenet_v2 --at features.7 --unit 0-8",
                  {},
                  {"model"},
                  run};
  add_subject_options(command.options);
  add_threads_option(command.options);
  command.options.add_options()  //
      ("at", text_value(),
       "LAYER: as 'cost --layers' names it, or what it is in (default: the logits)")(
          "unit,u", list_value(),
          "which of its maps or numbers: 3,17 or 0-8 (default: the first 9, or all of 10)")(
          "objective", text_value("channel"),
          "of a map: channel, the root mean square of what is above 0, or centre, its middle")(
          "domain", text_value("frequency"),
          "what is changed: frequency, a sum of cosines with the spectrum of photographs, or "
          "pixels")("steps", text_value("256"), "of gradient ascent")("rate", text_value("0.05"),
                                                                      "of a step, by Adam")(
          "jitter", text_value(),
          "pixels that the picture is moved by at each step; 0: none (default: a 14th of its "
          "side)")("blur", text_value("0"),
                   "standard deviation in pixels of a Gaussian, each fourth step; 0: none")(
          "total-variation", text_value("0.05"),
          "weight beside the objective's gradient, which is 1; 0: none")(
          "decay", text_value("0"),
          "towards grey: weight beside the objective's gradient; 0: none");
  add_picture_options(command.options);
  add_output_options(command.options);
  return command;
}

}  // namespace convscope

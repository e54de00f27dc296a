// convscope plot: figures from the records of a results folder.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "architectures/catalogue.h"
#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/commands/output.h"
#include "suite/commands/plot_records.h"
#include "suite/commands/training_figures.h"
#include "suite/timing/calibration.h"

namespace convscope {
namespace {

/// "resnet" of "resnet50_v1": what shares a colour.
std::string family(const std::string& model) {
  const auto end = std::find_if(model.begin(), model.end(),
                                [](unsigned char c) { return std::isdigit(c) || c == '_'; });
  return {model.begin(), end};
}

/// The larger side of "427" or "3x1".
double largest_side(const std::string& text) {
  try {
    const size_t x = text.find('x');
    if (x == std::string::npos) return std::stod(text);
    return std::max(std::stod(text.substr(0, x)), std::stod(text.substr(x + 1)));
  } catch (const std::logic_error&) {
    throw UsageError("layers.csv: '" + text + "' in column rf is no receptive field");
  }
}

/// The network of each row, with its input where `costs` has it at several.
std::vector<std::string> labels(const CsvFile& csv, const CsvFile& costs) {
  std::map<std::string, int> rows;
  for (const std::string& model : texts(costs, "model")) ++rows[model];
  std::vector<std::string> names = texts(csv, "model");
  const auto inputs = texts(csv, "input");
  for (size_t i = 0; i < names.size(); ++i) {
    if (rows[names[i]] > 1) names[i] += " " + inputs[i];
  }
  return names;
}

/// The finished rows of cost.csv.
CsvFile costs_of(const Records& records) {
  CsvFile csv = records.read("cost.csv", records.models);
  const size_t status = column_index(csv, "status");
  csv.rows.erase(std::remove_if(csv.rows.begin(), csv.rows.end(),
                                [&](const CsvRow& row) { return row.fields[status] == "failed"; }),
                 csv.rows.end());
  return csv;
}

Figure cost_bars(const Records& records) {
  const CsvFile csv = costs_of(records);
  const auto models = labels(csv, csv);
  const auto params = numbers(csv, "params"), conv = numbers(csv, "conv_params"),
             linear = numbers(csv, "linear_params"), norm = numbers(csv, "norm_params"),
             macs = numbers(csv, "macs");
  // MACs by kind are in the layers.
  const CsvFile layers = records.read("layers.csv", records.models);
  const auto layer_models = labels(layers, csv), kinds = texts(layers, "kind");
  const auto layer_macs = numbers(layers, "macs");
  std::map<std::string, double> conv_macs;
  for (size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i] == "convolution") conv_macs[layer_models[i]] += layer_macs[i];
  }
  StackedBars bars{{"convolution", "linear", "normalisation"},
                   {{"Parameters (millions)", 1e6}, {"MACs (billions)", 1e9}},
                   {}};
  std::vector<double> others;
  for (size_t i = 0; i < models.size(); ++i) {
    others.push_back(params[i] - conv[i] - linear[i] - norm[i]);
    bars.rows.push_back({models[i],
                         family(models[i]),
                         {{conv[i], linear[i], norm[i]},
                          {conv_macs[models[i]], macs[i] - conv_macs[models[i]], 0}}});
  }
  // A fourth colour only where somebody could see it.
  const double longest = params.empty() ? 0 : *std::max_element(params.begin(), params.end());
  if (std::any_of(others.begin(), others.end(), [&](double n) { return n > longest / 500; })) {
    bars.kinds.emplace_back("other");
    for (size_t i = 0; i < others.size(); ++i) {
      bars.rows[i].values[0].push_back(others[i]);
      bars.rows[i].values[1].push_back(0);
    }
  }
  return {"cost_bars", "What the networks hold and what they compute for one image", bars};
}

Figure field_lines(const Records& records) {
  const CsvFile csv =
      records.read("layers.csv", records.rf_models.empty() ? records.models : records.rf_models);
  const auto models = texts(csv, "model"), inputs = texts(csv, "input"), fields = texts(csv, "rf");
  const auto depths = numbers(csv, "depth");
  // The largest field at each depth, network by network in the order of the file.
  std::vector<std::string> order;
  std::map<std::string, std::map<double, double>> curves;
  std::map<std::string, int> sizes;
  for (size_t i = 0; i < models.size(); ++i) {
    if (!curves.count(models[i])) {
      order.push_back(models[i]);
      ++sizes[inputs[i].substr(inputs[i].rfind('x') + 1)];
    }
    auto& curve = curves[models[i]];
    if (!fields[i].empty()) {
      curve[depths[i]] = std::max(curve[depths[i]], largest_side(fields[i]));
    }
  }
  Lines lines;
  lines.x = {"Depth (convolutions and linear layers on the longest path)", Scale::log,
             TickText::plain};
  lines.y = {"Receptive field (pixels)", Scale::log, TickText::plain};
  std::set<std::map<double, double>> drawn;
  for (const std::string& model : order) {
    if (!drawn.insert(curves[model]).second) continue;  // the same curve under another name
    Lines::Series series{model, family(model), {}};
    for (const auto& [depth, field] : curves[model]) {
      if (depth > 0) series.points.push_back({depth, field});
    }
    lines.series.push_back(series);
  }
  const auto usual = std::max_element(
      sizes.begin(), sizes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (usual != sizes.end()) {
    lines.reference = {std::stod(usual->first), "image: " + usual->first + " pixels"};
  }
  return {"receptive_field", "How much of the image a feature can see, layer by layer", lines};
}

Figure cost_bubbles(const Records& records) {
  const CsvFile csv = costs_of(records);
  const auto models = labels(csv, csv);
  const auto params = numbers(csv, "params"), macs = numbers(csv, "macs"),
             activations = numbers(csv, "activations");
  Bubbles bubbles;
  bubbles.x = {"Multiply-accumulates for one image", Scale::log, TickText::si};
  bubbles.y = {"Parameters", Scale::log, TickText::si};
  bubbles.size_label = "activations";
  for (size_t i = 0; i < models.size(); ++i) {
    const auto same =
        std::find_if(bubbles.bubbles.begin(), bubbles.bubbles.end(), [&](const Bubbles::Bubble& b) {
          return b.x == macs[i] && b.y == params[i] && b.size == activations[i];
        });
    if (same != bubbles.bubbles.end()) {
      same->label += ", " + models[i];
    } else {
      bubbles.bubbles.push_back({models[i], family(models[i]), macs[i], params[i], activations[i]});
    }
  }
  return {"cost_bubbles", "Multiply-accumulates against parameters, and activations as area",
          bubbles};
}

Calibration calibration_of(const CsvFile& csv) {
  const auto quantities = texts(csv, "quantity");
  const auto threads = integers(csv, "threads");
  const auto values = numbers(csv, "value");
  Calibration calibration;
  for (size_t i = 0; i < quantities.size(); ++i) {
    Calibrated row;
    row.quantity = quantities[i];
    row.threads = static_cast<int>(threads[i]);
    row.value = values[i];
    calibration.measured.push_back(row);
  }
  return calibration;
}

std::string three_digits(double value) {
  std::ostringstream text;
  text << std::setprecision(value >= 100 ? 4 : 3) << std::round(value * 10) / 10;
  return text.str();
}

/// Each layer's rate against its arithmetic intensity, under what the machine can do. Of the engine
/// and the number of threads that come first, since others have another roof.
Figure roofline(const Records& records) {
  const Calibration calibration = calibration_of(read_csv(records.folder / "calibration.csv"));
  const CsvFile csv = records.read("bench_layers.csv", records.models);
  const auto models = texts(csv, "model"), engines = texts(csv, "engine"),
             layers = texts(csv, "layer"), ops = texts(csv, "op");
  const auto threads = integers(csv, "threads");
  const auto times = numbers(csv, "median_ms"), rates = numbers(csv, "gflop_per_s"),
             intensities = numbers(csv, "intensity");
  Bubbles bubbles;
  bubbles.x = {"Arithmetic intensity (FLOP per byte)", Scale::log, TickText::plain};
  bubbles.y = {"GFLOP/s", Scale::log, TickText::plain};
  bubbles.size_label = "milliseconds";
  bubbles.named = 8;
  const bool one_model = std::set<std::string>(models.begin(), models.end()).size() == 1;
  size_t others = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    if (engines[i] != engines[0] || threads[i] != threads[0]) {
      ++others;
      continue;
    }
    // What only moves data does no operations, and a logarithmic axis has no zero.
    if (!(rates[i] > 0) || !(intensities[i] > 0)) continue;
    bubbles.bubbles.push_back({one_model ? layers[i] : models[i] + " " + layers[i],
                               one_model ? ops[i] : models[i], intensities[i], rates[i], times[i]});
  }
  if (bubbles.bubbles.empty()) {
    throw UsageError("bench_layers.csv: no layer whose rate and intensity are known");
  }
  const auto peak = calibration.value("fma", static_cast<int>(threads[0])),
             product = calibration.value("onednn", static_cast<int>(threads[0])),
             bandwidth = calibration.value("triad", static_cast<int>(threads[0]));
  if (!peak || !bandwidth) {
    throw UsageError("calibration.csv: a roofline needs the quantities fma and triad");
  }
  if (others > 0) {
    records.err << "roofline: shows " << engines[0] << " with " << threads[0]
                << (threads[0] == 1 ? " thread; " : " threads; ") << others
                << (others == 1 ? " row" : " rows") << " of other engines or threads left out\n";
  }
  bubbles.roof = Bubbles::Roof{*bandwidth,
                               "memory: " + three_digits(*bandwidth) + " GB/s",
                               {{*peak, "FMA: " + three_digits(*peak) + " GFLOP/s"}}};
  if (product && *product < *peak) {
    bubbles.roof->ceilings.push_back(
        {*product, "matrix product: " + three_digits(*product) + " GFLOP/s"});
  }
  const std::string with =
      std::to_string(static_cast<int>(threads[0])) + (threads[0] == 1 ? " thread" : " threads");
  return {"roofline",
          "What bounds the layers" + (one_model ? " of " + models[0] : "") + ": " + engines[0] +
              ", " + with,
          bubbles};
}

PlotFigure always_one(const std::string& name, const std::vector<std::string>& records,
                      Figure (*make)(const Records&)) {
  return {name, records, [make](const Records& all) { return std::vector<Figure>{make(all)}; }};
}

std::vector<PlotFigure> all_figures() {
  std::vector<PlotFigure> all = {
      always_one("cost_bars", {"cost.csv", "layers.csv"}, cost_bars),
      always_one("receptive_field", {"layers.csv"}, field_lines),
      always_one("cost_bubbles", {"cost.csv"}, cost_bubbles),
      always_one("roofline", {"calibration.csv", "bench_layers.csv"}, roofline)};
  for (const PlotFigure& figure : training_figures()) all.push_back(figure);
  return all;
}

const std::vector<PlotFigure>& figures() {
  static const std::vector<PlotFigure> all = all_figures();
  return all;
}

/// Those that are asked for; without that, those whose records are there, and if there are none,
/// all, so that the error says what is missing.
std::vector<PlotFigure> wanted_figures(const std::vector<std::string>& asked,
                                       const std::filesystem::path& folder) {
  std::vector<PlotFigure> wanted;
  for (const PlotFigure& figure : figures()) {
    const bool drawable = std::all_of(
        figure.records.begin(), figure.records.end(),
        [&](const std::string& file) { return std::filesystem::exists(folder / file); });
    if (asked.empty() ? drawable : std::count(asked.begin(), asked.end(), figure.name) > 0) {
      wanted.push_back(figure);
    }
  }
  return wanted.empty() ? figures() : wanted;
}

/// The names of the list that are in `known`, all of them if the list is empty.
std::vector<std::string> chosen(const std::vector<std::string>& asked, const std::string& option,
                                const std::vector<std::string>& known) {
  for (const std::string& name : asked) {
    if (!std::count(known.begin(), known.end(), name)) {
      std::string all;
      for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
      throw UsageError("--" + option + ": no '" + name + "'" + did_you_mean(name, known) +
                       "; there are " + all);
    }
  }
  return asked.empty() ? known : asked;
}

std::set<std::string> names(const std::vector<std::string>& patterns) {
  std::set<std::string> result;
  for (const Architecture& architecture : match_architectures(patterns)) {
    result.insert(architecture.name);
  }
  return result;
}

int run(const Invocation& invocation) {
  const std::string& folder = invocation.text("results");
  if (folder.empty()) throw UsageError("plot: say with --results which folder to read");
  std::vector<std::string> known;
  for (const PlotFigure& figure : figures()) known.push_back(figure.name);
  const auto asked = invocation.list("figure");
  chosen(asked, "figure", known);
  const std::map<std::string, ImageFormat> all_formats = {
      {"svg", ImageFormat::svg}, {"png", ImageFormat::png}, {"pdf", ImageFormat::pdf}};
  std::vector<ImageFormat> formats;
  for (const std::string& name :
       chosen(invocation.list("image-format"), "image-format", {"svg", "png", "pdf"})) {
    formats.push_back(all_formats.at(name));
  }
  const std::string started = utc_now();
  const Records records{folder, invocation.err, names(invocation.list("model")),
                        names(invocation.list("rf-model"))};
  try {
    check_gnuplot();
    for (const PlotFigure& figure : wanted_figures(asked, folder)) {
      if (invocation.flag("dry-run")) {
        invocation.out << "plot " << figure.name << "\n";
        continue;
      }
      for (const Figure& drawn : figure.make(records)) {
        for (const auto& path : render(drawn, records.folder / "figures", formats)) {
          invocation.err << "wrote " << path.string() << "\n";
        }
      }
    }
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
  if (!invocation.flag("dry-run")) record_run(folder, invocation, started);
  return done;
}

}  // namespace

Command plot_command() {
  Command command{"plot",
                  "figures from the records of a results folder",
                  "convscope plot --results results/classics --figure cost_bubbles",
                  {},
                  {},
                  run};
  command.options.add_options()  //
      ("results", text_value(), "DIR: its records are read, figures go to DIR/figures")(
          "figure", list_value(),
          "cost_bars, receptive_field, cost_bubbles, roofline, training_curves, learning_rate, "
          "transfer, confusion (default: all that the records allow)")(
          "model,m", list_value(), "only these networks (default: all that are there)")(
          "rf-model", list_value(), "only these in the receptive-field figure")(
          "image-format", list_value(), "svg, png, pdf (default: all)")(
          "dry-run", po::bool_switch(), "list what would be drawn");
  return command;
}

}  // namespace convscope

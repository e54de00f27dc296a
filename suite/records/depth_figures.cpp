// What happens through the depth of networks: how much of the image a feature sees, how maps shrink
// while channels grow, and what each layer costs.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>
#include <utility>

#include "suite/records/figures.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

constexpr size_t most_fields = 16, most_lines = 12, most_profiles = 4;

/// The numbers of "64x112x112", "7x7" or "427"; throws for anything else.
std::vector<double> sizes(const CsvFile& file, size_t row, const std::string& column,
                          const std::string& text) {
  std::vector<double> found;
  for (const char *at = text.data(), *end = at + text.size(); at <= end; ++at) {
    double size = 0;
    const auto [after, error] = std::from_chars(at, end, size);
    if (error != std::errc() || (after != end && *after != 'x') || !(size >= 0 && size < 1e15)) {
      throw std::runtime_error(
          fmt::format("{} line {}, column '{}': expected sizes such as 3x3, "
                      "found '{}'",
                      file.path.string(), file.rows[row].line, column, printable(text)));
    }
    found.push_back(size);
    at = after;
  }
  return found;
}

/// layers.csv, network by network in its order.
struct Layers {
  CsvFile csv;
  std::vector<std::string> models;
  std::map<std::string, std::vector<size_t>> rows;  ///< of each network

  explicit Layers(CsvFile file) : csv(std::move(file)) {
    const auto names = texts(csv, "model"), inputs = texts(csv, "input"),
               variants = texts_if_there(csv, "variant");
    std::map<std::string, std::pair<std::string, std::string>> first;
    for (size_t i = 0; i < names.size(); ++i) {
      // Of a network at several sizes, or in several widths, the first.
      const std::pair one(inputs[i], variants[i]);
      if (first.emplace(names[i], one).first->second != one) continue;
      auto& of_model = rows[names[i]];
      if (of_model.empty()) models.push_back(names[i]);
      of_model.push_back(i);
    }
  }
};

/// Those of them that a figure has room for: the first of each family, as far as need be those with
/// the most MACs, and then others; in their order.
std::vector<std::string> with_room(const Layers& layers, const std::vector<std::string>& wanted,
                                   size_t most) {
  if (wanted.size() <= most) return wanted;
  std::set<std::string> families;
  std::vector<std::string> firsts, others;
  for (const std::string& model : wanted) {
    (families.insert(family(model)).second ? firsts : others).push_back(model);
  }
  const auto macs = numbers(layers.csv, "macs");
  std::map<std::string, double> of;
  for (const std::string& model : firsts) {
    for (const size_t row : layers.rows.at(model)) of[model] += macs[row] > 0 ? macs[row] : 0;
  }
  std::stable_sort(firsts.begin(), firsts.end(),
                   [&](const auto& a, const auto& b) { return of[a] > of[b]; });
  firsts.insert(firsts.end(), others.begin(), others.end());
  firsts.resize(most);
  std::vector<std::string> chosen;
  for (const std::string& model : wanted) {
    if (std::count(firsts.begin(), firsts.end(), model)) chosen.push_back(model);
  }
  return chosen;
}

/// The networks of a figure through the depth: those asked for, as far as there is room.
std::vector<std::string> some(const Records& records, const Layers& layers, size_t most,
                              const std::string& figure) {
  std::vector<std::string> wanted;
  for (const std::string& model : layers.models) {
    if (records.depth_models.empty() || records.depth_models.count(model)) wanted.push_back(model);
  }
  std::vector<std::string> chosen = with_room(layers, wanted, most);
  if (chosen.size() < wanted.size()) {
    records.err << figure << ": shows " << joined(chosen) << " of " << wanted.size()
                << " networks; --depth-model chooses others\n";
  }
  return chosen;
}

/// The largest receptive field at each depth, as a share of the image.
std::map<double, double> field_by_depth(const Layers& layers, const std::string& model,
                                        const std::vector<std::string>& fields,
                                        const std::vector<std::string>& inputs,
                                        const std::vector<double>& depths) {
  const auto longest = [&](const char* column, const std::vector<std::string>& values, size_t row) {
    auto sides = sizes(layers.csv, row, column, values[row]);
    if (sides.size() > 2) sides.erase(sides.begin());  // channels
    return *std::max_element(sides.begin(), sides.end());
  };
  std::map<double, double> curve;
  for (const size_t row : layers.rows.at(model)) {
    if (fields[row].empty() || !(depths[row] > 0) || !std::isfinite(depths[row])) continue;
    const double share = longest("rf", fields, row) / longest("input", inputs, row);
    if (!(share > 0) || !std::isfinite(share)) continue;
    double& field = curve[depths[row]];
    field = std::max(field, share);
  }
  return curve;
}

std::vector<Figure> receptive_field(const Records& records) {
  const Layers layers(records.read_models("layers.csv"));
  const auto fields = texts(layers.csv, "rf"), inputs = texts(layers.csv, "input");
  const auto depths = numbers(layers.csv, "depth");
  Lines lines;
  lines.groups = families(layers.csv);
  lines.x = {"Depth (convolutions and linear layers on the longest path)", Scale::log};
  lines.y = {"Receptive field (sides of the image)", Scale::log};
  std::set<std::map<double, double>> drawn;
  for (const std::string& model : some(records, layers, most_fields, "receptive_field")) {
    const auto curve = field_by_depth(layers, model, fields, inputs, depths);
    // The same curve may be there under another name.
    if (curve.empty() || !drawn.insert(curve).second) continue;
    Lines::Series& series = lines.series.emplace_back();
    series.label = model;
    series.group = family(model);
    for (const auto& [depth, field] : curve) series.points.push_back({depth, field});
  }
  if (lines.series.empty()) {
    records.err << "receptive_field: layers.csv has no receptive field\n";
    return {};
  }
  lines.reference = Lines::Reference{1, "the whole image"};
  return {{"receptive_field", "How much of the image a feature can see, layer by layer", lines,
           "The theoretical receptive field over the longest path, at each depth, in sides of the "
           "image that the network takes, on logarithmic axes. Above the dashed line a feature can "
           "see the whole image; how much of it matters to the feature is another question. "
           "Colours are families."}};
}

/// The most channels at each height of the maps, whichever operation gives them.
std::map<double, double> channels_by_height(const Layers& layers, const std::string& model,
                                            const std::vector<std::string>& shapes) {
  std::map<double, double> most;
  for (const size_t row : layers.rows.at(model)) {
    const auto shape = sizes(layers.csv, row, "out_shape", shapes[row]);
    if (shape.size() != 3 || !(shape[0] > 0 && shape[1] > 0)) continue;
    most[shape[1]] = std::max(most[shape[1]], shape[0]);
  }
  return most;
}

/// The funnel: maps get smaller while channels grow.
std::vector<Figure> feature_maps(const Records& records) {
  const Layers layers(records.read_models("layers.csv"));
  const auto shapes = texts(layers.csv, "out_shape");
  Lines lines;
  lines.groups = families(layers.csv);
  lines.x = {"Channels", Scale::log};
  lines.y = {"Side of the feature map (pixels)", Scale::log};
  for (const std::string& model : some(records, layers, most_lines, "feature_maps")) {
    const auto most = channels_by_height(layers, model, shapes);
    if (most.empty()) continue;
    Lines::Series& series = lines.series.emplace_back();
    series.label = model;
    series.group = family(model);
    for (auto size = most.rbegin(); size != most.rend(); ++size) {
      series.points.push_back({size->second, size->first});
    }
  }
  if (lines.series.empty()) {
    records.err << "feature_maps: layers.csv has no feature map\n";
    return {};
  }
  return {{"feature_maps", "The funnel: maps shrink while channels grow", lines,
           "From the top to the bottom: the height of the feature maps, and the most channels of "
           "the maps of that height. Both axes are logarithmic."}};
}

/// In thousands, or in millions where that is what most there is.
Columns::Panel panel(const std::string& what, const Columns& columns, size_t value) {
  double most = 0;
  for (const Columns::Column& column : columns.columns) most = std::max(most, column.values[value]);
  return most >= 5e6 ? Columns::Panel{what + " (millions)", 1e6}
                     : Columns::Panel{what + " (thousands)", 1e3};
}

std::vector<Figure> layer_costs(const Records& records) {
  const Layers layers(records.read_models("layers.csv"));
  const auto names = texts(layers.csv, "layer"), kinds = texts(layers.csv, "kind");
  const auto params = numbers(layers.csv, "params"), macs = numbers(layers.csv, "macs"),
             activations = numbers(layers.csv, "activations");
  std::vector<Figure> figures;
  for (const std::string& model : some(records, layers, most_profiles, "layer_costs")) {
    Columns columns;
    columns.kinds = {"convolution", "linear"};
    columns.x_label = "Convolutions and linear layers, in the order of execution";
    for (const size_t row : layers.rows.at(model)) {
      if (!(macs[row] > 0)) continue;
      columns.columns.push_back(
          {names[row], kinds[row], {params[row], macs[row], activations[row]}});
    }
    if (columns.columns.empty()) continue;
    columns.panels = {panel("Parameters", columns, 0), panel("MACs", columns, 1),
                      panel("Activations", columns, 2)};
    figures.push_back({"layer_costs_" + file_name(model), "What each layer of " + model + " costs",
                       columns,
                       fmt::format("Parameters, multiply-accumulates and activations of the {} "
                                   "layers of {} that multiply, from the first to the last.",
                                   columns.columns.size(), model)});
  }
  if (figures.empty()) records.err << "layer_costs: layers.csv has no layer that multiplies\n";
  return figures;
}

/// Whether a convolution's input already sees the whole image, so that it cannot see more of it:
/// its field less what its own kernel adds. Richter et al. (2021) call such layers unproductive.
struct Unproductive {
  const Layers& layers;
  std::vector<std::string> inputs, fields, strides, jumps, kernels, dilations;

  explicit Unproductive(const Layers& of)
      : layers(of),
        inputs(texts(of.csv, "input")),
        fields(texts(of.csv, "rf")),
        strides(texts(of.csv, "stride")),
        jumps(texts(of.csv, "rf_stride")),
        kernels(texts(of.csv, "kernel")),
        dilations(texts(of.csv, "dilation")) {}

  bool operator()(size_t row) const {
    const auto all = [&](const char* column, const std::vector<std::string>& values) {
      auto found = sizes(layers.csv, row, column, values[row]);
      if (found.size() == 1) found.push_back(found[0]);  // "7" is written for 7x7
      return found;
    };
    if (fields[row].empty() || kernels[row].empty()) return false;
    const auto field = all("rf", fields), jump = all("rf_stride", jumps),
               stride = all("stride", strides), kernel = all("kernel", kernels),
               dilation = all("dilation", dilations), image = all("input", inputs);
    for (const size_t side : {0, 1}) {
      const double added = (kernel[side] - 1) * dilation[side] * jump[side] / stride[side];
      // Not so either where a stride of 0 gives no number.
      if (!(field[side] - added >= image[image.size() - 2 + side])) return false;
    }
    return true;
  }
};

/// 0 for what is not known, as of an operator without a row.
double known(double count) { return count > 0 && std::isfinite(count) ? count : 0; }

std::vector<Figure> unproductive_layers(const Records& records) {
  const Layers layers(records.read_models("layers.csv"));
  const Unproductive unproductive(layers);
  const auto kinds = texts(layers.csv, "kind");
  const auto params = numbers(layers.csv, "params"), macs = numbers(layers.csv, "macs");
  StackedBars bars{{"convolutions whose input sees the whole image"},
                   {{"Share of MACs (%)", 0.01}, {"Share of parameters (%)", 0.01}},
                   {}};
  size_t networks = 0;
  for (const std::string& model : layers.models) {
    double all_macs = 0, all_params = 0, their_macs = 0, their_params = 0;
    for (const size_t row : layers.rows.at(model)) {
      const double its_macs = known(macs[row]), its_params = known(params[row]);
      all_macs += its_macs;
      all_params += its_params;
      if (kinds[row] != "convolution" || !unproductive(row)) continue;
      their_macs += its_macs;
      their_params += its_params;
    }
    if (!(all_macs > 0 && all_params > 0)) continue;
    ++networks;
    if (their_macs > 0) {
      bars.rows.push_back(
          {model, family(model), {{their_macs / all_macs}, {their_params / all_params}}});
    }
  }
  if (bars.rows.empty()) {
    records.err << "unproductive_layers: no convolution's input sees the whole image\n";
    return {};
  }
  const size_t others = networks - bars.rows.size();
  keep_page(records, "unproductive_layers", bars.rows);
  return {{"unproductive_layers", "What is spent where nothing more of the image comes into sight",
           bars,
           "Convolutions whose input already has a receptive field of the whole image, over the "
           "longest path: they can combine what is there, but bring in no more of the image. "
           "Richter et al. (2021) found that such layers often add little; residual connections "
           "are shorter paths, along which they may still see more." +
               (others == 0 ? std::string()
                            : fmt::format(" In {} other network{} no convolution is so.", others,
                                          others == 1 ? "" : "s"))}};
}

}  // namespace

std::vector<RecordFigure> depth_figures() {
  return {{"receptive_field", {"layers.csv"}, receptive_field},
          {"feature_maps", {"layers.csv"}, feature_maps},
          {"layer_costs", {"layers.csv"}, layer_costs},
          {"unproductive_layers", {"layers.csv"}, unproductive_layers}};
}

}  // namespace convscope

// What networks see: how they answer to images that move.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <set>

#include "suite/records/figures.h"

namespace convscope {
namespace {

/// One network of shift.csv, with its rows' places in the file.
struct ShiftedNetwork {
  std::string model;
  std::string name;  ///< with what tells it from others of the record
  std::vector<size_t> rows;
};

/// shift.csv by column, as its figures need it.
struct ShiftRecord {
  std::vector<std::string> downsamplings, layers;
  std::vector<double> strides, shifts, images, distances, lows, highs, agreeing;
  std::vector<ShiftedNetwork> networks;

  explicit ShiftRecord(const CsvFile& csv)
      : downsamplings(texts(csv, "downsampling")),
        layers(texts(csv, "layer")),
        strides(numbers(csv, "stride")),
        shifts(numbers(csv, "shift")),
        images(numbers(csv, "images")),
        distances(numbers(csv, "distance")),
        lows(numbers(csv, "distance_low")),
        highs(numbers(csv, "distance_high")),
        agreeing(numbers(csv, "same_as_built")) {
    const auto models = texts(csv, "model"), weights = texts(csv, "weights"),
               inputs = texts(csv, "input");
    std::map<std::vector<std::string>, size_t> place;
    for (size_t i = 0; i < models.size(); ++i) {
      const auto [found, is_new] =
          place.emplace(std::vector{models[i], weights[i], inputs[i]}, networks.size());
      if (is_new) {
        networks.push_back({models[i], models[i] + " (" + weights[i] + ", " + inputs[i] + ")", {}});
      }
      if (std::isfinite(distances[i])) networks[found->second].rows.push_back(i);
    }
    std::map<std::string, int> of_model;
    for (const ShiftedNetwork& network : networks) ++of_model[network.model];
    for (ShiftedNetwork& network : networks) {
      if (of_model[network.model] == 1) network.name = network.model;
    }
  }

  /// A row as a point of a line of distances, with its interval where there is one.
  void add(size_t row, Lines::Series& series) const {
    series.points.push_back({shifts[row], distances[row]});
    if (std::isfinite(lows[row]) && std::isfinite(highs[row])) {
      series.spread.push_back({lows[row], highs[row]});
    }
  }
};

/// How often a network whose downsampling was exchanged still answers as it did, in percent, the
/// mean over its shifts; NaN where that was not compared.
double agreement(const ShiftRecord& record, const ShiftedNetwork& network,
                 const std::string& downsampling) {
  double sum = 0, shifts = 0;
  for (const size_t row : network.rows) {
    if (record.downsamplings[row] != downsampling || std::isfinite(record.strides[row])) continue;
    if (record.shifts[row] == 0) continue;  // as in the table
    sum += record.agreeing[row];
    ++shifts;
  }
  return sum / shifts;
}

/// A band is drawn of all points or of none.
void drop_partial_spread(Lines& lines) {
  for (Lines::Series& series : lines.series) {
    if (series.spread.size() != series.points.size()) series.spread.clear();
  }
}

std::string of_images(const ShiftRecord& record, const ShiftedNetwork& network) {
  const double images = record.images[network.rows.at(0)];
  return images == 1
             ? "Of one image"
             : fmt::format("Mean of {:.0f} images, with its 95 % interval as a band", images);
}

Axis shift_axis() {
  Axis axis;
  axis.label = "Shift of the image (pixels)";
  axis.whole = true;
  return axis;
}

/// The sawtooth: the last layer of each stride, as the network is built.
std::vector<Figure> shift_layers(const Records& records) {
  const ShiftRecord record(records.read_models("shift.csv"));
  std::vector<Figure> figures;
  for (const ShiftedNetwork& network : record.networks) {
    std::map<double, std::string> last;
    for (const size_t row : network.rows) {
      const bool layer = std::isfinite(record.strides[row]);
      if (layer && record.downsamplings[row] == "as-built") {
        last[record.strides[row]] = record.layers[row];
      }
    }
    Lines lines;
    lines.x = shift_axis();
    lines.y.label = "Cosine distance of feature maps";
    lines.y.from_zero = false;  // for the names below one another where teeth end together
    std::string names;
    for (const auto& [stride, layer] : last) {
      const std::string label = fmt::format("stride {}", stride);
      names += fmt::format("{}{}", names.empty() ? "" : ", ", layer);
      Lines::Series series{label, label, {}};
      for (const size_t row : network.rows) {
        const bool shown = record.downsamplings[row] == "as-built" && record.layers[row] == layer &&
                           record.strides[row] == stride;
        if (shown) record.add(row, series);
      }
      lines.series.push_back(series);
    }
    if (lines.series.empty()) continue;
    drop_partial_spread(lines);
    figures.push_back(
        {"shift_layers_" + file_name(network.model),
         "Shift equivariance of " + network.name + " through its strides", lines,
         of_images(record, network) +
             ": how far the moved feature maps are from those of the moved image (0: exactly "
             "equivariant), for the last layer of each stride: " +
             names + ". What is left at multiples of the stride comes from the image's border."});
  }
  if (figures.empty()) {
    records.err << "shift_layers: shift.csv has no layer of a network as it is built\n";
  }
  return figures;
}

/// Answers, for each way of downsampling.
std::vector<Figure> shift_answers(const Records& records) {
  const ShiftRecord record(records.read_models("shift.csv"));
  std::vector<Figure> figures;
  for (const ShiftedNetwork& network : record.networks) {
    Lines lines;
    lines.x = shift_axis();
    lines.y.label = "Cosine distance of the logits";
    for (const size_t row : network.rows) {
      if (std::isfinite(record.strides[row])) continue;
      const std::string& name = record.downsamplings[row];
      if (lines.series.empty() || lines.series.back().group != name) {
        lines.series.push_back({name, name, {}});
      }
      record.add(row, lines.series.back());
    }
    if (lines.series.empty()) continue;
    for (Lines::Series& series : lines.series) {
      const double percent = agreement(record, network, series.group);
      if (series.group == "as-built" || !std::isfinite(percent)) continue;
      series.label += fmt::format(" ({:.0f} %)", percent);
      lines.y.label = "Cosine distance of the logits (in brackets: same class as as-built)";
    }
    drop_partial_spread(lines);
    figures.push_back(
        {"shift_answers_" + file_name(network.model),
         "How the answers of " + network.name + " move with the image", lines,
         of_images(record, network) +
             ": distance between the logits of the moved image and of the one that has not moved. "
             "Beside the network as it is built, it is shown with the same weights and other ways "
             "of making maps smaller, which it was not trained with; in brackets, how often its "
             "class is then that of the network as it is built. What answers always alike moves "
             "little, too."});
  }
  if (figures.empty()) records.err << "shift_answers: shift.csv has no answer\n";
  return figures;
}

}  // namespace

std::vector<RecordFigure> shift_figures() {
  return {{"shift_layers", {"shift.csv"}, shift_layers},
          {"shift_answers", {"shift.csv"}, shift_answers}};
}

}  // namespace convscope

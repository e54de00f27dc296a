// What networks see: how far their units look, and what their answers rest on.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "suite/records/figures.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

/// erf.csv of one network at one size.
struct FieldCurves {
  std::string model, input;
  std::map<std::string, std::vector<size_t>> rows;  ///< by weights
};

std::vector<FieldCurves> curves_of(const CsvFile& csv) {
  const auto models = texts(csv, "model"), inputs = texts(csv, "input"),
             weights = texts(csv, "weights");
  std::vector<FieldCurves> all;
  for (size_t row = 0; row < models.size(); ++row) {
    auto found = std::find_if(all.begin(), all.end(), [&](const FieldCurves& curves) {
      return curves.model == models[row] && curves.input == inputs[row];
    });
    if (found == all.end()) found = all.insert(all.end(), {models[row], inputs[row], {}});
    found->rows[weights[row]].push_back(row);
  }
  return all;
}

/// The larger side of "427" or "3x1"; 0 for what is neither.
double longer_side(const std::string& text) {
  double longest = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('x', at), text.size());
    longest = std::max(longest, std::atof(text.substr(at, end - at).c_str()));
    at = end + 1;
  }
  return longest;
}

std::vector<Figure> effective_fields(const Records& records) {
  const CsvFile csv = records.read_models("erf.csv");
  const auto fields = texts(csv, "rf");
  const auto depths = numbers(csv, "depth"), sides = numbers(csv, "erf_side"),
             lows = numbers(csv, "erf_side_low"), highs = numbers(csv, "erf_side_high");
  std::vector<Figure> figures;
  for (const FieldCurves& curves : curves_of(csv)) {
    Lines lines;
    lines.x = {"Depth (convolutions on the longest path)", Scale::log};
    lines.y = {"Pixels", Scale::log};
    Lines::Series bound{"receptive field", "receptive field", {}};
    for (const auto& [weights, rows] : curves.rows) {
      // Where several layers are equally deep, the one that may look furthest.
      std::map<double, size_t> furthest;
      for (const size_t row : rows) {
        if (!(sides[row] > 0) || !(depths[row] > 0)) continue;
        const auto [there, is_new] = furthest.emplace(depths[row], row);
        if (!is_new && longer_side(fields[row]) > longer_side(fields[there->second])) {
          there->second = row;
        }
      }
      if (furthest.size() < 2) continue;
      const std::string name = weights == "untrained" ? "untrained" : "trained";
      Lines::Series series{name, name, {}};
      bool intervals = true;
      for (const auto& [depth, row] : furthest) {
        series.points.push_back({depth, sides[row]});
        series.spread.push_back({lows[row], highs[row]});
        intervals = intervals && std::isfinite(lows[row]) && std::isfinite(highs[row]);
        if (bound.points.size() < furthest.size()) {
          bound.points.push_back({depth, longer_side(fields[row])});
        }
      }
      if (!intervals) series.spread.clear();
      lines.series.push_back(std::move(series));
    }
    if (lines.series.empty()) continue;
    lines.series.insert(lines.series.begin(), std::move(bound));
    figures.push_back(
        {file_name("effective_fields_" + curves.model + "_" + curves.input),
         "How far the units of " + curves.model + " look", lines,
         "The side of the receptive field, and of the square in its middle that holds 95 % of the "
         "gradient of a unit: the median over the images and its 95 % interval. On these axes a "
         "side that grows with the square root of the depth is a line of slope 1/2."});
  }
  if (figures.empty()) {
    records.err << "effective_fields: erf.csv has no network with two layers of different depth\n";
  }
  return figures;
}

/// deletion.csv of one network with one file of weights: for each method the probabilities of all
/// images at each share.
struct Deletions {
  std::string model, weights;
  std::map<std::string, std::map<double, std::vector<double>>> methods;

  std::string name(const std::string& figure) const {
    return file_name(figure + "_" + model + (weights == "untrained" ? "_untrained" : ""));
  }
  std::string network() const { return model + (weights == "untrained" ? ", untrained," : ""); }
};

std::vector<Deletions> deletions_of(const CsvFile& csv) {
  const auto models = texts(csv, "model"), weights = texts(csv, "weights"),
             methods = texts(csv, "method");
  const auto shares = numbers(csv, "deleted"), probabilities = numbers(csv, "probability");
  std::vector<Deletions> all;
  for (size_t row = 0; row < models.size(); ++row) {
    if (!std::isfinite(shares[row]) || !std::isfinite(probabilities[row])) continue;
    auto found = std::find_if(all.begin(), all.end(), [&](const Deletions& one) {
      return one.model == models[row] && one.weights == weights[row];
    });
    if (found == all.end()) found = all.insert(all.end(), {models[row], weights[row], {}});
    found->methods[methods[row]][shares[row]].push_back(probabilities[row]);
  }
  return all;
}

std::vector<Figure> deletion_curves(const Records& records) {
  std::vector<Figure> figures;
  for (const Deletions& of : deletions_of(records.read_models("deletion.csv"))) {
    Lines lines;
    lines.x = {"Blurred, the most important first (share of the image)"};
    lines.y = {"Probability of the class"};
    size_t images = 0;
    for (const auto& [method, points] : of.methods) {
      Lines::Series series{method, method, {}};
      for (const auto& [share, values] : points) {
        series.points.push_back({share, median(values)});
        images = std::max(images, values.size());
        // All meet near 0, where nobody could tell them apart, nor their names.
        if (series.points.back().y < 0.1 * series.points.front().y) break;
      }
      lines.series.push_back(std::move(series));
    }
    if (images > 1) lines.y.label += fmt::format(", median of {}", images);
    figures.push_back(
        {of.name("deletion_curves"), "How fast " + of.network() + " loses the class", lines,
         "The probability of the class while squares of the image are blurred, those first that a "
         "method calls most important, until a tenth of it is left. The faster it falls, the more "
         "faithful is the method; what falls no faster than at random says nothing."});
  }
  if (figures.empty()) records.err << "deletion_curves: deletion.csv has no curve\n";
  return figures;
}

/// The area below each image's curve, by method.
std::vector<Figure> deletion(const Records& records) {
  const CsvFile csv = records.read_models("saliency.csv");
  const auto models = texts(csv, "model"), weights = texts(csv, "weights"),
             methods = texts(csv, "method");
  const auto areas = numbers(csv, "deletion");
  std::vector<Deletions> networks;
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::vector<double>>> by;
  for (size_t row = 0; row < models.size(); ++row) {
    if (!std::isfinite(areas[row])) continue;
    auto& of = by[{models[row], weights[row]}];
    if (of.empty()) networks.push_back({models[row], weights[row], {}});
    of[methods[row]].push_back(areas[row]);
  }
  std::vector<Figure> figures;
  for (const Deletions& network : networks) {
    Dots dots;
    dots.x.label = "Area below the deletion curve";
    dots.series = {network.model};
    std::vector<std::pair<double, std::string>> order;
    const auto& of = by[{network.model, network.weights}];
    for (const auto& [method, values] : of) order.emplace_back(median(values), method);
    std::sort(order.begin(), order.end());
    for (const auto& [middle, method] : order) {
      const std::vector<double>& values = of.at(method);
      Dots::Dot dot{network.model, middle};
      if (const auto interval = median_interval(values))
        dot.spread = {interval->low, interval->high};
      if (values.size() > 1) dot.raw = values;
      if (method == "random") dots.reference = {middle, "random"};
      dots.rows.push_back({method, "", {dot}});
    }
    figures.push_back(
        {network.name("deletion"), "How faithful the methods are to " + network.model, dots,
         "The mean probability of the class that is left while the image is blurred, square by "
         "square, those first that a method calls most important: the median over the images, its "
         "95 % interval, and each image. Less is more faithful; at the line of random order a "
         "method says nothing."});
  }
  if (figures.empty()) records.err << "deletion: saliency.csv has no areas\n";
  return figures;
}

}  // namespace

std::vector<RecordFigure> seeing_figures() {
  return {{"effective_fields", {"erf.csv"}, effective_fields},
          {"deletion", {"saliency.csv"}, deletion},
          {"deletion_curves", {"deletion.csv"}, deletion_curves}};
}

}  // namespace convscope

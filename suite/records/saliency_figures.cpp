// How faithful the maps are that say what an answer rests on.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "suite/records/figures.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

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

std::vector<RecordFigure> saliency_figures() {
  return {{"deletion", {"saliency.csv"}, deletion},
          {"deletion_curves", {"deletion.csv"}, deletion_curves}};
}

}  // namespace convscope

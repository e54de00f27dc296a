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

/// The classes of one image are no samples of their own: their mean is.
using ByImage = std::map<std::string, std::vector<double>>;

std::vector<double> means_of_images(const ByImage& by_image) {
  std::vector<double> means;
  for (const auto& [image, values] : by_image) {
    double sum = 0;
    for (const double value : values) sum += value;
    means.push_back(sum / static_cast<double>(values.size()));
  }
  return means;
}

/// What the records have of one network at one size with one file of weights: for each method, and
/// each share of the image that is blurred, the values of all images.
struct Deletions {
  std::vector<std::string> network;  ///< model, weights, input
  std::map<std::string, std::map<double, ByImage>> methods;

  std::string figure(const std::string& name) const {
    return file_name(name + "_" + network[0] + (network[1] == "untrained" ? "_untrained" : ""));
  }
  std::string title() const {
    return network[0] + (network[1] == "untrained" ? ", untrained" : "");
  }
};

/// `value` and perhaps `share` are columns.
std::vector<Deletions> deletions_of(const CsvFile& csv, const std::string& value,
                                    const std::string& share) {
  const auto models = texts(csv, "model"), weights = texts(csv, "weights"),
             inputs = texts(csv, "input"), images = texts(csv, "image"),
             methods = texts(csv, "method");
  const auto values = numbers(csv, value);
  const auto shares = share.empty() ? std::vector<double>(values.size()) : numbers(csv, share);
  std::vector<Deletions> all;
  for (size_t row = 0; row < models.size(); ++row) {
    if (!std::isfinite(shares[row]) || !std::isfinite(values[row])) continue;
    const std::vector<std::string> network = {models[row], weights[row], inputs[row]};
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Deletions& one) { return one.network == network; });
    if (found == all.end()) found = all.insert(all.end(), {network, {}});
    found->methods[methods[row]][shares[row]][images[row]].push_back(values[row]);
  }
  return all;
}

std::vector<Figure> deletion_curves(const Records& records) {
  std::vector<Figure> figures;
  for (const Deletions& of :
       deletions_of(records.read_models("deletion.csv"), "probability", "deleted")) {
    Lines lines;
    lines.x = {"Blurred, the most important first (share of the image)"};
    lines.y = {"Probability of the class"};
    size_t images = 0;
    for (const auto& [method, points] : of.methods) {
      Lines::Series series{method, method, {}};
      for (const auto& [share, by_image] : points) {
        series.points.push_back({share, median(means_of_images(by_image))});
        images = std::max(images, by_image.size());
        // All meet near 0, where nobody could tell them apart, nor their names.
        if (series.points.back().y < 0.1 * series.points.front().y) break;
      }
      lines.series.push_back(std::move(series));
    }
    if (images > 1) lines.y.label += fmt::format(", median of {} images", images);
    figures.push_back(
        {of.figure("deletion_curves"), "How fast the class is lost by " + of.title(), lines,
         "The probability of the class while squares of the image are blurred, those first that a "
         "method calls most important, until a tenth of it is left. The faster it falls, the more "
         "faithful is the method; what falls no faster than at random says nothing."});
  }
  if (figures.empty()) records.err << "deletion_curves: deletion.csv has no curve\n";
  return figures;
}

/// The area below each image's curve, by method.
std::vector<Figure> deletion(const Records& records) {
  std::vector<Figure> figures;
  for (const Deletions& of : deletions_of(records.read_models("saliency.csv"), "deletion", "")) {
    Dots dots;
    dots.x.label = "Area below the deletion curve";
    dots.series = {of.network[0]};
    std::vector<std::pair<double, std::string>> order;
    std::map<std::string, std::vector<double>> areas;
    for (const auto& [method, points] : of.methods) {
      areas[method] = means_of_images(points.begin()->second);
      order.emplace_back(median(areas[method]), method);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [middle, method] : order) {
      const std::vector<double>& values = areas.at(method);
      Dots::Dot dot{of.network[0], middle};
      if (const auto interval = median_interval(values)) {
        dot.spread = {interval->low, interval->high};
      }
      if (values.size() > 1) dot.raw = values;
      if (method == "random") dots.reference = {middle, "random"};
      dots.rows.push_back({method, "", {dot}});
    }
    figures.push_back(
        {of.figure("deletion"), "How faithful saliency is to " + of.title(), dots,
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

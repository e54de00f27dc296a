// Images in the space of a network's features.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <ostream>

#include "suite/records/figures.h"

namespace convscope {
namespace {

/// More points than this hide each other.
constexpr size_t most_images = 4000;

/// Every so many-th image of each class, so that all classes keep their shares.
std::vector<size_t> thinned(const std::vector<std::string>& classes, size_t step) {
  std::map<std::string, size_t> seen;
  std::vector<size_t> kept;
  for (size_t i = 0; i < classes.size(); ++i) {
    if (seen[classes[i]]++ % step == 0) kept.push_back(i);
  }
  return kept;
}

std::string axis_label(const std::string& name, const std::vector<double>& percent, size_t i) {
  return fmt::format("{} component ({:.2g} % of the variance)", name, percent[i]);
}

std::vector<Figure> features_map(const Records& records) {
  const CsvFile of_components = records.read_models("features_components.csv");
  const CsvFile csv = records.read("features_map.csv");
  if (of_components.rows.size() < 2 || csv.rows.empty()) {
    records.err << "features_map: the records have no images with two components\n";
    return {};
  }
  const auto percent = numbers(of_components, "variance_percent");
  const auto model = texts(of_components, "model")[0], weights = texts(of_components, "weights")[0],
             layer = texts(of_components, "layer")[0], data = texts(of_components, "data")[0];
  const auto images = texts(csv, "image"), classes = texts(csv, "class");
  const auto x = numbers(csv, "pc1"), y = numbers(csv, "pc2");
  const size_t step = (classes.size() + most_images - 1) / most_images;
  Scatter scatter;
  scatter.x.label = axis_label("First", percent, 0);
  scatter.y.label = axis_label("Second", percent, 1);
  for (const size_t i : thinned(classes, step)) {
    scatter.points.push_back({images[i], classes[i], x[i], y[i]});
  }
  scatter.groups = classes;
  std::sort(scatter.groups.begin(), scatter.groups.end());
  scatter.groups.erase(std::unique(scatter.groups.begin(), scatter.groups.end()),
                       scatter.groups.end());
  const bool coloured = scatter.groups.size() <= Scatter::most_colours;
  std::string caption = fmt::format(
      "Each point is {} of {}, by its features at {}, seen along "
      "the two directions in which these vary most; the rest of the variance is not seen here.",
      step == 1 ? "an image" : fmt::format("one of {} images", step), dataset_name(data), layer);
  if (scatter.groups.size() > 1) {
    caption += coloured ? " The name of a class stands at the medians of its points."
                        : fmt::format(
                              " Grey: the images; blue: the medians of each of the {} "
                              "classes.",
                              scatter.groups.size());
  }
  return {{"features_map",
           fmt::format("{} in the features of {}{}", dataset_name(data), model,
                       weights == "untrained" ? ", untrained" : ""),
           scatter, caption}};
}

}  // namespace

std::vector<RecordFigure> neighbour_figures() {
  return {{"features_map", {"features_map.csv", "features_components.csv"}, features_map}};
}

}  // namespace convscope

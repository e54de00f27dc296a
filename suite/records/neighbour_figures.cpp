// Images in the space of a network's features.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "suite/records/figures.h"

namespace convscope {
namespace {

/// More points than this hide each other.
constexpr size_t most_images = 4000;

/// Every so many-th image of each class, so that all classes keep their shares.
std::vector<size_t> thinned(const std::vector<size_t>& images,
                            const std::vector<std::string>& classes, size_t step) {
  std::map<std::string, size_t> seen;
  std::vector<size_t> kept;
  for (const size_t i : images) {
    if (seen[classes[i]]++ % step == 0) kept.push_back(i);
  }
  return kept;
}

std::string axis_label(const std::string& name, double percent) {
  return fmt::format("{} component ({:.2g} % of the variance)", name, percent);
}

/// The rows of one network in the records of all.
struct Mapped {
  std::vector<std::string> network;  ///< model, weights, input
  std::vector<size_t> components, images;
};

std::vector<Mapped> mapped(const CsvFile& components, const CsvFile& images) {
  std::vector<Mapped> all;
  const auto of = [&](const CsvFile& csv, std::vector<size_t> Mapped::*rows) {
    const auto models = texts(csv, "model"), weights = texts(csv, "weights"),
               inputs = texts(csv, "input");
    for (size_t row = 0; row < models.size(); ++row) {
      const std::vector<std::string> network = {models[row], weights[row], inputs[row]};
      auto found = std::find_if(all.begin(), all.end(),
                                [&](const Mapped& one) { return one.network == network; });
      if (found == all.end()) found = all.insert(all.end(), {network, {}, {}});
      ((*found).*rows).push_back(row);
    }
  };
  of(components, &Mapped::components);
  of(images, &Mapped::images);
  all.erase(std::remove_if(
                all.begin(), all.end(),
                [](const Mapped& one) { return one.components.size() < 2 || one.images.empty(); }),
            all.end());
  return all;
}

std::vector<Figure> features_map(const Records& records) {
  const CsvFile of_components = records.read_models("features_components.csv");
  const CsvFile csv = records.read_models("features_map.csv");
  const auto percent = numbers(of_components, "variance_percent");
  const auto layers = texts(of_components, "layer"), data = texts(of_components, "data");
  const auto images = texts(csv, "image"), classes = texts(csv, "class");
  const auto x = numbers(csv, "pc1"), y = numbers(csv, "pc2");
  std::vector<Figure> figures;
  for (const Mapped& of : mapped(of_components, csv)) {
    const size_t first = of.components[0], second = of.components[1];
    const size_t step = (of.images.size() + most_images - 1) / most_images;
    Scatter scatter;
    scatter.x.label = axis_label("First", percent[first]);
    scatter.y.label = axis_label("Second", percent[second]);
    for (const size_t i : thinned(of.images, classes, step)) {
      scatter.points.push_back({images[i], classes[i], x[i], y[i]});
    }
    for (const size_t i : of.images) scatter.groups.push_back(classes[i]);
    std::sort(scatter.groups.begin(), scatter.groups.end());
    scatter.groups.erase(std::unique(scatter.groups.begin(), scatter.groups.end()),
                         scatter.groups.end());
    const bool coloured = scatter.groups.size() <= Scatter::most_colours;
    std::string caption = fmt::format(
        "Each point is {} of {}, by its features at {}, seen along the two directions in which "
        "these vary most; the rest of the variance is not seen here.",
        step == 1 ? "an image" : fmt::format("one of {} images", step), dataset_name(data[first]),
        layers[first]);
    if (scatter.groups.size() > 1) {
      caption +=
          coloured ? " The name of a class stands at the medians of its points."
                   : fmt::format(" Grey: the images; blue: the medians of each of the {} classes.",
                                 scatter.groups.size());
    }
    const bool untrained = of.network[1] == "untrained";
    figures.push_back({file_name("features_map_" + of.network[0] + (untrained ? "_untrained" : "")),
                       fmt::format("{} in the features of {}{}", dataset_name(data[first]),
                                   of.network[0], untrained ? ", untrained" : ""),
                       scatter, caption});
  }
  if (figures.empty()) {
    records.err << "features_map: the records have no images with two components\n";
  }
  return figures;
}

}  // namespace

std::vector<RecordFigure> neighbour_figures() {
  return {{"features_map", {"features_map.csv", "features_components.csv"}, features_map}};
}

}  // namespace convscope

#include "suite/commands/neighbour_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <stdexcept>

#include "suite/commands/picture_output.h"
#include "suite/commands/progress.h"
#include "suite/data/folder.h"
#include "suite/data/random.h"
#include "suite/data/transforms.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// Whether a folder has images and nothing that says their class.
bool is_plain_folder(const fs::path& folder) {
  if (!fs::is_directory(folder) || labelling_of(folder) != Labelling::none) return false;
  const auto entries = entries_of(folder);
  return std::any_of(entries.begin(), entries.end(),
                     [](const auto& entry) { return is_image_name(entry.path()); });
}

/// A file that is the same by whatever way it is named; other names stay as they are.
std::string identity(const std::string& name) {
  std::error_code error;
  const fs::path path = fs::canonical(name, error);
  return error ? name : path.string();
}

void check_finite(const SeenImages& images, const std::string& network) {
  for (size_t i = 0; i < images.count(); ++i) {
    const float* row = images.features.row(i);
    if (std::all_of(row, row + images.features.size, [](float v) { return std::isfinite(v); })) {
      continue;
    }
    throw std::runtime_error(network + " computes a number that is not finite for " +
                             images.name(i) + ", so that no image is near it");
  }
}

/// The members of each class that has any.
std::vector<std::vector<size_t>> by_class(const std::vector<int64_t>& labels) {
  std::map<int64_t, std::vector<size_t>> members;
  for (size_t i = 0; i < labels.size(); ++i) members[labels[i]].push_back(i);
  std::vector<std::vector<size_t>> classes;
  for (auto& [label, some] : members) classes.push_back(std::move(some));
  return classes;
}

/// With a longer side of at most `largest` pixels: what a tile of a sheet shows.
Pixels thumbnail(const SeenImages& images, size_t i, const WeightedNetwork& network,
                 int64_t largest) {
  const Preprocessing& preprocessing = network.preprocessing;
  const Image image = images.dataset->image(images.indices[i]);
  Image seen = render(image, centre_view(preprocessing, image.full), preprocessing.interpolation);
  const int64_t height = seen.part.height, width = seen.part.width;
  const int64_t longer = std::max(height, width);
  if (longer <= largest) return pixels_of(seen);
  const Size size{std::max<int64_t>(1, height * largest / longer),
                  std::max<int64_t>(1, width * largest / longer)};
  seen.full = {height, width};
  seen.part = {0, 0, height, width};
  return pixels_of(
      render(seen, {seen.part, size, {0, 0, size.height, size.width}}, Interpolation::bilinear));
}

std::string short_name(const SeenImages& images, size_t i) {
  const std::string of_class = images.class_of(i);
  return of_class.empty() ? fs::path(images.name(i)).stem().string() : of_class;
}

}  // namespace

std::unique_ptr<Dataset> images_of_data(const Invocation& invocation,
                                        const WeightedNetwork& network) {
  const fs::path folder = invocation.text("data");
  if (!is_plain_folder(folder)) return open_data(invocation, network, /*same_classes=*/false);
  if (!invocation.text("split").empty()) {
    throw UsageError("--split: '" + folder.string() + "' has images without classes, in no splits");
  }
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    if (entry.is_regular_file() && is_image_name(entry.path())) files.push_back(entry.path());
  }
  return image_files(files, network.fit.settings.image.channels);
}

SeenImages seen_images(const Invocation& invocation, const Subject& seen, const FeaturePlace& place,
                       const Speed& chosen, std::unique_ptr<Dataset> dataset) {
  SeenImages images{std::move(dataset), {}};
  images.classes = images.dataset->classes();
  Loader loader(*images.dataset, loader_options(invocation, seen.weighted, chosen));
  Progress progress(invocation.err, seen.weighted.architecture.name,
                    static_cast<int64_t>(images.dataset->size()), "images");
  images.features.values.reserve(images.dataset->size() * static_cast<size_t>(place.size));
  for (Batch batch; loader.next(batch);) {
    add_features(seen.network, place, batch.values, batch.size, images.features);
    images.labels.insert(images.labels.end(), batch.labels.begin(), batch.labels.end());
    images.indices.insert(images.indices.end(), batch.indices.begin(), batch.indices.end());
    progress.update(static_cast<int64_t>(images.count()));
  }
  progress.finish();
  report_images(invocation, seen.weighted, *images.dataset, loader);
  if (images.count() == 0) throw UsageError("no image could be read");
  check_finite(images, seen.weighted.architecture.name);
  return images;
}

Queries chosen_queries(const SeenImages& data, size_t count, uint64_t seed) {
  std::vector<std::vector<size_t>> classes = by_class(data.labels);
  for (size_t c = 0; c < classes.size(); ++c) {
    Random random(seed, c);
    shuffle(classes[c], random);
  }
  if (classes.size() > count) {
    Random random(seed, classes.size());
    shuffle(classes, random);
  }
  Queries queries{{data.dataset, {data.features.size, {}}}, {}};
  for (size_t round = 0; queries.itself.size() < std::min(count, data.count()); ++round) {
    for (const std::vector<size_t>& members : classes) {
      if (round < members.size() && queries.itself.size() < count) {
        queries.itself.push_back(members[round]);
      }
    }
  }
  // Rows of one class stand together.
  std::sort(queries.itself.begin(), queries.itself.end(), [&](size_t a, size_t b) {
    return std::pair(data.labels[a], a) < std::pair(data.labels[b], b);
  });
  SeenImages& images = queries.images;
  images.classes = data.classes;
  for (const size_t i : queries.itself) {
    const float* row = data.features.row(i);
    images.features.values.insert(images.features.values.end(), row, row + data.features.size);
    images.indices.push_back(data.indices[i]);
    images.labels.push_back(data.labels[i]);
  }
  return queries;
}

Queries named_queries(const Invocation& invocation, const Subject& seen, const FeaturePlace& place,
                      const Speed& chosen, const SeenImages& data,
                      const std::vector<fs::path>& files) {
  const int64_t channels = seen.weighted.fit.settings.image.channels;
  Queries queries{seen_images(invocation, seen, place, chosen, image_files(files, channels)), {}};
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < data.count(); ++i) places[identity(data.name(i))] = i;
  SeenImages& images = queries.images;
  images.classes = data.classes;
  for (size_t q = 0; q < images.count(); ++q) {
    const auto found = places.find(identity(images.name(q)));
    const bool in_data = found != places.end();
    queries.itself.push_back(in_data ? found->second : no_image);
    images.labels[q] = in_data ? data.labels[found->second] : -1;
  }
  return queries;
}

Figure neighbour_sheet(const Subject& seen, const std::string& layer, const SeenImages& data,
                       const Queries& queries,
                       const std::vector<std::vector<Neighbour>>& neighbours) {
  const WeightedNetwork& network = seen.weighted;
  Sheet sheet;
  sheet.columns = neighbours.at(0).size() + 1;
  const int64_t largest = std::clamp<int64_t>(900 / static_cast<int64_t>(sheet.columns), 40, 224);
  bool framed = false;
  for (size_t q = 0; q < neighbours.size(); ++q) {
    const int64_t label = queries.images.labels[q];
    const auto of_class = std::count(data.labels.begin(), data.labels.end(), label);
    const bool class_known = !queries.images.class_of(q).empty() && of_class > 1;
    sheet.tiles.push_back(tile(short_name(queries.images, q) + "\nquery",
                               thumbnail(queries.images, q, network, largest)));
    for (const Neighbour& neighbour : neighbours[q]) {
      sheet.tiles.push_back(
          tile(fmt::format("{}\n{:.3f}", short_name(data, neighbour.index), neighbour.similarity),
               thumbnail(data, neighbour.index, network, largest)));
      sheet.tiles.back().framed = class_known && data.labels[neighbour.index] != label;
      framed = framed || sheet.tiles.back().framed;
    }
  }
  sheet.key = "A query, then the images nearest to it, with the cosine.";
  if (framed) sheet.key += " Framed: another class.";
  return {file_name("neighbours_" + seen.name() + seen.name_end()),
          fmt::format("What looks alike to {}{}", seen.name(), seen.title_end()), sheet,
          fmt::format("The images of the data that are nearest to each query by the cosine of "
                      "their features at {}; 1 is the same direction.",
                      layer)};
}

}  // namespace convscope

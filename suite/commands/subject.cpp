#include "suite/commands/subject.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>

#include "suite/analysis/graph_layers.h"
#include "suite/commands/network_options.h"
#include "suite/data/folder.h"
#include "suite/inference/threads.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

}  // namespace

uint64_t seed_of(const Invocation& invocation) {
  return static_cast<uint64_t>(integer_from_0(invocation, "seed"));
}

void add_subject_options(po::options_description& options) {
  add_weights_options(options);
  options.add_options()  //
      ("untrained", po::bool_switch(), "the weights that training begins with")(
          "seed", text_value("0"), "of all that is left to chance");
}

void add_threads_option(po::options_description& options) {
  options.add_options()("threads,t", text_value(), "of the network (default: the cores)");
}

Subject subject(const Invocation& invocation, Needed needed) {
  // Where images are read meanwhile, the command shares the cores out by speed().
  const po::options_description& options = invocation.command.options;
  if (options.find_nothrow("threads", false) && !options.find_nothrow("workers", false)) {
    use_threads(threads_of(invocation, std::max(1u, std::thread::hardware_concurrency())));
  }
  if (invocation.flag("untrained")) {
    if (!invocation.text("weights").empty()) {
      throw UsageError(invocation.command.name + ": --untrained takes no --weights");
    }
    return untrained_subject(invocation, untrained_network(invocation, needed));
  }
  WeightedNetwork weighted = weighted_network(invocation, needed);
  LoadedNetwork network = loaded_network(weighted.architecture, weighted.fit, weighted.file);
  std::string weights = weighted.file.path.filename().string();
  return {std::move(weighted), std::move(network), std::move(weights), /*untrained=*/false};
}

std::vector<std::pair<std::string, std::string>> facts_of(const Subject& subject) {
  if (subject.untrained) return {};
  return {{"weights_sha256", sha256_of(subject.weighted.file.path)}};
}

Subject untrained_subject(const Invocation& invocation, const WeightedNetwork& weighted) {
  return {weighted,
          initial_network(weighted.architecture, weighted.fit.settings, seed_of(invocation)),
          "untrained", /*untrained=*/true};
}

std::string Subject::name_end() const {
  const std::string size = to_string(network.settings.image),
                    usual = to_string(network.architecture.settings.image);
  return (size == usual ? "" : "_" + size) + (untrained ? "_untrained" : "");
}

size_t call_asked_for(const Invocation& invocation, const Graph& graph) {
  return asked_for_at([&] { return last_call_of(graph, invocation.text("at")); });
}

MapLayer map_layer_asked_for(const Graph& graph, const std::string& name) {
  return asked_for_at([&] { return map_layer(graph, name); });
}

std::vector<MapLayer> map_layers_asked_for(const Invocation& invocation, const Graph& graph) {
  std::vector<MapLayer> layers;
  for (const std::string& name : each_once(invocation.list("at"))) {
    layers.push_back(map_layer_asked_for(graph, name));
  }
  if (!layers.empty()) return layers;
  layers = map_layers(graph);
  if (!layers.empty()) return layers;
  throw UsageError(invocation.command.name +
                   " needs a network with maps of a height and a width, such as resnet50");
}

std::vector<fs::path> images_of(const Invocation& invocation, const std::string& option) {
  std::vector<fs::path> images;
  if (!invocation.values.count(option)) {
    throw UsageError(invocation.command.name + ": name images, as in '" +
                     invocation.command.example + "'");
  }
  // Not taken apart at commas: a file may have one in its name.
  for (const std::string& word : invocation.values[option].as<std::vector<std::string>>()) {
    if (!fs::exists(word)) throw UsageError("there is no image '" + word + "'");
    if (!fs::is_directory(word)) {
      images.emplace_back(word);
      continue;
    }
    const size_t before = images.size();
    for (const fs::directory_entry& entry : entries_of(word)) {
      if (entry.is_regular_file() && is_image_name(entry.path())) images.push_back(entry.path());
    }
    if (images.size() == before) {
      throw UsageError("the folder '" + word + "' has no .jpg, .jpeg or .png file");
    }
  }
  return images;
}

std::string bytes_of_image(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || fs::is_directory(path)) {
    throw UsageError("cannot read the image '" + path.string() + "'");
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

Image decoded(const fs::path& path, int64_t channels) {
  const std::string bytes = bytes_of_image(path);
  try {
    return decode_image(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), channels);
  } catch (const BrokenImage& error) {
    throw UsageError(path.string() + ": " + error.what());
  }
}

Photograph photograph(const fs::path& path, const WeightedNetwork& network, int64_t wider) {
  const ImageShape& shape = network.fit.settings.image;
  const Image image = decoded(path, shape.channels);
  View view = centre_view(network.preprocessing, image.full);
  view.crop.width += wider;
  const Region& crop = view.crop;
  const bool ends = crop.left < 0 || crop.top < 0 || crop.left + crop.width > view.resized.width ||
                    crop.top + crop.height > view.resized.height;
  Photograph taken{render(image, view, network.preprocessing.interpolation), {}, ends};
  const Region& part = taken.seen.part;
  if (part.height != shape.height || part.width != shape.width + wider) {
    throw UsageError(path.string() + " is " + std::to_string(part.height) + "x" +
                     std::to_string(part.width - wider) + " pixels, and " +
                     network.architecture.name + " is run on " + std::to_string(shape.height) +
                     "x" + std::to_string(shape.width) + ": give --input");
  }
  taken.values.resize(static_cast<size_t>(shape.channels * part.height * part.width));
  normalise(taken.seen, network.preprocessing, taken.values.data());
  return taken;
}

Pixels pixels_of(const Image& image) {
  Pixels pixels{static_cast<int>(image.part.width), static_cast<int>(image.part.height), {}};
  for (size_t i = 0; i < image.pixels.size(); i += static_cast<size_t>(image.channels)) {
    const bool grey = image.channels == 1;
    pixels.add({image.pixels[i], image.pixels[grey ? i : i + 1], image.pixels[grey ? i : i + 2]});
  }
  return pixels;
}

}  // namespace convscope

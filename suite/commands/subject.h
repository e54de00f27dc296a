// The network that is looked into, with weights or untrained, and the photographs that it is shown:
// what the commands that draw a network's insides ask alike.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "suite/analysis/map_layers.h"
#include "suite/commands/inference_options.h"
#include "suite/data/image.h"
#include "suite/data/transforms.h"
#include "suite/inference/loaded_network.h"
#include "suite/pictures/pixels.h"

namespace convscope {

/// Adds the options of weights, --untrained and --seed.
void add_subject_options(po::options_description& options);
/// Adds --threads.
void add_threads_option(po::options_description& options);

struct Subject {
  WeightedNetwork weighted;
  LoadedNetwork network;
  std::string weights;  ///< "untrained", or the name of the file
  bool untrained;

  const std::string& name() const { return network.architecture.name; }
  /// How a figure's title ends: ", untrained".
  std::string title_end() const { return untrained ? ", untrained" : ""; }
  /// How its name ends: "_3x320x320_untrained", with the size where it is not the paper's.
  std::string name_end() const;
};

/// Throws UsageError or std::invalid_argument.
Subject subject(const Invocation& invocation, Needed needed);

/// What a manifest records of it: the SHA-256 of the weights' file.
std::vector<std::pair<std::string, std::string>> facts_of(const Subject& subject);

/// The same network as its paper initialises it, by --seed.
Subject untrained_subject(const Invocation& invocation, const WeightedNetwork& weighted);

/// --seed. Throws UsageError.
uint64_t seed_of(const Invocation& invocation);

/// What `find` finds; what it finds wrong is wrong with --at.
template <class Find>
auto asked_for_at(const Find& find) {
  try {
    return find();
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string("--at: ") + error.what());
  }
}

/// What --at names: a call; a layer with maps; or several of these, each once, and without any all
/// convolutions and poolings. Throws UsageError that suggests the nearest layer and lists all.
size_t call_asked_for(const Invocation& invocation, const Graph& graph);
MapLayer map_layer_asked_for(const Graph& graph, const std::string& name);
std::vector<MapLayer> map_layers_asked_for(const Invocation& invocation, const Graph& graph);

/// The values, each once, in the order of their first places.
template <class Value>
std::vector<Value> each_once(const std::vector<Value>& values) {
  std::vector<Value> once;
  for (const Value& value : values) {
    if (std::find(once.begin(), once.end(), value) == once.end()) once.push_back(value);
  }
  return once;
}

/// The images that `option` names, and those in the folders that it names, in their order. Throws
/// UsageError if there is none.
std::vector<std::filesystem::path> images_of(const Invocation& invocation,
                                             const std::string& option = "image");

/// A photograph as the network is shown it.
struct Photograph {
  Image seen;
  std::vector<float> values;  ///< channels x height x width
  bool ends = false;          ///< some of it lies beyond the image, and is black
};

/// With `wider`, so many pixels to the right of what the network sees are part of it. What lies
/// beyond the image is black. Throws UsageError that names the file.
Photograph photograph(const std::filesystem::path& path, const WeightedNetwork& network,
                      int64_t wider = 0);

/// A file's bytes as an image of so many channels. Throws UsageError that names the file.
Image decoded(const std::filesystem::path& path, int64_t channels);

/// All bytes of a file. Throws UsageError.
std::string bytes_of_image(const std::filesystem::path& path);

Pixels pixels_of(const Image& image);

}  // namespace convscope

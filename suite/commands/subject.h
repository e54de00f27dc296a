// The network that is looked into, with weights or untrained, and the photographs that it is shown:
// what the commands that draw a network's insides ask alike.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "suite/commands/inference_options.h"
#include "suite/data/image.h"
#include "suite/data/transforms.h"
#include "suite/inference/loaded_network.h"
#include "suite/pictures/pixels.h"

namespace convscope {

/// Adds the options of weights, --untrained, --seed and --threads.
void add_subject_options(po::options_description& options);

struct Subject {
  WeightedNetwork weighted;
  LoadedNetwork network;
  std::string weights;  ///< "untrained", or the name of the file
};

/// Without `head_needed` the file may lack the head. Throws UsageError or std::invalid_argument.
Subject subject(const Invocation& invocation, bool head_needed);

/// What a manifest records of it: the SHA-256 of the weights' file.
std::vector<std::pair<std::string, std::string>> facts_of(const Subject& subject);

/// The same network as its paper initialises it, by --seed.
Subject untrained_subject(const Invocation& invocation, const WeightedNetwork& weighted);

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

/// `right` and `down`: how many pixels the network's window is moved from the middle; what it then
/// sees beyond the image is black. With `wider`, so many pixels to the right of the window are part
/// of it. Throws UsageError that names the file.
Photograph photograph(const std::filesystem::path& path, const WeightedNetwork& network,
                      int64_t right = 0, int64_t down = 0, int64_t wider = 0);

/// A file's bytes as an image of so many channels. Throws UsageError that names the file.
Image decoded(const std::filesystem::path& path, int64_t channels);

/// All bytes of a file. Throws UsageError.
std::string bytes_of_image(const std::filesystem::path& path);

Pixels pixels_of(const Image& image);

}  // namespace convscope

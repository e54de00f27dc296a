// The options of every command that runs a network with weights on images: which weights, how the
// images are prepared, which images.
#pragma once

#include <memory>

#include "suite/commands/command.h"
#include "suite/data/datasets.h"
#include "suite/data/loader.h"
#include "suite/inference/network_tensors.h"
#include "suite/report/table.h"
#include "suite/weights/published.h"

namespace convscope {

/// Adds --model, --weights, --classes, --width, --input, --class-names and what changes the
/// preprocessing.
void add_weights_options(po::options_description& options);

/// Adds --threads, --workers and --batch.
void add_speed_options(po::options_description& options,
                       const std::string& usual_batch = "4 of 224x224, 64 of 32x32");

/// Adds --data, --split, --held-out, --seed and --skip-broken.
void add_data_options(po::options_description& options);

/// A network, the file with its weights, and what its images must become.
struct WeightedNetwork {
  Architecture architecture;
  WeightsFile file;
  Fit fit;
  Preprocessing preprocessing;
  const PublishedWeights* published;  ///< whose weights these are; null if nobody's that is known
  ClassList classes;                  ///< names of the network's classes; empty: not known
};

/// What a command asks of its network.
enum class Needed {
  layers,   ///< any network, whose file may lack the head
  body,     ///< one answer for each image, of a head that is replaced or not looked at
  slopes,   ///< the same, and that it learns by gradients
  answers,  ///< one answer for each image
};

/// Reads the file that --weights names, or the published one in the cache, and matches it with the
/// network. Says on `err` what was read and warns of what does not belong to these weights.
/// Throws UsageError or std::invalid_argument.
WeightedNetwork weighted_network(const Invocation& invocation, Needed needed);

/// The same without weights: what it is at this size, and the usual images.
WeightedNetwork untrained_network(const Invocation& invocation, Needed needed);

/// The name of a class of the network, "class 17" where it is not known.
std::string class_name(const WeightedNetwork& network, int64_t index);

struct Speed {
  int threads;
  int64_t workers, batch;
};
Speed speed(const Invocation& invocation, const WeightedNetwork& network);

/// --threads, or else `usual`, with a note where other processes are in the way of several. Throws
/// UsageError.
int threads_of(const Invocation& invocation, int64_t usual);

/// The images that --data names, as this network wants them. With
/// `same_classes`, data with another number of classes than the network is an error.
std::unique_ptr<Dataset> open_data(const Invocation& invocation, const WeightedNetwork& network,
                                   bool same_classes = true);
/// The same of this split, whatever --split says.
std::unique_ptr<Dataset> open_split(const Invocation& invocation, const WeightedNetwork& network,
                                    const std::string& split, bool same_classes);
/// What tells these images from others; see fingerprint().
std::string fingerprint_of_split(const Invocation& invocation, const WeightedNetwork& network,
                                 const std::string& split);
/// The splits that the data have, of "train", "val", "test".
std::vector<std::string> splits_of_data(const Invocation& invocation,
                                        const WeightedNetwork& network);

/// A share in percent, as records have it; empty for the share of nothing.
Cell percent(double share);

LoaderOptions loader_options(const Invocation& invocation, const WeightedNetwork& network,
                             const Speed& chosen);

/// Warns of what the images showed while they were read, names those that were left out, and
/// returns how many these are.
int64_t report_images(const Invocation& invocation, const WeightedNetwork& network,
                      const Dataset& dataset, const Loader& loader);

}  // namespace convscope

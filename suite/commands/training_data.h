// The images that a network is trained and judged on, from --data and what limits it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suite/commands/training_run.h"

namespace convscope {

/// Adds --per-class.
void add_training_data_options(po::options_description& options);

/// Which of the images that --data names.
struct WantedImages {
  std::vector<int64_t> classes;      ///< labels, in the order of their new ones; empty: all
  std::optional<int64_t> per_class;  ///< training images of each; chosen by `seed`
  uint64_t seed = 0;
};

/// Small images are kept decoded. Throws UsageError where there is nothing to train on.
TrainingData training_data(const Invocation& invocation, const WeightedNetwork& network,
                           const WantedImages& wanted);

/// The classes that an option names, by name or number ("0-4", "cat"), as labels; all where it
/// names none. Throws UsageError.
std::vector<int64_t> classes_named(const Invocation& invocation, const std::string& option,
                                   const std::vector<std::string>& classes);

/// --batch, or what is usual to train with.
Speed training_speed(const Invocation& invocation, const WeightedNetwork& network);

}  // namespace convscope

// The images that a network is trained and judged on, from --data and what limits it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suite/commands/training_run.h"

namespace convscope {

/// Adds --only-classes and --per-class.
void add_training_data_options(po::options_description& options);

/// All images that --data names; small ones are kept decoded. Throws UsageError where there is
/// nothing to train on.
TrainingData training_data(const Invocation& invocation, const WeightedNetwork& network);

/// Those of these classes, whose places become the labels, with at most `per_class` training images
/// of each, chosen by `seed`.
TrainingData part_of(const TrainingData& whole, const std::vector<int64_t>& classes,
                     std::optional<int64_t> per_class, uint64_t seed);

/// The classes that an option names, by name or number ("0-4", "cat"), as labels; all where it
/// names none. Throws UsageError.
std::vector<int64_t> classes_named(const Invocation& invocation, const std::string& option,
                                   const std::vector<std::string>& classes);

/// Of --per-class.
std::optional<int64_t> per_class(const Invocation& invocation);

/// --threads, --workers and --batch, or what is usual to train with.
Speed training_speed(const Invocation& invocation, const WeightedNetwork& network);

}  // namespace convscope

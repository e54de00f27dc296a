// The options that make a recipe: one vocabulary for everything that trains.
#pragma once

#include <string>

#include "suite/commands/command.h"
#include "suite/data/augmentation.h"
#include "suite/training/recipe.h"

namespace convscope {

/// Adds --epochs, --lr, --optimizer, --schedule and what else a recipe has, but not its protocol.
void add_recipe_options(po::options_description& options);

/// Adds --results, --resume, --save-every, --feature-cache and --dry-run.
void add_record_options(po::options_description& options, const std::string& feature_cache);

/// Of --save-every.
double seconds_between_checkpoints(const Invocation& invocation);
/// Of --feature-cache; 0: none.
int64_t feature_cache_bytes(const Invocation& invocation);

/// Of --name, or this one. Throws UsageError for what cannot begin a file's name.
std::string name_of_runs(const Invocation& invocation, const std::string& usual);

/// What the options say, over what is usual for the protocol. `threads` is how many compute. Throws
/// UsageError.
Recipe recipe_of(const Invocation& invocation, Protocol protocol, int threads);

/// What --augment says, or what is usual for images of this size.
Augmentation augmentation_of(const Invocation& invocation, const Preprocessing& preprocessing);

/// "resized crops, mirrored", for people.
std::string to_string(const Augmentation& augmentation);

}  // namespace convscope

// Parts and copies of datasets, as datasets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "suite/data/dataset.h"

namespace convscope {

/// The images of some classes, whose labels become their places in `classes`; of each class at most
/// `per_class`, chosen by `seed`. Throws std::invalid_argument for a class that is not there or
/// twice.
std::unique_ptr<Dataset> subset(std::shared_ptr<const Dataset> dataset,
                                const std::vector<int64_t>& classes,
                                std::optional<int64_t> per_class = std::nullopt, uint64_t seed = 0);

/// The same images, those of up to 64x64 pixels decoded once, when they are first asked for, and
/// kept in memory: each epoch would open a file for each.
std::unique_ptr<Dataset> kept_decoded(std::shared_ptr<const Dataset> dataset);

}  // namespace convscope

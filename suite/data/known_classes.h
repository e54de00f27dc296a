// The classes of the datasets that published weights were trained on.
#pragma once

#include "suite/data/datasets.h"

namespace convscope {

/// ImageNet's 1000, by WordNet's identifiers.
const ClassList& imagenet_classes();

const std::vector<std::string>& cifar10_classes();

/// What a network of this many classes, for images of this side, most likely tells apart: ImageNet,
/// CIFAR-10, or digits. Empty if there is no such custom.
ClassList known_classes(int64_t classes, int64_t channels, int64_t side);

}  // namespace convscope

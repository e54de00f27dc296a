// The idx files of MNIST and of those that came after it (Fashion-MNIST, EMNIST, KMNIST), plain or
// gzip. http://yann.lecun.com/exdb/mnist describes the format.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "suite/data/bytes.h"
#include "suite/data/dataset.h"

namespace convscope {

/// A file of images and the file of their labels. Without `classes` they are called by their
/// numbers, and there are as many as the labels need, ten at least. Throws std::invalid_argument:
/// the file, what was expected and what was found.
std::unique_ptr<Dataset> idx_dataset(const NamedBytes& images, const NamedBytes& labels,
                                     std::vector<std::string> classes, int64_t channels);

}  // namespace convscope

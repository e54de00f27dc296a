// The binary files of CIFAR-10 and CIFAR-100: records of labels and 32x32 pixels, as
// https://www.cs.toronto.edu/~kriz/cifar.html describes them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "suite/data/bytes.h"
#include "suite/data/dataset.h"

namespace convscope {

/// CIFAR-100's records have a coarse label before the fine one, which is the one that counts.
enum class Cifar { ten, hundred };

/// Bytes of a record: 3073 or 3074.
size_t record_size(Cifar kind);

/// The records of several files, one file after the other. Without `classes` they are called as
/// CIFAR-10 calls them, or by their numbers in CIFAR-100. Throws std::invalid_argument: the file,
/// and the record if there is one to blame.
std::unique_ptr<Dataset> cifar_dataset(std::vector<NamedBytes> files, Cifar kind,
                                       std::vector<std::string> classes, int64_t channels);

}  // namespace convscope

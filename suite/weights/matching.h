// Which tensor of a file is which of a network: by name, and where the names are others, by order
// and shape.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suite/weights/weights_file.h"

namespace convscope {

/// A tensor that a network has.
struct NetworkTensor {
  std::string name;
  std::vector<int64_t> shape;
  bool counter;    ///< num_batches_tracked: only training looks at it, and old files lack it
  int class_axis;  ///< the dimension that is as long as there are classes; -1: none
};

struct Match {
  /// Places in the network's list and in the file's.
  struct Pair {
    size_t network, stored;
  };
  std::string prefix;              ///< of the file's names, left out: "module."
  bool by_order = false;           ///< hardly a name is common, yet order and shapes are the same
  std::vector<Pair> pairs;         ///< same name (but for a dot of old PyTorch's) and shape
  std::vector<Pair> misshapen;     ///< same name, other shape
  std::vector<size_t> missing;     ///< what the file lacks, counters aside
  std::vector<size_t> unexpected;  ///< what the network has no place for
  std::vector<Pair> likely;        ///< of the missing and the unexpected: perhaps the same, renamed

  /// Everything that the network computes with is there.
  bool complete() const { return missing.empty() && misshapen.empty(); }
};

/// `network` in the order of a state dict: each module's parameters and then its buffers.
Match match(const std::vector<NetworkTensor>& network, const std::vector<StoredTensor>& stored);

/// How many classes the file's head tells apart, if it and the network differ in nothing else.
std::optional<int64_t> classes_in_file(const std::vector<NetworkTensor>& network,
                                       const std::vector<StoredTensor>& stored, const Match& match);

}  // namespace convscope

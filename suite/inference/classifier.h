// A network that is ready to be given images: loaded, and in the fastest form that computes the
// same. The border between tensors and plain arrays, so that commands need no torch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "suite/inference/network_tensors.h"

namespace convscope {

/// What a layer computed for a batch.
struct Activations {
  std::vector<int64_t> shape;  ///< the batch first
  std::vector<float> values;
};

class Classifier {
 public:
  /// Loads the weights. `threads` is how many the operators may use. Throws std::invalid_argument
  /// that names what the file lacks, unless only `features` will be asked of a network whose head
  /// is missing: then pass `head_needed` false.
  Classifier(const Architecture& architecture, const Fit& fit, const WeightsFile& file, int threads,
             bool head_needed = true);
  ~Classifier();

  int64_t classes() const;

  /// The logits of these images (count x channels x height x width) as `logits` gives them, and
  /// freezes the network for batches of `count`: batch normalisation folded, weights laid out for
  /// the machine. The frozen form is kept only if it gives these logits to within 1e-4.
  std::vector<float> freeze(const std::vector<float>& images, int64_t count);
  bool frozen() const;

  /// count x classes.
  std::vector<float> logits(const std::vector<float>& images, int64_t count);

  /// The layers that `activations` knows, in execution order.
  const std::vector<std::string>& layers() const;

  /// What comes out of a layer: of its last operation, where it has several ("layer1.0"), and
  /// before an in-place operation of another layer overwrites it. Throws std::invalid_argument that
  /// suggests the nearest name.
  Activations activations(const std::vector<float>& images, int64_t count,
                          const std::string& layer);

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace convscope

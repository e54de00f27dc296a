// A network that is ready to be given images: loaded, and in the fastest form that computes the
// same. The border between tensors and plain arrays, so that commands need no torch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "suite/inference/activations.h"

namespace convscope {

class Classifier {
 public:
  /// Loads the weights; what the file lacks is as the paper initialises it. `threads` is how many
  /// the operators may use.
  Classifier(const Architecture& architecture, const Fit& fit, const WeightsFile& file,
             int threads);
  ~Classifier();

  int64_t classes() const;

  /// count x classes, of count x channels x height x width values.
  std::vector<float> logits(const std::vector<float>& images, int64_t count);

  /// From now on, batches of `count` images run in a frozen form: batch normalisation folded,
  /// weights laid out for the machine. It is made at the first of them, and kept only if it gives
  /// the network's logits to within 1e-4. Worth its time from some dozens of images on.
  void freeze_batches_of(int64_t count);
  /// Whether any batch ran so; if not, why, where it was tried.
  bool frozen() const;
  const std::string& not_frozen() const;

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

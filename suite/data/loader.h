// Batches of a dataset, read and transformed ahead by several threads: the same values in the same
// order for any number of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "architectures/preprocessing.h"
#include "suite/data/augmentation.h"
#include "suite/data/dataset.h"

namespace convscope {

struct LoaderOptions {
  int64_t batch = 32;
  Preprocessing preprocessing;
  std::optional<Augmentation> augmentation;  ///< none: the middle of each image, as for evaluation
  bool shuffle = false;                      ///< by `seed` and `epoch`
  uint64_t seed = 0;
  uint64_t epoch = 0;
  int64_t workers = 0;  ///< threads; 0: next() does it all
  bool drop_last = false;
  int64_t first_batch = 0;   ///< begin the pass here: those before it were had already
  bool skip_broken = false;  ///< leave broken images out, instead of throwing BrokenImage
};

/// Equal sizes: `size` images of channels x height x width values, one after the other.
struct Batch {
  int64_t size = 0, channels = 0, height = 0, width = 0;
  std::vector<float> values;
  std::vector<int64_t> labels;
  std::vector<size_t> indices;  ///< in the dataset
};

/// What a network's user should know of the images so far, each counted once.
struct Seen {
  int64_t grey = 0;      ///< stored without colours
  int64_t enlarged = 0;  ///< smaller than what they were resized to
};

/// One pass over a dataset, which must outlive it. What chance does to an image depends on the
/// seed, the epoch and the image's index alone.
class Loader {
 public:
  /// Throws std::invalid_argument if an option has no sense.
  Loader(const Dataset& dataset, const LoaderOptions& options);
  ~Loader();  ///< at any time: the threads finish the image they are at
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next batch; false after the last. Takes the memory of `batch` in exchange, so that none is
  /// allocated after the first few. A batch with broken images that are left out is smaller by
  /// these; one of nothing else is left out. Throws BrokenImage, std::invalid_argument if the
  /// images of a batch differ in size or do not suit the preprocessing, and whatever a thread threw
  /// for the first image in order; and the same again when it is called again.
  bool next(Batch& batch);

  /// How often next() gives a batch, where no image is broken.
  int64_t batches() const;
  /// The broken images before the end of the last batch given, in order.
  const std::vector<Skipped>& skipped() const;
  /// Of the images before the end of the last batch given.
  const Seen& seen() const;
  /// How long next() has waited for data, in sum; without threads, all the time spent in it.
  double waited_seconds() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convscope

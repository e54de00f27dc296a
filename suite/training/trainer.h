// Trains a network by a recipe, an epoch at a time. The border between tensors and plain data, so
// that commands need no torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "suite/data/loader.h"
#include "suite/inference/evaluation.h"
#include "suite/inference/network_tensors.h"
#include "suite/training/feature_cache.h"
#include "suite/training/rate_range.h"
#include "suite/training/recipe.h"

namespace convscope {

/// What a run learns from and is judged on. The datasets must outlive the trainer.
struct TrainingImages {
  const Dataset* train = nullptr;
  const Dataset* validation = nullptr;  ///< null: nothing is judged between epochs
  Preprocessing preprocessing;
  Augmentation augmentation;  ///< of the training images
  int64_t workers = 0;
  bool skip_broken = false;
  /// Where features of frozen stages are looked for and left; null: they are computed anew.
  FeatureCache* cache = nullptr;
  std::string fingerprint;  ///< for the cache: other images have another one
};

/// The network that a run begins with: the weights of a file, or the paper's initialisation.
struct TrainingStart {
  Architecture architecture;
  Settings settings;
  std::shared_ptr<const WeightsFile> weights;  ///< null: none
  Match match;                                 ///< of the weights; what it lacks is initialised
};

/// A stage and how it is trained.
struct StageTraining {
  std::string name;
  int64_t params = 0;
  bool trained = false;
  double rate = 0;  ///< at the schedule's full
};

struct EpochResult {
  int64_t epoch = 0;  ///< from 1
  double train_loss = 0, train_top1 = 0;
  Evaluation validation;  ///< of no images where there are none
  double rate = 0;        ///< of the head, at the end of the epoch
  int64_t images = 0;     ///< trained on
  double seconds = 0;     ///< of training and of features that were computed for it
  double waited_seconds = 0;
};

/// The epoch whose validation images were right most often, and among equals had the least loss.
struct BestEpoch {
  int64_t epoch = 0;  ///< 0: none was judged
  double top1 = 0, loss = 0;
};

/// What the network said of one image.
struct JudgedImage {
  size_t place;  ///< in the dataset
  int64_t label, guess;
  double probability;  ///< that the network gave its guess
};

/// The loss is not a number any more. The message names epoch, step, rate and images.
struct TrainingDiverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct TrainingEvents {
  /// After every step of the optimizer: images of this epoch so far, the mean loss and the share
  /// that was right. The trainer may be saved here.
  std::function<void(int64_t images, double loss, double top1)> step = [](auto...) {};
  /// While the features of frozen stages are computed: how many images of how many.
  std::function<void(int64_t images, int64_t of)> features = [](auto...) {};
};

/// Everything that a run's result depends on: a checkpoint with another one is of another run.
std::string run_identity(const TrainingStart& start, const Recipe& recipe,
                         const TrainingImages& images);

class Trainer {
 public:
  /// Throws std::invalid_argument for what cannot be trained: one class, fewer images than a batch
  /// needs, a stage that is not there.
  Trainer(const TrainingStart& start, const Recipe& recipe, const TrainingImages& images);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// How each stage is trained in the epoch that comes next.
  std::vector<StageTraining> stages() const;
  /// Epochs that are finished.
  int64_t epochs() const;
  /// Images of the epoch that has begun; 0 between epochs.
  int64_t images_of_epoch() const;
  /// All epochs are done, or as many as the recipe is patient for brought nothing better.
  bool finished() const;
  BestEpoch best() const;

  /// The next epoch, or the rest of one that was restored. Throws TrainingDiverged, BrokenImage and
  /// whatever `events` throw; after what events.step threw, the trainer may be saved.
  EpochResult run_epoch(const TrainingEvents& events);

  /// After the last epoch: takes the weights of the best, if the recipe keeps them.
  void keep_the_best();

  /// Learns at growing rates, until all steps are done or the loss explodes: for a trainer that is
  /// not used for anything else.
  std::vector<RatePoint> range_test(const RangeTest& how, const TrainingEvents& events);

  /// How often the network is right; `judged`, where given, gets each image in the order of the
  /// dataset.
  Evaluation evaluate(const Dataset& dataset, std::vector<JudgedImage>* judged = nullptr);

  /// Everything that the next step depends on, as safetensors: a run that restores it ends with
  /// the same bits as one that was never interrupted. Throws std::invalid_argument.
  void save(const std::filesystem::path& path) const;
  /// Throws std::invalid_argument for a file that is damaged or of another run.
  void restore(const std::filesystem::path& path);

  /// The network's state dict under torchvision's names: safetensors or, for a name that ends in
  /// .pth, the zip form that torch.load reads.
  void write_weights(const std::filesystem::path& path) const;

  /// The names of frozen tensors that are not what they were at the start: a fault of the trainer.
  std::vector<std::string> moved_frozen_tensors() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convscope

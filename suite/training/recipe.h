// How a network is trained, as plain data: everything that a run of `train` needs beside the
// network and the images.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/training/schedule.h"

namespace convscope {

/// What is trained, and from what.
enum class Protocol {
  scratch,              ///< everything, from the paper's initialisation
  probe,                ///< a new head on frozen features
  finetune,             ///< everything, lower stages more slowly
  partial,              ///< the top stages
  gradual,              ///< one more stage in each epoch, from the head down
  probe_then_finetune,  ///< the head alone for some epochs, then everything
};
/// "scratch", ..., "probe-then-finetune".
const std::vector<std::string>& protocol_names();
std::string to_string(Protocol protocol);
/// Throws std::invalid_argument.
Protocol parse_protocol(const std::string& name);

/// What batch normalisation does in frozen stages.
enum class FrozenNorms {
  frozen,  ///< nothing: the statistics that it has, the factors that it has
  affine,  ///< its factors and offsets are trained
  train,   ///< that, and it normalises by each batch and its statistics move
};
const std::vector<std::string>& frozen_norm_names();
std::string to_string(FrozenNorms norms);
FrozenNorms parse_frozen_norms(const std::string& name);

/// Which weights a run ends with.
enum class Kept {
  last,  ///< of the last epoch
  best,  ///< of the epoch that the validation images liked best
};
const std::vector<std::string>& kept_names();
Kept parse_kept(const std::string& name);

enum class Precision {
  float32,
  bfloat16,  ///< convolutions and products; weights, sums and losses stay float32
};
const std::vector<std::string>& precision_names();
Precision parse_precision(const std::string& name);

enum class OptimizerKind { sgd, adamw, rmsprop };
const std::vector<std::string>& optimizer_names();
OptimizerKind parse_optimizer(const std::string& name);

struct Recipe {
  Protocol protocol = Protocol::scratch;
  int64_t top_stages = 1;    ///< of partial: how many are trained, the head included
  int64_t probe_epochs = 1;  ///< of probe_then_finetune
  FrozenNorms norms = FrozenNorms::frozen;
  /// Batch normalisation of trained stages, too, keeps the statistics that the weights came with.
  bool fixed_statistics = false;

  int64_t batch = 32;
  OptimizerKind optimizer = OptimizerKind::sgd;
  double rate = 0.01;  ///< of the head, at the schedule's full
  /// Of the lowest stage as a share of the head's; those between are spaced geometrically.
  double lowest_rate = 1;
  /// Of each stage as a share of the one above it, instead; 0: by lowest_rate.
  double stage_decay = 0;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
  bool decay_all = true;  ///< also normalisation and biases
  Schedule schedule;      ///< `epochs` is how long the run is
  double label_smoothing = 0;
  /// Beta(x, x) gives the share of the second image (Zhang et al. 2018; Yun et al. 2019); 0: none.
  /// With both, each batch takes one of them by chance.
  double mixup = 0, cutmix = 0;
  int64_t accumulate = 1;  ///< batches to a step
  double clip_norm = 0;    ///< of all gradients together; 0: as they are
  double average = 0;      ///< decay of the weights' moving average; 0: none
  Kept kept = Kept::last;
  int64_t patience = 0;  ///< epochs without a better one before the run stops; 0: all are run
  Precision precision = Precision::float32;
  uint64_t seed = 0;
  int threads = 1;
  int64_t copies = 1;  ///< of each image whose features are kept, each augmented anew

  int64_t epochs() const { return static_cast<int64_t>(schedule.epochs); }
  bool mixes() const { return mixup > 0 || cutmix > 0; }
};

/// The lowest of `stages` stages that is trained in this epoch, from 0.
size_t first_trained(const Recipe& recipe, size_t stages, int64_t epoch);

/// The rate of a stage at the schedule's full: recipe.rate for the head, geometrically less below.
/// Without stage_decay the lowest gets recipe.lowest_rate of it.
double stage_rate(const Recipe& recipe, size_t stages, size_t stage);

}  // namespace convscope

#include "suite/commands/training_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "architectures/nearest.h"
#include "suite/commands/network_options.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

/// A number of an option that may be left out.
double number(const Invocation& invocation, const std::string& option, double usual, double least,
              double most) {
  const std::string& text = invocation.text(option);
  if (text.empty()) return usual;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() ||
      !(value >= least && value <= most)) {
    std::ostringstream range;
    range << " is no number from " << least << " to " << most;
    throw UsageError("--" + option + " '" + text + "'" + range.str());
  }
  return value;
}

int64_t count(const Invocation& invocation, const std::string& option, int64_t usual) {
  return invocation.text(option).empty() ? usual : positive_integer(invocation, option);
}

std::string choice(const Invocation& invocation, const std::string& option,
                   const std::vector<std::string>& known, const std::string& usual) {
  const std::string& text = invocation.text(option);
  if (text.empty()) return usual;
  if (std::count(known.begin(), known.end(), text)) return text;
  throw UsageError("--" + option + " '" + text + "' is none of: " + joined(known) +
                   did_you_mean(text, known));
}

const std::vector<std::string> augmentations = {"none", "mirror", "crop", "resized"};

}  // namespace

void add_recipe_options(po::options_description& options) {
  options.add_options()  //
      ("epochs,e", text_value(), "passes over the training images (default: by the protocol)")(
          "lr", text_value(), "learning rate of the head (default: by the protocol)")(
          "lowest-lr", text_value(),
          "that of the lowest stage as a share of the head's; those between are spaced "
          "geometrically (default: 1; 0.01 to fine-tune)")(
          "optimizer", text_value(), "sgd, adamw or rmsprop (default: sgd; adamw to probe)")(
          "stage-decay", text_value(),
          "each stage's learning rate as a share of the one above it: 0.65, instead of "
          "--lowest-lr")("momentum", text_value(), "or AdamW's first beta (default: 0.9)")(
          "nesterov", po::bool_switch(), "Nesterov's momentum, with sgd")(
          "weight-decay", text_value(), "(default: 1e-4; 0 to probe)")(
          "decay-weights-only", po::bool_switch(), "no decay of normalisation and biases")(
          "schedule", text_value(),
          "of the learning rate: constant, step, cosine or one-cycle (default: cosine)")(
          "warm-up", text_value(), "epochs of linear rise (default: 0)")(
          "step-epochs", text_value(), "of the schedule step (default: 7)")(
          "step-factor", text_value(), "of the schedule step (default: 0.1)")(
          "label-smoothing", text_value(), "(default: 0)")("accumulate", text_value(),
                                                           "batches to a step (default: 1)")(
          "mixup", text_value(), "each image mixed with another by a share of Beta(x, x): 0.2")(
          "cutmix", text_value(), "a part of each image from another by Beta(x, x): 1")(
          "clip", text_value(), "largest norm of all gradients together (default: none)")(
          "average", text_value(),
          "decay of a moving average of the weights, which is what is judged and kept: 0.999")(
          "keep", text_value(),
          "which weights: of the last epoch, or the best by the validation images (default: last, "
          "or best with --patience)")("patience", text_value(),
                                      "epochs without a better one before the run stops")(
          "precision", text_value(),
          "float32, or bfloat16 in convolutions and products (default: float32)")(
          "bn", text_value(),
          "batch normalisation in frozen stages: frozen, affine or train (default: frozen)")(
          "fixed-statistics", po::bool_switch(),
          "batch normalisation keeps the statistics of the weights in trained stages, too")(
          "augment", text_value(),
          "of the training images: none, mirror, crop (padded by an eighth, and mirrored) or "
          "resized (random parts, and mirrored) (default: by the images' size)")(
          "copies", text_value(),
          "of frozen stages' features of each image, each augmented anew (default: 4)");
}

void add_record_options(po::options_description& options, const std::string& feature_cache) {
  options.add_options()  //
      ("results", text_value(),
       "DIR: also write epochs.csv, runs.csv, predictions.csv, confusion.csv, checkpoints, the "
       "weights and manifest.json there")("resume", po::bool_switch(),
                                          "go on from the checkpoints in --results")(
          "save-every", text_value("60"), "seconds between checkpoints within an epoch")(
          "feature-cache", text_value(feature_cache),
          "the most that features of frozen stages may take on disk; none: they are not kept")(
          "dry-run", po::bool_switch(), "list the runs");
}

double seconds_between_checkpoints(const Invocation& invocation) {
  return number(invocation, "save-every", 60, 0, 1e9);
}

int64_t feature_cache_bytes(const Invocation& invocation) {
  const std::string& text = invocation.text("feature-cache");
  if (text == "none") return 0;
  if (const auto bytes = parse_bytes(text)) return *bytes;
  throw UsageError("--feature-cache '" + text + "' is no size: write 512MiB, 2GiB or none");
}

std::string name_of_runs(const Invocation& invocation, const std::string& usual) {
  const std::string& name = invocation.text("name");
  if (name.find('/') != std::string::npos) throw UsageError("--name '" + name + "' names a folder");
  return name.empty() ? usual : name;
}

Recipe recipe_of(const Invocation& invocation, Protocol protocol, int threads) {
  Recipe recipe;
  recipe.protocol = protocol;
  recipe.threads = threads;
  const bool probes = protocol == Protocol::probe, scratch = protocol == Protocol::scratch;
  recipe.schedule.epochs = static_cast<double>(count(invocation, "epochs", probes ? 25 : 10));
  recipe.schedule.kind = parse_schedule(choice(invocation, "schedule", schedule_names(), "cosine"));
  recipe.schedule.warm_up = number(invocation, "warm-up", 0, 0, recipe.schedule.epochs);
  recipe.schedule.step_epochs = static_cast<double>(count(invocation, "step-epochs", 7));
  recipe.schedule.step_factor = number(invocation, "step-factor", 0.1, 0, 1);
  // A head alone: SGD at a rate that suits most features lets SqueezeNet's, which ends in a ReLU,
  // die.
  recipe.optimizer =
      parse_optimizer(choice(invocation, "optimizer", optimizer_names(), probes ? "adamw" : "sgd"));
  const bool sgd = recipe.optimizer == OptimizerKind::sgd;
  recipe.rate = number(invocation, "lr", !sgd ? 1e-3 : scratch ? 0.05 : 0.003, 0, 100);
  const bool everything = !probes && !scratch;
  recipe.lowest_rate = number(invocation, "lowest-lr", everything ? 0.01 : 1, 0, 1);
  recipe.stage_decay = number(invocation, "stage-decay", 0, 0, 1);
  if (recipe.stage_decay > 0 && !invocation.text("lowest-lr").empty()) {
    throw UsageError("--stage-decay and --lowest-lr say the same in two ways: give one");
  }
  recipe.momentum = number(invocation, "momentum", 0.9, 0, 0.9999);
  recipe.nesterov = invocation.flag("nesterov");
  if (recipe.nesterov && (!sgd || recipe.momentum == 0)) {
    throw UsageError("--nesterov is of sgd with momentum");
  }
  recipe.weight_decay = number(invocation, "weight-decay", probes ? 0 : 1e-4, 0, 10);
  recipe.decay_all = !invocation.flag("decay-weights-only");
  recipe.label_smoothing = number(invocation, "label-smoothing", 0, 0, 0.99);
  recipe.mixup = number(invocation, "mixup", 0, 0, 100);
  recipe.cutmix = number(invocation, "cutmix", 0, 0, 100);
  recipe.patience = count(invocation, "patience", 0);
  recipe.kept =
      parse_kept(choice(invocation, "keep", kept_names(), recipe.patience > 0 ? "best" : "last"));
  recipe.precision = parse_precision(choice(invocation, "precision", precision_names(), "float32"));
  recipe.accumulate = count(invocation, "accumulate", 1);
  recipe.clip_norm = number(invocation, "clip", 0, 0, 1e9);
  recipe.average = number(invocation, "average", 0, 0, 0.999999);
  recipe.norms = parse_frozen_norms(choice(invocation, "bn", frozen_norm_names(), "frozen"));
  recipe.fixed_statistics = invocation.flag("fixed-statistics");
  recipe.copies = count(invocation, "copies", 4);
  return recipe;
}

Augmentation augmentation_of(const Invocation& invocation, const Preprocessing& preprocessing) {
  const bool large = preprocessing.crop > 64, grey = preprocessing.mean.size() == 1;
  const std::string kind = choice(invocation, "augment", augmentations,
                                  large  ? "resized"
                                  : grey ? "none"
                                         : "crop");
  Augmentation augmentation;
  if (kind == "none") return augmentation;
  augmentation.mirrored = 0.5;
  if (kind == "crop") {
    augmentation.cropping = Cropping::random;
    augmentation.padding = std::max<int64_t>(1, preprocessing.crop / 8);
  }
  if (kind == "resized") augmentation.cropping = Cropping::resized;
  return augmentation;
}

std::string to_string(const Augmentation& augmentation) {
  std::string text = augmentation.cropping == Cropping::resized ? "random parts"
                     : augmentation.cropping == Cropping::random
                         ? "random crops, padded by " + std::to_string(augmentation.padding)
                         : "as they are";
  if (augmentation.mirrored > 0) text += ", half of them mirrored";
  return text;
}

}  // namespace convscope

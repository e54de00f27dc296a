#include "suite/training/trainer.h"

#include <ATen/autocast_mode.h>
#include <torch/nn.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <sstream>

#include "architectures/network.h"
#include "suite/analysis/stages.h"
#include "suite/data/random.h"
#include "suite/inference/load.h"
#include "suite/inference/state_dict.h"
#include "suite/inference/threads.h"
#include "suite/training/frozen_features.h"
#include "suite/training/mixing.h"
#include "suite/training/optimizer.h"
#include "suite/weights/preprocessing_record.h"

namespace convscope {
namespace {

namespace F = torch::nn::functional;
using Clock = std::chrono::steady_clock;

/// Larger features than this are computed anew in each epoch.
constexpr int64_t most_kept_bytes = int64_t{1} << 30;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// FNV-1a over a tensor's bytes: whether it is what it was.
uint64_t hash_of(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.contiguous();
  const auto* bytes = static_cast<const unsigned char*>(dense.data_ptr());
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < dense.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

/// Tensors that are about to be written, and the memory of those that had to be rearranged for it.
class TensorsToWrite {
 public:
  void add(const std::string& name, const torch::Tensor& tensor) {
    static const std::map<c10::ScalarType, ScalarType> types = {
        {torch::kFloat, ScalarType::float32},
        {torch::kLong, ScalarType::int64},
        {torch::kByte, ScalarType::uint8}};
    dense_.push_back(tensor.detach().contiguous());
    const std::vector<int64_t> shape = tensor.sizes().vec();
    stored_.push_back({name, types.at(tensor.scalar_type()), shape, contiguous_strides(shape),
                       static_cast<const std::byte*>(dense_.back().data_ptr())});
  }
  const std::vector<StoredTensor>& stored() const { return stored_; }

 private:
  std::vector<torch::Tensor> dense_;
  std::vector<StoredTensor> stored_;
};

torch::Tensor tensor_of(const StoredTensor& stored, c10::ScalarType type) {
  torch::Tensor tensor = torch::empty(stored.shape, type);
  copy_values(stored, tensor.data_ptr());
  return tensor;
}

/// While one lives, convolutions and products compute in bfloat16.
class Autocast {
 public:
  explicit Autocast(bool wanted) : wanted_(wanted) {
    if (!wanted_) return;
    switch_to(true);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (!wanted_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    switch_to(false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  static void switch_to(bool on) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_enabled(at::kCPU, on);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
#else
    at::autocast::set_cpu_enabled(on);
    at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
#endif
  }
  bool wanted_;
};

std::string text_of(const TrainingStart& start) {
  const Settings& settings = start.settings;
  std::ostringstream text;
  text << start.architecture.name << ' ' << settings.image.channels << 'x' << settings.image.height
       << 'x' << settings.image.width << ' ' << settings.width << ' ' << settings.auxiliary << ' '
       << settings.classes;
  return text.str();
}

std::string text_of(const Augmentation& a) {
  std::ostringstream text;
  text.precision(17);
  text << static_cast<int>(a.cropping) << ' ' << a.padding << ' ' << a.area[0] << ' ' << a.area[1]
       << ' ' << a.ratio[0] << ' ' << a.ratio[1] << ' ' << a.mirrored << ' ' << a.brightness << ' '
       << a.contrast << ' ' << a.saturation << ' ' << a.hue;
  return text.str();
}

}  // namespace

std::string run_identity(const TrainingStart& start, const Recipe& recipe,
                         const TrainingImages& images) {
  std::ostringstream text;
  text.precision(17);
  text << text_of(start) << ' ' << to_string(recipe.protocol) << ' ' << recipe.top_stages << ' '
       << recipe.probe_epochs << ' ' << to_string(recipe.norms) << ' ' << recipe.fixed_statistics
       << ' ' << recipe.batch << ' ' << static_cast<int>(recipe.optimizer) << ' ' << recipe.rate
       << ' ' << recipe.lowest_rate << ' ' << recipe.stage_decay << ' ' << recipe.momentum << ' '
       << recipe.nesterov << ' ' << recipe.weight_decay << ' ' << recipe.decay_all << ' '
       << static_cast<int>(recipe.schedule.kind) << ' ' << recipe.schedule.epochs << ' '
       << recipe.schedule.warm_up << ' ' << recipe.schedule.step_epochs << ' '
       << recipe.schedule.step_factor << ' ' << recipe.label_smoothing << ' ' << recipe.mixup << ' '
       << recipe.cutmix << ' ' << recipe.accumulate << ' ' << recipe.clip_norm << ' '
       << recipe.average << ' ' << static_cast<int>(recipe.kept) << ' ' << recipe.patience << ' '
       << static_cast<int>(recipe.precision) << ' ' << recipe.seed << ' ' << recipe.threads << ' '
       << recipe.copies << ' ' << images.train->size() << ' '
       << preprocessing_record(images.preprocessing) << ' ' << text_of(images.augmentation) << ' '
       << images.skip_broken << ' ' << images.fingerprint;
  if (start.weights) text << ' ' << start.weights->path.filename().string();
  return text.str();
}

struct Trainer::State {
  /// Where a run is.
  struct Position {
    int64_t epoch = 0;    ///< that are finished
    int64_t batches = 0;  ///< of the epoch that has begun, as all below
    int64_t images = 0;
    double loss_sum = 0, right = 0;
    double seconds = 0, waited = 0;

    std::string text() const {
      std::ostringstream out;
      out << epoch << ' ' << batches << ' ' << images << std::hexfloat << ' ' << loss_sum << ' '
          << right << ' ' << seconds << ' ' << waited;
      return out.str();
    }
    static Position of(const std::string& text) {
      Position position;
      std::istringstream in(text);
      in >> position.epoch >> position.batches >> position.images;
      for (double* value :
           {&position.loss_sum, &position.right, &position.seconds, &position.waited}) {
        std::string word;  // streams do not read hexadecimal numbers
        in >> word;
        *value = std::strtod(word.c_str(), nullptr);
      }
      if (!in) throw std::invalid_argument("'" + text + "' is no position in a run");
      return position;
    }
  };

  /// What is kept of images that have passed the frozen stages.
  struct KeptFeatures {
    size_t stages = 0;                           ///< below; 0: nothing is kept
    std::vector<std::optional<Features>> train;  ///< a copy each
    std::optional<Features> validation;
  };

  TrainingStart start;
  Recipe recipe;
  TrainingImages images;
  std::shared_ptr<StagedNetwork> network;
  bool channels_last;
  std::vector<StateTensor> tensors;
  std::vector<NetworkStage> plan;
  /// Of each stage, and at the end of what only training uses.
  std::vector<std::vector<torch::Tensor>> parameters;
  std::vector<std::vector<torch::nn::Module*>> norms;
  std::unique_ptr<ScheduledOptimizer> optimizer;
  std::vector<torch::Tensor> averages;     ///< of all parameters, in the order of the network's
  std::map<std::string, uint64_t> hashes;  ///< of what must not move, at the start
  KeptFeatures kept;
  Position at;
  BestEpoch best;
  std::vector<torch::Tensor> best_tensors;  ///< of `tensors`, where the recipe keeps the best

  size_t stages() const { return plan.size(); }

  State(const TrainingStart& from, const Recipe& by, const TrainingImages& with)
      : start(from), recipe(by), images(with) {
    check();
    use_threads(recipe.threads);
    torch::manual_seed(Random(recipe.seed).next());
    std::shared_ptr<Network> built =
        start.weights
            ? load_network(start.architecture, start.settings, *start.weights, start.match)
            : start.architecture.build(start.settings);
    network = std::dynamic_pointer_cast<StagedNetwork>(built);
    if (!network) throw std::invalid_argument(start.architecture.name + " has no stages");
    // Up to twice as fast as planes one after the other, for all networks but those of grey images.
    channels_last = start.settings.image.channels > 1;
    for (torch::Tensor& parameter : network->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(in_layout(parameter.detach()));
    }
    Settings plain = start.settings;
    plain.auxiliary = false;
    plan = stages_of(start.architecture, plain);
    tensors = state_dict(*network);
    assign();
    std::vector<RateGroup> groups;
    for (size_t i = 0; i < parameters.size(); ++i) {
      groups.push_back({parameters[i], stage_rate(recipe, stages(), std::min(i, stages() - 1))});
    }
    optimizer = std::make_unique<ScheduledOptimizer>(recipe, groups);
    if (recipe.average > 0) {
      for (const torch::Tensor& parameter : network->parameters()) {
        averages.push_back(parameter.detach().clone());
      }
    }
    for (const StateTensor* tensor : never_trained())
      hashes[tensor->name] = hash_of(tensor->tensor);
  }

  void check() const {
    const size_t count = images.train->size(), classes = images.train->classes().size();
    if (classes < 2) throw std::invalid_argument("there is one class only: nothing to tell apart");
    if (count < 2) throw std::invalid_argument("there are too few images to train on");
    if (static_cast<int64_t>(classes) != start.settings.classes) {
      throw std::invalid_argument("the images have " + std::to_string(classes) +
                                  " classes, and the network has " +
                                  std::to_string(start.settings.classes));
    }
    if (!images.validation && (recipe.kept == Kept::best || recipe.patience > 0)) {
      throw std::invalid_argument("there are no validation images to choose an epoch by");
    }
  }

  torch::Tensor in_layout(const torch::Tensor& x) const {
    return channels_last && x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
  }

  /// Shares the parameters and the normalisations out among the stages.
  void assign() {
    std::map<std::string, size_t> stage_of;
    for (size_t i = 0; i < plan.size(); ++i) {
      for (const std::string& tensor : plan[i].tensors) stage_of[tensor] = i;
    }
    parameters.resize(plan.size() + 1);
    norms.resize(plan.size() + 1);
    for (const auto& parameter : network->named_parameters()) {
      const auto found = stage_of.find(parameter.key());
      parameters[found == stage_of.end() ? plan.size() : found->second].push_back(
          parameter.value());
    }
    for (const auto& module : network->named_modules()) {
      if (!module.value()->as<torch::nn::BatchNorm2d>()) continue;
      const auto found = stage_of.find(module.key() + ".weight");
      norms[found == stage_of.end() ? plan.size() : found->second].push_back(module.value().get());
    }
  }

  size_t first() const { return first_trained(recipe, stages(), at.epoch); }

  /// The tensors that no epoch trains.
  std::vector<const StateTensor*> never_trained() const {
    std::vector<const StateTensor*> all;
    if (recipe.norms != FrozenNorms::frozen) return all;
    const size_t lowest = first_trained(recipe, stages(), recipe.epochs() - 1);
    for (size_t i = 0; i < lowest; ++i) {
      for (const StateTensor& tensor : tensors) {
        const auto& names = plan[i].tensors;
        if (std::count(names.begin(), names.end(), tensor.name)) all.push_back(&tensor);
      }
    }
    return all;
  }

  void freeze_below(size_t first_stage) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      for (torch::Tensor& parameter : parameters[i]) parameter.set_requires_grad(i >= first_stage);
      if (i >= first_stage || recipe.norms == FrozenNorms::frozen) continue;
      for (torch::nn::Module* norm : norms[i]) {
        for (torch::Tensor& parameter : norm->parameters()) parameter.set_requires_grad(true);
      }
    }
  }

  /// Of what the first `begin` stages made. Frozen stages run as in evaluation, but for what the
  /// policy says of their normalisation.
  torch::Tensor forward(torch::Tensor x, size_t begin, size_t first_stage) {
    const std::vector<Stage> all = network->stages();
    network->auxiliary.clear();
    x = in_layout(x);
    if (begin < first_stage) {
      network->eval();
      if (recipe.norms == FrozenNorms::train) {
        for (size_t i = begin; i < first_stage; ++i) {
          for (torch::nn::Module* norm : norms[i]) norm->train();
        }
      }
      const torch::AutoGradMode gradients(recipe.norms != FrozenNorms::frozen);
      for (size_t i = begin; i < first_stage; ++i) x = all[i].forward(std::move(x));
    }
    const Autocast autocast(recipe.precision == Precision::bfloat16);
    network->train();
    for (const auto& of_stage : norms) {
      for (torch::nn::Module* norm : of_stage) norm->train(!recipe.fixed_statistics);
    }
    for (size_t i = std::max(begin, first_stage); i < all.size(); ++i) {
      x = all[i].forward(std::move(x));
    }
    return x.to(torch::kFloat);
  }

  torch::Tensor loss_of(const torch::Tensor& logits, const MixedBatch& batch) const {
    const auto options = F::CrossEntropyFuncOptions().label_smoothing(recipe.label_smoothing);
    const auto of = [&](const torch::Tensor& output) {
      const torch::Tensor loss = F::cross_entropy(output, batch.labels, options);
      if (!batch.others.defined()) return loss;
      return batch.share * loss +
             (1 - batch.share) * F::cross_entropy(output, batch.others, options);
    };
    torch::Tensor loss = of(logits);
    for (const AuxiliaryLogits& head : network->auxiliary) {
      loss = loss + head.loss_weight * of(head.logits.to(torch::kFloat));
    }
    return loss;
  }

  LoaderOptions loading(bool training, int64_t pass) const {
    LoaderOptions options;
    options.batch = recipe.batch;
    options.preprocessing = images.preprocessing;
    options.workers = images.workers;
    options.seed = recipe.seed;
    options.epoch = static_cast<uint64_t>(pass);
    options.skip_broken = images.skip_broken;
    if (training) options.augmentation = images.augmentation;
    return options;
  }

  bool keeps_features(size_t stages_below) const {
    if (stages_below == 0 || recipe.norms != FrozenNorms::frozen || recipe.mixes()) return false;
    const auto count = static_cast<int64_t>(images.train->size()) * recipe.copies +
                       (images.validation ? static_cast<int64_t>(images.validation->size()) : 0);
    return count * element_count(plan[stages_below - 1].output) <=
           most_kept_bytes / int64_t{sizeof(float)};
  }

  /// From the disk, or computed and left there, where the images have a fingerprint.
  Features features(bool training, int64_t copy, const TrainingEvents& events) {
    const Dataset& dataset = training ? *images.train : *images.validation;
    const std::string key = images.cache ? features_key(training, copy) : "";
    if (const auto file = images.cache ? images.cache->find(key) : std::nullopt) {
      return {tensor_of(file->tensors.at(0), torch::kFloat),
              tensor_of(file->tensors.at(1), torch::kLong)};
    }
    Features result = features_of(
        network, kept.stages, dataset, loading(training, copy),
        [&](int64_t done) { events.features(done, static_cast<int64_t>(dataset.size())); });
    if (images.cache) {
      TensorsToWrite written;
      written.add("features", result.values);
      written.add("labels", result.labels);
      images.cache->keep(key, written.stored());
    }
    return result;
  }

  /// Everything that the values of features depend on.
  std::string features_key(bool training, int64_t copy) const {
    std::ostringstream text;
    text << text_of(start) << ' ' << kept.stages << ' ' << (training ? "train " : "validation ")
         << images.fingerprint << ' ' << preprocessing_record(images.preprocessing) << ' '
         << recipe.batch << ' ' << recipe.threads << " torch " << TORCH_VERSION;
    if (training) {
      text << ' ' << recipe.seed << ' ' << copy << ' ' << text_of(images.augmentation);
    }
    for (size_t i = 0; i < kept.stages; ++i) {
      for (const StateTensor& tensor : tensors) {
        const auto& names = plan[i].tensors;
        if (std::count(names.begin(), names.end(), tensor.name))
          text << ' ' << hash_of(tensor.tensor);
      }
    }
    return text.str();
  }

  /// One batch: forward, loss and gradients, and a step where enough of them are together.
  void learn(const MixedBatch& batch, const std::vector<size_t>& places, size_t begin,
             size_t first_stage) {
    const torch::Tensor logits = forward(batch.images, begin, first_stage);
    const torch::Tensor loss = loss_of(logits, batch);
    const auto value = loss.item<double>();
    if (!std::isfinite(value)) throw diverged(places);
    (recipe.accumulate > 1 ? loss / static_cast<double>(recipe.accumulate) : loss).backward();
    ++at.batches;
    const auto size = static_cast<int64_t>(places.size());
    at.images += size;
    at.loss_sum += value * static_cast<double>(size);
    const torch::Tensor said = logits.argmax(1);
    at.right += batch.share * (said == batch.labels).sum().item<double>();
    if (batch.others.defined()) {
      at.right += (1 - batch.share) * (said == batch.others).sum().item<double>();
    }
    if (at.batches % recipe.accumulate == 0) update();
  }

  void update() {
    if (recipe.clip_norm > 0) {
      torch::nn::utils::clip_grad_norm_(network->parameters(), recipe.clip_norm);
    }
    optimizer->step();
    if (averages.empty()) return;
    const torch::NoGradGuard no_grad;
    const std::vector<torch::Tensor> now = network->parameters();
    for (size_t i = 0; i < now.size(); ++i) averages[i].lerp_(now[i], 1 - recipe.average);
  }

  /// Learns from all batches of this epoch that are not done yet. `set_rates` is called before each
  /// and `done` after it.
  void learn_epoch(const TrainingEvents& events, const std::function<void()>& set_rates,
                   const std::function<void()>& done) {
    const size_t first_stage = first();
    freeze_below(first_stage);
    const auto one = [&](torch::Tensor x, torch::Tensor labels, const std::vector<size_t>& places) {
      // What chance does to a batch depends on its number alone, so that a run can begin with it.
      torch::manual_seed(Random(Random(recipe.seed, 1).next(), static_cast<uint64_t>(at.epoch),
                                static_cast<uint64_t>(at.batches))
                             .next());
      set_rates();
      learn(mixed(recipe, std::move(x), std::move(labels)), places, kept.stages, first_stage);
      done();
    };
    if (!keeps_features(first_stage)) {
      kept = {};
      LoaderOptions options = loading(true, at.epoch);
      options.shuffle = true;
      // One image alone has no variance to normalise by.
      options.drop_last = static_cast<int64_t>(images.train->size()) % recipe.batch == 1;
      options.first_batch = at.batches;
      Loader loader(*images.train, options);
      const double waited = at.waited;
      for (Batch batch; loader.next(batch);) {
        at.waited = waited + loader.waited_seconds();
        one(images_of(batch), labels_of(batch), batch.indices);
      }
      return;
    }
    if (kept.stages != first_stage) {
      kept = {first_stage, std::vector<std::optional<Features>>(recipe.copies), std::nullopt};
    }
    const int64_t copy = at.epoch % recipe.copies;
    auto& of_copy = kept.train[static_cast<size_t>(copy)];
    if (!of_copy) of_copy = features(true, copy, events);
    const Features& all = *of_copy;
    const int64_t count = all.labels.size(0);
    std::vector<int64_t> order(static_cast<size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    // As the loader's, so that it is the same images in the same order with and without features.
    Random random(recipe.seed, static_cast<uint64_t>(at.epoch), ~uint64_t{0});
    shuffle(order, random);
    for (int64_t begin = at.batches * recipe.batch; begin < count; begin += recipe.batch) {
      const int64_t end = std::min(begin + recipe.batch, count);
      if (end - begin == 1 && recipe.batch > 1) break;  // no variance to normalise by
      const std::vector<int64_t> places(order.begin() + begin, order.begin() + end);
      const torch::Tensor index = torch::tensor(places, torch::kLong);
      one(all.values.index_select(0, index), all.labels.index_select(0, index),
          {places.begin(), places.end()});
    }
  }

  EpochResult run_epoch(const TrainingEvents& events) {
    const Clock::time_point started = Clock::now();
    const double seconds_before = at.seconds;
    use_threads(recipe.threads);
    const double all =
        std::ceil(static_cast<double>(images.train->size()) / static_cast<double>(recipe.batch));
    const auto set_rates = [&] {
      optimizer->set_time(static_cast<double>(at.epoch) + static_cast<double>(at.batches) / all);
    };
    learn_epoch(events, set_rates, [&] {
      if (at.batches % recipe.accumulate != 0) return;
      at.seconds = seconds_before + seconds_since(started);
      const auto seen = static_cast<double>(at.images);
      events.step(at.images, at.loss_sum / seen, at.right / seen);
    });
    if (at.batches % recipe.accumulate != 0) update();
    if (at.images == 0) throw std::invalid_argument("no image of the training data was left");
    EpochResult result;
    result.epoch = at.epoch + 1;
    result.rate = optimizer->rate();
    result.images = at.images;
    result.train_loss = at.loss_sum / static_cast<double>(at.images);
    result.train_top1 = at.right / static_cast<double>(at.images);
    result.seconds = seconds_before + seconds_since(started);
    result.waited_seconds = at.waited;
    if (images.validation) {
      result.validation = evaluate(*images.validation, nullptr, events);
      compare_with_best(result);
    }
    begin_next_epoch();
    return result;
  }

  void begin_next_epoch() {
    const int64_t finished = at.epoch + 1;
    at = {};
    at.epoch = finished;
  }

  /// By top-1, and by the loss where that is equal.
  void compare_with_best(const EpochResult& result) {
    const double top1 = share(result.validation.top1, result.validation.images).value;
    const double loss = result.validation.loss;
    if (best.epoch > 0 && (top1 < best.top1 || (top1 == best.top1 && !(loss < best.loss)))) return;
    best = {result.epoch, top1, loss};
    if (recipe.kept != Kept::best) return;
    const Averaged averaged(*this);
    best_tensors.clear();
    for (const StateTensor& tensor : tensors)
      best_tensors.push_back(tensor.tensor.detach().clone());
  }

  bool finished() const {
    return at.epoch >= recipe.epochs() ||
           (recipe.patience > 0 && at.epoch - best.epoch >= recipe.patience);
  }

  void keep_the_best() {
    if (best_tensors.empty()) return;
    const torch::NoGradGuard no_grad;
    averages.clear();
    for (size_t i = 0; i < tensors.size(); ++i) tensors[i].tensor.copy_(best_tensors[i]);
  }

  std::vector<RatePoint> range_test(const RangeTest& how, const TrainingEvents& events) {
    if (!(recipe.rate > 0)) throw std::invalid_argument("a learning rate of 0 cannot grow");
    use_threads(recipe.threads);
    std::vector<RatePoint> points;
    SmoothedLoss smoothed;
    double rate = 0, sum_before = 0;
    int64_t images_before = 0;
    const auto set_rates = [&] {
      rate = how.rate_of(static_cast<int64_t>(points.size()));
      optimizer->set_share(rate / recipe.rate);
    };
    const auto step_done = [&] {
      const double loss =
          (at.loss_sum - sum_before) / static_cast<double>(at.images - images_before);
      sum_before = at.loss_sum;
      images_before = at.images;
      points.push_back({rate, loss, smoothed.add(loss)});
      events.step(static_cast<int64_t>(points.size()), loss, 0);
      const bool all = static_cast<int64_t>(points.size()) >= how.steps;
      if (all || smoothed.exploded()) throw RangeTestOver();
    };
    const auto done = [&] {
      if (at.batches % recipe.accumulate == 0) step_done();
    };
    try {
      for (;;) {
        learn_epoch(events, set_rates, done);
        if (at.images == 0) throw std::invalid_argument("no image of the training data was left");
        if (at.batches % recipe.accumulate != 0) {
          update();
          step_done();
        }
        begin_next_epoch();
        sum_before = 0;
        images_before = 0;
      }
    } catch (const RangeTestOver&) {
    } catch (const TrainingDiverged&) {  // what the test looks for
    }
    return points;
  }
  struct RangeTestOver {};

  TrainingDiverged diverged(const std::vector<size_t>& places) const {
    std::ostringstream text;
    text << "the loss is no number any more: epoch " << at.epoch + 1 << ", step "
         << at.batches / recipe.accumulate + 1 << ", learning rate " << optimizer->rate()
         << ", images ";
    for (size_t i = 0; i < std::min<size_t>(places.size(), 3); ++i) {
      text << (i == 0 ? "" : ", ") << images.train->name(places[i]);
    }
    if (places.size() > 3) text << " and " << places.size() - 3 << " more";
    return TrainingDiverged(text.str());
  }

  /// While one lives, the network has the averaged weights, if there are any.
  class Averaged {
   public:
    explicit Averaged(State& state) : state_(state) { swap(); }
    ~Averaged() { swap(); }
    Averaged(const Averaged&) = delete;
    Averaged& operator=(const Averaged&) = delete;

   private:
    void swap() {
      const torch::NoGradGuard no_grad;
      std::vector<torch::Tensor> now = state_.network->parameters();
      for (size_t i = 0; i < state_.averages.size(); ++i) {
        const torch::Tensor mine = now[i].clone();
        now[i].copy_(state_.averages[i]);
        state_.averages[i].copy_(mine);
      }
    }
    State& state_;
  };

  Evaluation evaluate(const Dataset& dataset, std::vector<JudgedImage>* judged,
                      const TrainingEvents& events) {
    const torch::NoGradGuard no_grad;
    use_threads(recipe.threads);
    const Averaged averaged(*this);
    network->eval();
    const int64_t classes = start.settings.classes;
    Tally tally(classes);
    const Clock::time_point started = Clock::now();
    size_t place = 0;
    const auto count = [&](const torch::Tensor& output, const torch::Tensor& labels,
                           const std::vector<size_t>* places) {
      const torch::Tensor dense = output.contiguous();
      const auto* values = dense.data_ptr<float>();
      for (int64_t i = 0; i < labels.size(0); ++i, ++place) {
        const auto label = labels[i].item<int64_t>();
        const float* logits = values + i * classes;
        tally.add(logits, label);
        if (!judged) continue;
        const Guess guess = likeliest(logits, classes, 1).front();
        judged->push_back({places ? (*places)[static_cast<size_t>(i)] : place, label, guess.index,
                           guess.probability});
      }
    };
    double waited = 0;
    // Skipped images would leave gaps in the places of kept features.
    if (kept.stages > 0 && &dataset == images.validation && !judged) {
      if (!kept.validation) kept.validation = features(false, 0, events);
      const std::vector<Stage> all = network->stages();
      const int64_t size = kept.validation->labels.size(0);
      for (int64_t begin = 0; begin < size; begin += recipe.batch) {
        const int64_t end = std::min(begin + recipe.batch, size);
        torch::Tensor x = kept.validation->values.slice(0, begin, end);
        for (size_t i = kept.stages; i < all.size(); ++i) x = all[i].forward(std::move(x));
        count(x, kept.validation->labels.slice(0, begin, end), nullptr);
      }
    } else {
      const LoaderOptions options = loading(false, 0);
      Runner runner(*network, options.batch, dataset.size() >= worth_freezing);
      Loader loader(dataset, options);
      for (Batch batch; loader.next(batch);) {
        count(runner.forward(images_of(batch)), labels_of(batch), &batch.indices);
      }
      waited = loader.waited_seconds();
    }
    Evaluation result = tally.result();
    result.seconds = seconds_since(started);
    result.waited_seconds = waited;
    return result;
  }

  void save(const std::filesystem::path& path) const {
    TensorsToWrite all;
    for (const StateTensor& tensor : tensors) all.add("network." + tensor.name, tensor.tensor);
    for (size_t i = 0; i < averages.size(); ++i) {
      all.add("average." + std::to_string(i), averages[i]);
    }
    for (size_t i = 0; i < best_tensors.size(); ++i) {
      all.add("best." + tensors[i].name, best_tensors[i]);
    }
    std::string bytes = optimizer->state();
    all.add("optimizer",
            torch::from_blob(bytes.data(), {static_cast<int64_t>(bytes.size())}, torch::kByte));
    std::ostringstream best_text;
    best_text << best.epoch << ' ' << std::hexfloat << best.top1 << ' ' << best.loss;
    write_safetensors(path, all.stored(),
                      {{"run", run_identity(start, recipe, images)},
                       {"position", at.text()},
                       {"best", best_text.str()}});
  }

  void restore(const std::filesystem::path& path) {
    const WeightsFile file = read_weights(path);
    const auto said = [&](const std::string& name) -> std::string {
      for (const auto& [key, value] : file.beside) {
        if (key == name) return value;
      }
      throw std::invalid_argument(path.string() + " is no checkpoint of a training run");
    };
    if (said("run") != run_identity(start, recipe, images)) {
      throw std::invalid_argument(path.string() +
                                  " is a checkpoint of another run: of a network, "
                                  "images or settings that differ");
    }
    const auto tensor = [&](const std::string& name) -> const StoredTensor& {
      for (const StoredTensor& one : file.tensors) {
        if (one.name == name) return one;
      }
      throw std::invalid_argument(path.string() + " lacks '" + name + "'");
    };
    const torch::NoGradGuard no_grad;
    const auto copy = [&](const std::string& name, const torch::Tensor& into) {
      const StoredTensor& from = tensor(name);
      if (from.shape != into.sizes().vec()) {
        throw std::invalid_argument(path.string() + ": '" + name + "' has another shape");
      }
      into.copy_(tensor_of(from, into.scalar_type()));
    };
    for (const StateTensor& one : tensors) copy("network." + one.name, one.tensor);
    for (size_t i = 0; i < averages.size(); ++i) copy("average." + std::to_string(i), averages[i]);
    std::istringstream best_text(said("best"));
    std::string top1, loss;
    best_text >> best.epoch >> top1 >> loss;
    best.top1 = std::strtod(top1.c_str(), nullptr);
    best.loss = std::strtod(loss.c_str(), nullptr);
    best_tensors.clear();
    if (recipe.kept == Kept::best && best.epoch > 0) {
      for (const StateTensor& one : tensors) {
        best_tensors.push_back(torch::empty_like(one.tensor));
        copy("best." + one.name, best_tensors.back());
      }
    }
    const StoredTensor& packed = tensor("optimizer");
    std::string bytes(static_cast<size_t>(packed.elements()), '\0');
    copy_values(packed, bytes.data());
    optimizer->restore(bytes);
    at = Position::of(said("position"));
    kept = {};
  }

  void write_weights(const std::filesystem::path& path) {
    const Averaged averaged(*this);
    TensorsToWrite all;
    for (const StateTensor& tensor : tensors) all.add(tensor.name, tensor.tensor);
    if (path.extension() == ".pth") return write_torch_zip(path, all.stored());
    write_safetensors(path, all.stored(),
                      {{"preprocessing", preprocessing_record(images.preprocessing)}});
  }

  std::vector<std::string> moved_frozen_tensors() const {
    std::vector<std::string> moved;
    for (const StateTensor* tensor : never_trained()) {
      if (hash_of(tensor->tensor) != hashes.at(tensor->name)) moved.push_back(tensor->name);
    }
    return moved;
  }
};

Trainer::Trainer(const TrainingStart& start, const Recipe& recipe, const TrainingImages& images)
    : state_(std::make_unique<State>(start, recipe, images)) {}
Trainer::~Trainer() = default;

std::vector<StageTraining> Trainer::stages() const {
  std::vector<StageTraining> all;
  for (size_t i = 0; i < state_->stages(); ++i) {
    const NetworkStage& stage = state_->plan[i];
    all.push_back({stage.name, stage.params, i >= state_->first(),
                   stage_rate(state_->recipe, state_->stages(), i)});
  }
  return all;
}

int64_t Trainer::epochs() const { return state_->at.epoch; }
int64_t Trainer::images_of_epoch() const { return state_->at.images; }
bool Trainer::finished() const { return state_->finished(); }
BestEpoch Trainer::best() const { return state_->best; }
EpochResult Trainer::run_epoch(const TrainingEvents& events) { return state_->run_epoch(events); }
void Trainer::keep_the_best() { state_->keep_the_best(); }
std::vector<RatePoint> Trainer::range_test(const RangeTest& how, const TrainingEvents& events) {
  return state_->range_test(how, events);
}
Evaluation Trainer::evaluate(const Dataset& dataset, std::vector<JudgedImage>* judged) {
  return state_->evaluate(dataset, judged, {});
}
void Trainer::save(const std::filesystem::path& path) const { state_->save(path); }
void Trainer::restore(const std::filesystem::path& path) { state_->restore(path); }
void Trainer::write_weights(const std::filesystem::path& path) const {
  state_->write_weights(path);
}
std::vector<std::string> Trainer::moved_frozen_tensors() const {
  return state_->moved_frozen_tensors();
}

}  // namespace convscope

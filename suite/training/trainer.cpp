#include "suite/training/trainer.h"

#include <torch/nn.h>
#include <torch/optim.h>
#include <torch/serialize.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "architectures/network.h"
#include "suite/analysis/stages.h"
#include "suite/data/random.h"
#include "suite/inference/frozen.h"
#include "suite/inference/load.h"
#include "suite/inference/state_dict.h"
#include "suite/inference/threads.h"
#include "suite/weights/preprocessing_record.h"

namespace convscope {
namespace {

namespace F = torch::nn::functional;
namespace optim = torch::optim;
using Clock = std::chrono::steady_clock;

/// Larger features than this are computed anew in each epoch.
constexpr int64_t most_kept_bytes = int64_t{1} << 30;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The first stages of a network, as one.
struct Bottom : Network {
  std::shared_ptr<StagedNetwork> whole;
  size_t end;

  Bottom(const std::shared_ptr<StagedNetwork>& network, size_t stages)
      : whole(register_module("whole", network)), end(stages) {}

  torch::Tensor forward(torch::Tensor x) override {
    const std::vector<Stage> stages = whole->stages();
    for (size_t i = 0; i < end; ++i) x = stages[i].forward(std::move(x));
    return x;
  }
};

/// The images of a batch, whose memory it shares.
torch::Tensor images_of(Batch& batch) {
  return torch::from_blob(batch.values.data(),
                          {batch.size, batch.channels, batch.height, batch.width});
}

torch::Tensor labels_of(const Batch& batch) { return torch::tensor(batch.labels, torch::kLong); }

/// Runs a network in evaluation mode on batches of one size, frozen if that computes the same.
class Runner {
 public:
  Runner(Network& network, int64_t batch, bool freeze)
      : network_(network), batch_(batch), freeze_(freeze) {}

  torch::Tensor forward(const torch::Tensor& images) {
    if (images.size(0) != batch_ || !freeze_) return network_.forward(images);
    if (frozen_) return frozen_->forward(images);
    freeze_ = false;
    try {
      auto form = std::make_unique<Frozen>(network_, images);
      torch::Tensor expected = form->expected();
      const auto difference = (form->forward(images) - expected).abs().max().item<double>();
      if (difference <= 1e-4 * std::max(1.0, expected.abs().max().item<double>())) {
        frozen_ = std::move(form);
        freeze_ = true;
      }
      return expected;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {  // an operator that the frozen form does not have
      return network_.forward(images);
    }
  }

 private:
  Network& network_;
  int64_t batch_;
  bool freeze_;
  std::unique_ptr<Frozen> frozen_;
};

/// FNV-1a over a tensor's bytes: whether it is what it was.
uint64_t hash_of(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.contiguous();
  const auto* bytes = static_cast<const unsigned char*>(dense.data_ptr());
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < dense.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

StoredTensor stored(const std::string& name, const torch::Tensor& tensor) {
  static const std::map<c10::ScalarType, ScalarType> types = {{torch::kFloat, ScalarType::float32},
                                                              {torch::kLong, ScalarType::int64},
                                                              {torch::kByte, ScalarType::uint8}};
  return {name, types.at(tensor.scalar_type()), tensor.sizes().vec(),
          contiguous_strides(tensor.sizes().vec()),
          static_cast<const std::byte*>(tensor.data_ptr())};
}

}  // namespace

struct Trainer::State {
  /// What is kept of images that have passed the frozen stages.
  struct Features {
    size_t stages = 0;           ///< below; 0: nothing is kept
    torch::Tensor train;         ///< copies x images x ...
    torch::Tensor train_labels;  ///< images
    torch::Tensor validation, validation_labels;
  };

  TrainingStart start;
  Recipe recipe;
  TrainingImages images;
  std::shared_ptr<StagedNetwork> network;
  std::vector<StateTensor> tensors;
  std::vector<NetworkStage> plan;
  /// Of each stage, and at the end of what only training uses.
  std::vector<std::vector<torch::Tensor>> parameters;
  std::vector<std::vector<torch::nn::Module*>> norms;
  std::unique_ptr<optim::Optimizer> optimizer;
  std::vector<double> rates;            ///< of the optimizer's groups, at the schedule's full
  std::vector<torch::Tensor> averages;  ///< of all parameters, in the order of the network's
  std::vector<uint64_t> hashes;         ///< of `tensors`, at the start
  Features kept;
  int64_t epoch = 0;

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
    Settings plain = start.settings;
    plain.auxiliary = false;
    plan = stages_of(start.architecture, plain);
    tensors = state_dict(*network);
    assign();
    make_optimizer();
    if (recipe.average > 0) {
      for (const torch::Tensor& parameter : network->parameters()) {
        averages.push_back(parameter.detach().clone());
      }
    }
    for (const StateTensor& tensor : tensors) hashes.push_back(hash_of(tensor.tensor));
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

  void make_optimizer() {
    std::vector<optim::OptimizerParamGroup> groups;
    const auto add = [&](std::vector<torch::Tensor> members, double rate, double decay) {
      if (members.empty()) return;
      std::unique_ptr<optim::OptimizerOptions> options;
      switch (recipe.optimizer) {
        case OptimizerKind::sgd:
          options = std::make_unique<optim::SGDOptions>(optim::SGDOptions(rate)
                                                            .momentum(recipe.momentum)
                                                            .nesterov(recipe.nesterov)
                                                            .weight_decay(decay));
          break;
        case OptimizerKind::adamw:
          options = std::make_unique<optim::AdamWOptions>(
              optim::AdamWOptions(rate).betas({recipe.momentum, 0.999}).weight_decay(decay));
          break;
        case OptimizerKind::rmsprop:
          // torchvision's settings for the MobileNets; TensorFlow's epsilon is inside the root.
          options = std::make_unique<optim::RMSpropOptions>(optim::RMSpropOptions(rate)
                                                                .alpha(0.9)
                                                                .eps(0.0316)
                                                                .momentum(recipe.momentum)
                                                                .weight_decay(decay));
          break;
      }
      groups.emplace_back(std::move(members), std::move(options));
      rates.push_back(rate);
    };
    for (size_t i = 0; i < parameters.size(); ++i) {
      const double rate = stage_rate(recipe, stages(), std::min(i, stages() - 1));
      std::vector<torch::Tensor> weights, others;
      for (const torch::Tensor& parameter : parameters[i]) {
        (recipe.decay_all || parameter.dim() > 1 ? weights : others).push_back(parameter);
      }
      add(std::move(weights), rate, recipe.weight_decay);
      add(std::move(others), rate, 0);
    }
    switch (recipe.optimizer) {
      case OptimizerKind::sgd:
        optimizer = std::make_unique<optim::SGD>(std::move(groups), optim::SGDOptions(recipe.rate));
        break;
      case OptimizerKind::adamw:
        optimizer = std::make_unique<optim::AdamW>(std::move(groups));
        break;
      case OptimizerKind::rmsprop:
        optimizer = std::make_unique<optim::RMSprop>(std::move(groups));
        break;
    }
  }

  /// The schedule's rates and momentum from now on.
  void set_rates(double at) {
    const double share = rate_at(recipe.schedule, at);
    const auto momentum = momentum_at(recipe.schedule, at);
    for (size_t i = 0; i < rates.size(); ++i) {
      auto& options = optimizer->param_groups()[i].options();
      options.set_lr(rates[i] * share);
      if (!momentum) continue;
      switch (recipe.optimizer) {
        case OptimizerKind::sgd:
          static_cast<optim::SGDOptions&>(options).momentum(*momentum);
          break;
        case OptimizerKind::adamw:
          static_cast<optim::AdamWOptions&>(options).betas({*momentum, 0.999});
          break;
        case OptimizerKind::rmsprop:
          static_cast<optim::RMSpropOptions&>(options).momentum(*momentum);
          break;
      }
    }
  }

  size_t first() const { return first_trained(recipe, stages(), epoch); }

  void freeze_below(size_t first_stage) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      for (torch::Tensor& parameter : parameters[i]) parameter.set_requires_grad(i >= first_stage);
      if (i >= first_stage || recipe.norms == FrozenNorms::frozen) continue;
      for (torch::nn::Module* norm : norms[i]) {
        for (torch::Tensor& parameter : norm->parameters()) parameter.set_requires_grad(true);
      }
    }
  }

  /// Frozen stages run as in evaluation, but for what the policy says of their normalisation.
  torch::Tensor forward(torch::Tensor x, size_t begin, size_t first_stage) {
    const std::vector<Stage> all = network->stages();
    network->auxiliary.clear();
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
    network->train();
    for (size_t i = std::max(begin, first_stage); i < all.size(); ++i) {
      x = all[i].forward(std::move(x));
    }
    return x;
  }

  torch::Tensor loss_of(const torch::Tensor& logits, const torch::Tensor& labels) const {
    const auto options = F::CrossEntropyFuncOptions().label_smoothing(recipe.label_smoothing);
    torch::Tensor loss = F::cross_entropy(logits, labels, options);
    for (const AuxiliaryLogits& head : network->auxiliary) {
      loss = loss + head.loss_weight * F::cross_entropy(head.logits, labels, options);
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
    if (training) options.augmentation = images.augmentation;
    return options;
  }

  /// What the frozen stages make of all images of a dataset, in order; labels into `labels`.
  torch::Tensor features_of(const Dataset& dataset, const LoaderOptions& options, size_t end,
                            torch::Tensor& labels, const std::function<void(int64_t)>& progress) {
    const torch::NoGradGuard no_grad;
    network->eval();
    Bottom bottom(network, end);
    bottom.eval();
    Runner runner(bottom, options.batch, dataset.size() >= worth_freezing);
    Loader loader(dataset, options);
    std::vector<torch::Tensor> parts, truth;
    int64_t done = 0;
    for (Batch batch; loader.next(batch);) {
      parts.push_back(runner.forward(images_of(batch)).clone());
      truth.push_back(labels_of(batch));
      progress(done += batch.size);
    }
    labels = torch::cat(truth);
    return torch::cat(parts);
  }

  bool keeps_features(size_t stages_below) const {
    if (stages_below == 0 || recipe.norms != FrozenNorms::frozen) return false;
    const auto count = static_cast<int64_t>(images.train->size()) * recipe.copies +
                       (images.validation ? static_cast<int64_t>(images.validation->size()) : 0);
    return count * element_count(plan[stages_below - 1].output) <=
           most_kept_bytes / int64_t{sizeof(float)};
  }

  void keep_features(size_t end, const TrainingEvents& events) {
    if (kept.stages == end) return;
    kept = {};
    const auto count = static_cast<int64_t>(images.train->size());
    const auto validation = images.validation ? static_cast<int64_t>(images.validation->size()) : 0;
    const int64_t of = count * recipe.copies + validation;
    int64_t before = 0;
    const auto progress = [&](int64_t done) { events.features(before + done, of); };
    std::vector<torch::Tensor> copies;
    for (int64_t copy = 0; copy < recipe.copies; ++copy) {
      copies.push_back(
          features_of(*images.train, loading(true, copy), end, kept.train_labels, progress));
      before += count;
    }
    kept.train = torch::stack(copies);
    if (images.validation) {
      kept.validation =
          features_of(*images.validation, loading(false, 0), end, kept.validation_labels, progress);
    }
    kept.stages = end;
  }

  /// A pass over the training data: gives each batch to `step` as input, labels and the places of
  /// its images. Returns the seconds that were spent waiting.
  double batches(size_t first_stage,
                 const std::function<void(const torch::Tensor&, const torch::Tensor&,
                                          const std::vector<size_t>&)>& step) {
    if (kept.stages == first_stage && first_stage > 0) {
      const int64_t count = kept.train.size(1);
      std::vector<int64_t> order(static_cast<size_t>(count));
      for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
      Random random(recipe.seed, static_cast<uint64_t>(epoch));
      for (size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
      }
      const torch::Tensor features = kept.train[epoch % recipe.copies];
      for (int64_t begin = 0; begin < count; begin += recipe.batch) {
        const int64_t end = std::min(begin + recipe.batch, count);
        if (end - begin == 1 && count > 1) break;  // no variance to normalise by
        const std::vector<int64_t> places(order.begin() + begin, order.begin() + end);
        const torch::Tensor index = torch::tensor(places, torch::kLong);
        step(features.index_select(0, index), kept.train_labels.index_select(0, index),
             {places.begin(), places.end()});
      }
      return 0;
    }
    LoaderOptions options = loading(true, epoch);
    options.shuffle = true;
    options.drop_last = static_cast<int64_t>(images.train->size()) % recipe.batch == 1;
    Loader loader(*images.train, options);
    for (Batch batch; loader.next(batch);) step(images_of(batch), labels_of(batch), batch.indices);
    return loader.waited_seconds();
  }

  EpochResult run_epoch(const TrainingEvents& events) {
    const Clock::time_point started = Clock::now();
    use_threads(recipe.threads);
    const size_t first_stage = first();
    freeze_below(first_stage);
    if (keeps_features(first_stage)) {
      keep_features(first_stage, events);
    } else {
      kept = {};
    }
    // What chance does in an epoch depends on its number alone, so that a run can begin with it.
    torch::manual_seed(Random(recipe.seed, 1, static_cast<uint64_t>(epoch)).next());
    const size_t begin = kept.stages;
    const auto count = static_cast<int64_t>(images.train->size());
    const double all = std::ceil(static_cast<double>(count) / static_cast<double>(recipe.batch));
    EpochResult result;
    result.epoch = epoch + 1;
    double loss_sum = 0, right = 0;
    int64_t number = 0;
    optimizer->zero_grad();
    const auto update = [&] {
      if (recipe.clip_norm > 0) {
        torch::nn::utils::clip_grad_norm_(network->parameters(), recipe.clip_norm);
      }
      optimizer->step();
      optimizer->zero_grad();
      average();
    };
    result.waited_seconds =
        batches(first_stage, [&](const torch::Tensor& x, const torch::Tensor& labels,
                                 const std::vector<size_t>& places) {
          const double at = static_cast<double>(epoch) + static_cast<double>(number) / all;
          set_rates(at);
          const torch::Tensor logits = forward(x, begin, first_stage);
          const torch::Tensor loss = loss_of(logits, labels);
          const auto value = loss.item<double>();
          if (!std::isfinite(value)) throw diverged(number, places);
          (loss / static_cast<double>(recipe.accumulate)).backward();
          ++number;
          if (number % recipe.accumulate == 0) update();
          const auto size = static_cast<int64_t>(places.size());
          result.images += size;
          loss_sum += value * static_cast<double>(size);
          right += (logits.argmax(1) == labels).sum().item<double>();
          const auto seen = static_cast<double>(result.images);
          events.batch(result.images, loss_sum / seen, right / seen);
        });
    if (number % recipe.accumulate != 0) update();
    result.seconds = seconds_since(started);
    result.rate = optimizer->param_groups().back().options().get_lr();
    result.train_loss = loss_sum / static_cast<double>(result.images);
    result.train_top1 = right / static_cast<double>(result.images);
    ++epoch;
    if (images.validation) result.validation = evaluate(*images.validation, nullptr);
    return result;
  }

  TrainingDiverged diverged(int64_t step, const std::vector<size_t>& places) const {
    std::ostringstream text;
    text << "the loss is no number any more: epoch " << epoch + 1 << ", step " << step + 1
         << ", learning rate " << optimizer->param_groups().back().options().get_lr()
         << ", images ";
    for (size_t i = 0; i < std::min<size_t>(places.size(), 3); ++i) {
      text << (i == 0 ? "" : ", ") << images.train->name(places[i]);
    }
    if (places.size() > 3) text << " and " << places.size() - 3 << " more";
    return TrainingDiverged(text.str());
  }

  void average() {
    if (averages.empty()) return;
    const torch::NoGradGuard no_grad;
    const std::vector<torch::Tensor> now = network->parameters();
    for (size_t i = 0; i < now.size(); ++i) averages[i].lerp_(now[i], 1 - recipe.average);
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

  Evaluation evaluate(const Dataset& dataset, std::vector<float>* logits) {
    const torch::NoGradGuard no_grad;
    use_threads(recipe.threads);
    const Averaged averaged(*this);
    network->eval();
    Tally tally(start.settings.classes);
    const Clock::time_point started = Clock::now();
    const auto count = [&](const torch::Tensor& output, const torch::Tensor& labels) {
      const torch::Tensor dense = output.contiguous();
      const float* values = dense.data_ptr<float>();
      if (logits) logits->insert(logits->end(), values, values + dense.numel());
      for (int64_t i = 0; i < labels.size(0); ++i) {
        tally.add(values + i * start.settings.classes, labels[i].item<int64_t>());
      }
    };
    double waited = 0;
    if (kept.stages > 0 && &dataset == images.validation) {
      const std::vector<Stage> all = network->stages();
      for (int64_t begin = 0; begin < kept.validation.size(0); begin += recipe.batch) {
        const int64_t end = std::min(begin + recipe.batch, kept.validation.size(0));
        torch::Tensor x = kept.validation.slice(0, begin, end);
        for (size_t i = kept.stages; i < all.size(); ++i) x = all[i].forward(std::move(x));
        count(x, kept.validation_labels.slice(0, begin, end));
      }
    } else {
      const LoaderOptions options = loading(false, 0);
      Runner runner(*network, options.batch, dataset.size() >= worth_freezing);
      Loader loader(dataset, options);
      for (Batch batch; loader.next(batch);) {
        count(runner.forward(images_of(batch)), labels_of(batch));
      }
      waited = loader.waited_seconds();
    }
    Evaluation result = tally.result();
    result.seconds = seconds_since(started);
    result.waited_seconds = waited;
    return result;
  }

  /// What must be equal in two runs for one to go on with the other's checkpoint.
  std::string identity() const {
    std::ostringstream text;
    text << start.architecture.name << ' ' << start.settings.image.height << ' '
         << start.settings.image.width << ' ' << start.settings.classes << ' '
         << to_string(recipe.protocol) << ' ' << recipe.top_stages << ' ' << recipe.probe_epochs
         << ' ' << to_string(recipe.norms) << ' ' << recipe.batch << ' '
         << static_cast<int>(recipe.optimizer) << ' ' << recipe.rate << ' ' << recipe.lowest_rate
         << ' ' << recipe.momentum << ' ' << recipe.nesterov << ' ' << recipe.weight_decay << ' '
         << recipe.decay_all << ' ' << static_cast<int>(recipe.schedule.kind) << ' '
         << recipe.schedule.epochs << ' ' << recipe.schedule.warm_up << ' '
         << recipe.schedule.step_epochs << ' ' << recipe.schedule.step_factor << ' '
         << recipe.label_smoothing << ' ' << recipe.accumulate << ' ' << recipe.clip_norm << ' '
         << recipe.average << ' ' << recipe.seed << ' ' << recipe.threads << ' ' << recipe.copies
         << ' ' << images.train->size() << ' ' << preprocessing_record(images.preprocessing);
    return text.str();
  }

  void save(const std::filesystem::path& path) const {
    torch::serialize::OutputArchive archive;
    optimizer->save(archive);
    std::ostringstream stream;
    archive.save_to(stream);
    const std::string bytes = stream.str();
    const torch::Tensor packed = torch::from_blob(
        const_cast<char*>(bytes.data()), {static_cast<int64_t>(bytes.size())}, torch::kByte);
    std::vector<StoredTensor> all;
    for (const StateTensor& tensor : tensors) {
      all.push_back(stored("network." + tensor.name, tensor.tensor));
    }
    for (size_t i = 0; i < averages.size(); ++i) {
      all.push_back(stored("average." + std::to_string(i), averages[i]));
    }
    all.push_back(stored("optimizer", packed));
    write_safetensors(path, all, {{"run", identity()}, {"epoch", std::to_string(epoch)}});
  }

  void restore(const std::filesystem::path& path) {
    const WeightsFile file = read_weights(path);
    const auto said = [&](const std::string& name) -> std::string {
      for (const auto& [key, value] : file.beside) {
        if (key == name) return value;
      }
      throw std::invalid_argument(path.string() + " is no checkpoint of a training run");
    };
    if (said("run") != identity()) {
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
    const auto copy = [&](const std::string& name, const torch::Tensor& into) {
      const StoredTensor& from = tensor(name);
      if (from.shape != into.sizes().vec()) {
        throw std::invalid_argument(path.string() + ": '" + name + "' has another shape");
      }
      copy_values(from, into.data_ptr());
    };
    for (const StateTensor& one : tensors) copy("network." + one.name, one.tensor);
    for (size_t i = 0; i < averages.size(); ++i) copy("average." + std::to_string(i), averages[i]);
    const StoredTensor& packed = tensor("optimizer");
    std::string bytes(static_cast<size_t>(packed.elements()), '\0');
    copy_values(packed, bytes.data());
    std::istringstream stream(bytes);
    torch::serialize::InputArchive archive;
    archive.load_from(stream);
    optimizer->load(archive);
    epoch = std::stoll(said("epoch"));
    kept = {};
  }

  void write_weights(const std::filesystem::path& path) {
    const Averaged averaged(*this);
    std::vector<StoredTensor> all;
    for (const StateTensor& tensor : tensors) all.push_back(stored(tensor.name, tensor.tensor));
    if (path.extension() == ".pth") return write_torch_zip(path, all);
    write_safetensors(path, all, {{"preprocessing", preprocessing_record(images.preprocessing)}});
  }

  std::vector<std::string> moved_frozen_tensors() const {
    std::set<std::string> frozen;
    const size_t lowest = first_trained(recipe, stages(), recipe.epochs() - 1);
    for (size_t i = 0; i < lowest && recipe.norms == FrozenNorms::frozen; ++i) {
      frozen.insert(plan[i].tensors.begin(), plan[i].tensors.end());
    }
    std::vector<std::string> moved;
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (frozen.count(tensors[i].name) && hash_of(tensors[i].tensor) != hashes[i]) {
        moved.push_back(tensors[i].name);
      }
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

int64_t Trainer::epochs() const { return state_->epoch; }
EpochResult Trainer::run_epoch(const TrainingEvents& events) { return state_->run_epoch(events); }
Evaluation Trainer::evaluate(const Dataset& dataset, std::vector<float>* logits) {
  return state_->evaluate(dataset, logits);
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

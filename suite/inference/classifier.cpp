#include "suite/inference/classifier.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "suite/analysis/network_trace.h"
#include "suite/inference/activations.h"
#include "suite/inference/frozen.h"
#include "suite/inference/load.h"

namespace convscope {
namespace {

constexpr double largest_difference = 1e-4;

/// "'fc.weight' and 'fc.bias'", "'a', 'b' and 40 more".
std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  const size_t shown = names.size() > 3 ? 2 : names.size();
  for (size_t i = 0; i < shown; ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + ("'" + names[i] + "'");
  }
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

void check_complete(const std::string& network, const Fit& fit, const WeightsFile& file,
                    bool head_needed) {
  std::vector<std::string> missing, misshapen;
  for (const size_t i : fit.match.missing) {
    if (head_needed || fit.tensors[i].class_axis < 0) missing.push_back(fit.tensors[i].name);
  }
  for (const Match::Pair& pair : fit.match.misshapen) {
    const NetworkTensor& tensor = fit.tensors[pair.network];
    if (head_needed || tensor.class_axis < 0) misshapen.push_back(tensor.name);
  }
  if (missing.empty() && misshapen.empty()) return;
  throw std::invalid_argument(
      file.path.string() + ": these are not the weights of " + network + ": " +
      (missing.empty() ? some_of(misshapen) + " has another shape"
                       : "it lacks " + some_of(missing)) +
      " ('convscope weights inspect FILE --against " + network + "' shows all)");
}

}  // namespace

struct Classifier::Loaded {
  std::shared_ptr<Network> network;
  Architecture architecture;
  Settings settings;
  std::unique_ptr<Frozen> frozen;
  int64_t frozen_count = 0;
  std::optional<Graph> graph;
  std::vector<std::string> layers;

  torch::Tensor tensor(const std::vector<float>& images, int64_t count) const {
    const ImageShape& image = settings.image;
    // LibTorch does not write into its input; it has no way to say so.
    return torch::from_blob(const_cast<float*>(images.data()),
                            {count, image.channels, image.height, image.width});
  }

  const Graph& trace() {
    if (!graph) graph = trace_network(architecture, settings);
    return *graph;
  }
};

Classifier::Classifier(const Architecture& architecture, const Fit& fit, const WeightsFile& file,
                       int threads, bool head_needed)
    : loaded_(std::make_unique<Loaded>()) {
  check_complete(architecture.name, fit, file, head_needed);
  torch::set_num_threads(threads);
  loaded_->network = load_network(architecture, fit.settings, file, fit.match);
  loaded_->architecture = architecture;
  loaded_->settings = fit.settings;
}

Classifier::~Classifier() = default;

int64_t Classifier::classes() const { return loaded_->settings.classes; }

bool Classifier::freeze(const std::vector<float>& images, int64_t count) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor batch = loaded_->tensor(images, count);
  const torch::Tensor expected = loaded_->network->forward(batch);
  try {
    auto frozen = std::make_unique<Frozen>(*loaded_->network, batch);
    const torch::Tensor difference = (frozen->forward(batch) - expected).abs().max();
    if (!(difference.item<double>() <= largest_difference)) return false;
    loaded_->frozen = std::move(frozen);
    loaded_->frozen_count = count;
    return true;
  } catch (const std::exception&) {
    return false;  // the network itself remains
  }
}

bool Classifier::frozen() const { return loaded_->frozen != nullptr; }

std::vector<float> Classifier::logits(const std::vector<float>& images, int64_t count) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor batch = loaded_->tensor(images, count);
  const torch::Tensor result =
      (loaded_->frozen && count == loaded_->frozen_count ? loaded_->frozen->forward(batch)
                                                         : loaded_->network->forward(batch))
          .contiguous();
  const float* values = result.data_ptr<float>();
  return {values, values + result.numel()};
}

const std::vector<std::string>& Classifier::layers() const {
  if (loaded_->layers.empty()) loaded_->layers = layer_names(loaded_->trace());
  return loaded_->layers;
}

Activations Classifier::activations(const std::vector<float>& images, int64_t count,
                                    const std::string& layer) {
  const Graph& graph = loaded_->trace();
  const torch::Tensor result = activation(*loaded_->network, loaded_->tensor(images, count), graph,
                                          last_call_of(graph, layer))
                                   .contiguous();
  const float* values = result.data_ptr<float>();
  return {result.sizes().vec(), {values, values + result.numel()}};
}

}  // namespace convscope

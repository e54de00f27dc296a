#include "suite/inference/classifier.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "suite/analysis/network_trace.h"
#include "suite/inference/activations.h"
#include "suite/inference/frozen.h"
#include "suite/inference/load.h"
#include "suite/inference/threads.h"

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

std::vector<float> values_of(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.contiguous();
  const float* values = dense.data_ptr<float>();
  return {values, values + dense.numel()};
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
  use_threads(threads);
  loaded_->network = load_network(architecture, fit.settings, file, fit.match);
  loaded_->architecture = architecture;
  loaded_->settings = fit.settings;
}

Classifier::~Classifier() = default;

int64_t Classifier::classes() const { return loaded_->settings.classes; }

std::vector<float> Classifier::freeze(const std::vector<float>& images, int64_t count) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor batch = loaded_->tensor(images, count);
  try {
    auto frozen = std::make_unique<Frozen>(*loaded_->network, batch);
    const torch::Tensor difference = (frozen->forward(batch) - frozen->expected()).abs().max();
    std::vector<float> logits = values_of(frozen->expected());
    if (difference.item<double>() <= largest_difference) {
      loaded_->frozen = std::move(frozen);
      loaded_->frozen_count = count;
    }
    return logits;
  } catch (const std::exception&) {  // of an operator that oneDNN lacks; the network itself remains
    return this->logits(images, count);
  }
}

bool Classifier::frozen() const { return loaded_->frozen != nullptr; }

std::vector<float> Classifier::logits(const std::vector<float>& images, int64_t count) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor batch = loaded_->tensor(images, count);
  if (loaded_->frozen && count == loaded_->frozen_count) {
    return values_of(loaded_->frozen->forward(batch));
  }
  return values_of(loaded_->network->forward(batch));
}

const std::vector<std::string>& Classifier::layers() const {
  if (loaded_->layers.empty()) loaded_->layers = layer_names(loaded_->trace());
  return loaded_->layers;
}

Activations Classifier::activations(const std::vector<float>& images, int64_t count,
                                    const std::string& layer) {
  const Graph& graph = loaded_->trace();
  const torch::Tensor result = activation(*loaded_->network, loaded_->tensor(images, count), graph,
                                          last_call_of(graph, layer));
  return {result.sizes().vec(), values_of(result)};
}

}  // namespace convscope

#include "suite/inference/classifier.h"

#include <stdexcept>

#include "suite/analysis/graph_layers.h"
#include "suite/inference/frozen.h"
#include "suite/inference/plain_tensors.h"
#include "suite/inference/threads.h"

namespace convscope {
namespace {

constexpr double largest_difference = 1e-4;

}  // namespace

struct Classifier::Loaded {
  LoadedNetwork network;
  std::unique_ptr<Frozen> frozen;
  int64_t count_to_freeze = 0;  ///< images in a batch; 0: none is to be frozen
  int64_t frozen_batches = 0;
  std::string not_frozen;
  std::vector<std::string> layers;

  torch::Tensor tensor(const std::vector<float>& images, int64_t count) const {
    const ImageShape& image = network.settings.image;
    // LibTorch does not write into its input; it has no way to say so.
    return torch::from_blob(const_cast<float*>(images.data()),
                            {count, image.channels, image.height, image.width});
  }

  /// Makes the frozen form from a batch, and returns what the network itself computes of it.
  std::vector<float> freeze(const torch::Tensor& batch) {
    try {
      auto form = std::make_unique<Frozen>(*network.network, batch);
      const auto difference = (form->forward(batch) - form->expected()).abs().max().item<double>();
      if (difference <= largest_difference) {
        frozen = std::move(form);
        count_to_freeze = batch.size(0);
        not_frozen.clear();
        return plain_values(frozen->expected());
      }
      not_frozen = "its frozen form's logits differ by " + c10::str(difference);
      return plain_values(form->expected());
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      const std::string reason = error.what();
      not_frozen = "it cannot be frozen: " + reason.substr(0, reason.find('\n'));
      return plain_values(network.network->forward(batch));
    }
  }
};

Classifier::Classifier(const Architecture& architecture, const Fit& fit, const WeightsFile& file,
                       int threads)
    : loaded_(std::make_unique<Loaded>()) {
  use_threads(threads);
  loaded_->network = loaded_network(architecture, fit, file);
}

Classifier::~Classifier() = default;

int64_t Classifier::classes() const { return loaded_->network.settings.classes; }

void Classifier::freeze_batches_of(int64_t count) {
  loaded_->count_to_freeze = count;
  loaded_->frozen.reset();
  loaded_->frozen_batches = 0;
  loaded_->not_frozen = "there was no batch of " + std::to_string(count) + " images";
}

bool Classifier::frozen() const { return loaded_->frozen_batches > 0; }
const std::string& Classifier::not_frozen() const { return loaded_->not_frozen; }

std::vector<float> Classifier::logits(const std::vector<float>& images, int64_t count) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor batch = loaded_->tensor(images, count);
  if (count != loaded_->count_to_freeze)
    return plain_values(loaded_->network.network->forward(batch));
  if (loaded_->frozen) {
    ++loaded_->frozen_batches;
    return plain_values(loaded_->frozen->forward(batch));
  }
  loaded_->count_to_freeze = 0;
  return loaded_->freeze(batch);
}

const std::vector<std::string>& Classifier::layers() const {
  if (loaded_->layers.empty()) loaded_->layers = layer_names(loaded_->network.graph);
  return loaded_->layers;
}

Activations Classifier::activations(const std::vector<float>& images, int64_t count,
                                    const std::string& layer) {
  const LoadedNetwork& network = loaded_->network;
  return convscope::activations(network, images, count, last_call_of(network.graph, layer));
}

}  // namespace convscope

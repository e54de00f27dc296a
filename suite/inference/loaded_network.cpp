#include "suite/inference/loaded_network.h"

#include <torch/utils.h>

#include <algorithm>
#include <stdexcept>

#include "suite/analysis/network_trace.h"
#include "suite/inference/load.h"
#include "suite/inference/plain_tensors.h"
#include "suite/inference/state_dict.h"

namespace convscope {
namespace {

LoadedNetwork ready(const Architecture& architecture, const Settings& settings,
                    std::shared_ptr<Network> network) {
  network->eval();
  for (torch::Tensor& parameter : network->parameters()) parameter.set_requires_grad(false);
  return {architecture, settings, std::move(network), trace_network(architecture, settings)};
}

}  // namespace

LoadedNetwork loaded_network(const Architecture& architecture, const Fit& fit,
                             const WeightsFile& file) {
  return ready(architecture, fit.settings,
               load_network(architecture, fit.settings, file, fit.match));
}

LoadedNetwork initial_network(const Architecture& architecture, const Settings& settings,
                              uint64_t seed) {
  torch::manual_seed(seed);
  return ready(architecture, settings, architecture.build(settings));
}

std::vector<float> tensor_values(const LoadedNetwork& network, const std::string& tensor) {
  for (const StateTensor& own : state_dict(*network.network)) {
    if (own.name != tensor) continue;
    return plain_values(own.tensor);
  }
  throw std::invalid_argument(network.architecture.name + " has no tensor '" + tensor + "'");
}

int64_t images_together(const ImageShape& image) {
  return std::clamp<int64_t>(4 * 224 * 224 / (image.height * image.width), 1, 16);
}

}  // namespace convscope

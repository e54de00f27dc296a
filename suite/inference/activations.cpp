#include "suite/inference/activations.h"

#include "suite/inference/observe.h"
#include "suite/inference/plain_tensors.h"

namespace convscope {

Activations activations(const LoadedNetwork& network, const std::vector<float>& images,
                        int64_t count, size_t call) {
  const torch::NoGradGuard no_grad;
  ObserveOptions options;
  options.to_the_end = false;
  const torch::Tensor result =
      observe(*network.network, image_batch(network, images, count), {call}, options).kept[0];
  return {result.sizes().vec(), plain_values(result)};
}

}  // namespace convscope

#include "suite/inference/activations.h"

#include "suite/inference/observe.h"

namespace convscope {

Activations activations(const LoadedNetwork& network, const std::vector<float>& images,
                        int64_t count, size_t call) {
  const torch::NoGradGuard no_grad;
  const ImageShape& image = network.settings.image;
  // LibTorch does not write into its input; it has no way to say so.
  const torch::Tensor batch = torch::from_blob(const_cast<float*>(images.data()),
                                               {count, image.channels, image.height, image.width});
  ObserveOptions options;
  options.to_the_end = false;
  const torch::Tensor result =
      observe(*network.network, batch, {call}, options).kept[0].contiguous();
  return {result.sizes().vec(),
          {result.data_ptr<float>(), result.data_ptr<float>() + result.numel()}};
}

}  // namespace convscope

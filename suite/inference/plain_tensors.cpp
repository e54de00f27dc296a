#include "suite/inference/plain_tensors.h"

#include "architectures/network.h"

namespace convscope {

torch::Tensor image_batch(const LoadedNetwork& network, const std::vector<float>& values,
                          int64_t count) {
  const ImageShape& image = network.settings.image;
  return torch::from_blob(const_cast<float*>(values.data()),
                          {count, image.channels, image.height, image.width})
      .to(network.network->parameters().at(0).scalar_type(), /*non_blocking=*/false, /*copy=*/true);
}

std::vector<float> plain_values(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.detach().to(torch::kFloat32).contiguous();
  return {dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel()};
}

}  // namespace convscope

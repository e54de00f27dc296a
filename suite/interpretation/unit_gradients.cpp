#include "suite/interpretation/unit_gradients.h"

#include <torch/autograd.h>

#include "suite/data/random.h"
#include "suite/inference/observe.h"
#include "suite/inference/plain_tensors.h"

namespace convscope {
namespace {

/// 1 or -1 for each map of each image.
torch::Tensor signs(int64_t count, int64_t channels, uint64_t seed, int64_t first, size_t layer,
                    const torch::TensorOptions& options) {
  std::vector<float> values;
  for (int64_t image = 0; image < count; ++image) {
    Random random(seed, static_cast<uint64_t>(first + image), layer + 1);
    for (int64_t channel = 0; channel < channels; ++channel) {
      values.push_back(random.next() & 1 ? 1.f : -1.f);
    }
  }
  return torch::tensor(values).view({count, channels}).to(options);
}

}  // namespace

std::vector<std::vector<double>> unit_gradients(const LoadedNetwork& network,
                                                const std::vector<MapLayer>& layers,
                                                const std::vector<float>& images, int64_t count,
                                                uint64_t seed, int64_t first) {
  std::vector<size_t> calls;
  for (const MapLayer& layer : layers) calls.push_back(layer.call);
  const torch::Tensor batch = image_batch(network, images, count).requires_grad_();
  ObserveOptions options;
  options.to_the_end = false;
  const std::vector<torch::Tensor> maps = observe(*network.network, batch, calls, options).kept;
  std::vector<std::vector<double>> magnitudes;
  for (size_t i = 0; i < layers.size(); ++i) {
    const CentreUnit unit = centre_unit(layers[i]);
    const torch::Tensor units = maps[i].select(3, unit.column).select(2, unit.row);
    const torch::Tensor sum =
        (units * signs(count, units.size(1), seed, first, layers[i].call, units.options())).sum();
    const torch::Tensor gradient =
        torch::autograd::grad({sum}, {batch}, {}, /*retain_graph=*/true)[0];
    const torch::Tensor magnitude = gradient.abs().sum(1).to(torch::kFloat64).contiguous();
    magnitudes.emplace_back(magnitude.data_ptr<double>(),
                            magnitude.data_ptr<double>() + magnitude.numel());
  }
  return magnitudes;
}

std::vector<float> noise_images(const ImageShape& image, int64_t count, uint64_t seed,
                                int64_t first) {
  std::vector<float> values;
  values.reserve(static_cast<size_t>(count * image.channels * image.height * image.width));
  for (int64_t i = 0; i < count; ++i) {
    Random random(seed, static_cast<uint64_t>(first + i));
    for (int64_t v = 0; v < image.channels * image.height * image.width; ++v) {
      values.push_back(static_cast<float>(random.normal()));
    }
  }
  return values;
}

}  // namespace convscope

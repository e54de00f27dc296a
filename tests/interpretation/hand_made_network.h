// A network for tests: layers in a row, with names, as an instrument gets a loaded one.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "architectures/network.h"
#include "suite/analysis/trace.h"
#include "suite/inference/loaded_network.h"

namespace convscope {

/// Layers one after the other; the last result is averaged over positions if it is a map.
struct HandMade : Network {
  torch::nn::Sequential layers;

  explicit HandMade(torch::nn::Sequential all) : layers(register_module("layers", all)) {}
  torch::Tensor forward(torch::Tensor images) override {
    torch::Tensor x = layers->forward(images);
    return x.dim() == 4 ? x.mean({2, 3}) : x;
  }
};

/// In double precision unless told otherwise.
inline LoadedNetwork hand_made(torch::nn::Sequential layers, const ImageShape& image,
                               torch::ScalarType type = torch::kFloat64) {
  auto network = std::make_shared<HandMade>(std::move(layers));
  network->eval();
  Graph graph = trace(*network, {image.channels, image.height, image.width});
  network->to(type);
  for (torch::Tensor& parameter : network->parameters()) parameter.set_requires_grad(false);
  Architecture architecture{"hand_made", 2026, "", "", {image, 1, 0}, {}};
  return {architecture, architecture.settings, network, std::move(graph)};
}

inline torch::nn::Conv2d convolution(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1,
                                     int64_t padding = 0) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding).bias(false));
}

}  // namespace convscope

// A network that a test makes itself, as the instruments of suite/interpretation take it.
#pragma once

#include <functional>
#include <memory>

#include "architectures/network.h"
#include "suite/analysis/trace.h"
#include "suite/inference/loaded_network.h"

namespace convscope {

/// What `forward` does, as a module that holds `layers` by the names "0", "1", ...
struct ShownNetwork : Network {
  using Forward = std::function<torch::Tensor(ShownNetwork&, torch::Tensor)>;
  std::vector<torch::nn::Conv2d> layers;
  Forward forward_;

  ShownNetwork(std::vector<torch::nn::Conv2dOptions> options, Forward forward)
      : forward_(std::move(forward)) {
    for (const auto& one : options) {
      layers.push_back(register_module(std::to_string(layers.size()), torch::nn::Conv2d(one)));
    }
  }
  torch::Tensor forward(torch::Tensor images) override { return forward_(*this, images); }
};

inline LoadedNetwork shown(std::vector<torch::nn::Conv2dOptions> options,
                           ShownNetwork::Forward forward, const ImageShape& image,
                           torch::Dtype type = torch::kFloat64) {
  torch::manual_seed(1);
  auto network = std::make_shared<ShownNetwork>(std::move(options), std::move(forward));
  network->eval();
  Graph graph = trace(*network, {image.channels, image.height, image.width});
  network->to(type);
  Architecture architecture;
  architecture.name = "shown";
  return {architecture, {image, 10, 0}, network, std::move(graph)};
}

/// Every layer, each through a ReLU.
inline torch::Tensor one_by_one(ShownNetwork& network, torch::Tensor x) {
  for (auto& layer : network.layers) x = torch::relu(layer(x));
  return x.flatten(2).mean(2);
}

}  // namespace convscope

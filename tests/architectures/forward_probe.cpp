// The C++ side of torchvision_test.py: builds a network, fills its tensors by a formula that Python
// repeats, and prints their names and shapes and what the network computes.
#include <torch/nn.h>

#include <cmath>
#include <iomanip>
#include <iostream>
#include <string>

#include "architectures/catalogue.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

constexpr int64_t prime = 65537;

/// Cubes modulo this prime are a permutation of 0 ... 65536: noise in [-1, 1] that a float holds
/// exactly. The name says where it starts.
void fill_with_noise(const std::string& name, float* data, int64_t count, double centre,
                     double scale) {
  int64_t start = 0;
  for (const char letter : name) start = (31 * start + letter) % prime;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t x = (start + i) % prime;
    const double noise = static_cast<double>(x * x % prime * x % prime) / 32768 - 1;
    data[i] = static_cast<float>(centre + scale * noise);
  }
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void fill(const std::string& name, torch::Tensor tensor) {
  if (!tensor.is_floating_point()) return;
  double centre = 0, scale = 0.25;
  if (tensor.dim() > 1) {
    scale = std::sqrt(6.0 * static_cast<double>(tensor.size(0)) /
                      static_cast<double>(tensor.numel()));  // keeps variance through a ReLU
    // The neocognitron's synapses are never negative.
    const bool synapse = name.size() > 1 && name[name.size() - 2] == '.';
    if (synapse) centre = scale;
  } else if (ends_with(name, "bn2.weight")) {
    centre = 0.25;  // else the 600 blocks of resnet1202 add up to infinity
  } else if (ends_with(name, "weight") || ends_with(name, "running_var")) {
    centre = 1;
  }
  fill_with_noise(name, tensor.data_ptr<float>(), tensor.numel(), centre, scale);
}

void print(const std::string& title, const torch::Tensor& values) {
  std::cout << title << std::setprecision(9);
  const torch::Tensor flat = values.flatten();
  for (int64_t i = 0; i < flat.numel(); ++i) std::cout << ' ' << flat[i].item<float>();
  std::cout << '\n';
}

void probe(const std::string& name, bool auxiliary, int64_t images, int64_t side) {
  const Architecture& architecture = find_architecture(name);
  Settings settings = architecture.settings;
  settings.auxiliary = auxiliary;
  settings.image.width = side;
  if (settings.image.height > 1) settings.image.height = side;  // a signal stays one pixel high
  const std::shared_ptr<Network> network = architecture.build(settings);

  const auto describe = [](const std::string& kind, const auto& tensors) {
    for (const auto& item : tensors) {
      std::cout << kind << ' ' << item.key();
      for (const int64_t size : item.value().sizes()) std::cout << ' ' << size;
      std::cout << '\n';
      fill(item.key(), item.value());
    }
  };
  torch::NoGradGuard no_grad;
  describe("parameter", network->named_parameters());
  describe("buffer", network->named_buffers());

  const ImageShape shape = settings.image;
  const auto batch = torch::empty({images, shape.channels, shape.height, shape.width});
  std::cout << "images";
  for (const int64_t size : batch.sizes()) std::cout << ' ' << size;
  std::cout << '\n';
  fill_with_noise("images", batch.data_ptr<float>(), batch.numel(), 0, 1);
  network->eval();
  print("evaluation", network->forward(batch));

  for (const auto& module : network->modules()) {
    if (auto* dropout = module->as<torch::nn::Dropout>()) dropout->options.p(0);
    if (auto* dropout = module->as<torch::nn::Dropout2d>()) dropout->options.p(0);
    if (auto* depth = module->as<StochasticDepth>()) depth->probability = 0;
  }
  network->train();
  print("training", network->forward(batch));
  for (const AuxiliaryLogits& head : network->auxiliary) print("training", head.logits);
  for (const torch::Tensor& buffer : network->buffers()) {
    if (buffer.is_floating_point()) print("statistics", buffer.mean());
  }
}

}  // namespace
}  // namespace convscope

int main(int argc, char** argv) try {
  if (argc != 5) {
    throw std::invalid_argument("usage: forward_probe NETWORK HEADS(0|1) IMAGES SIDE");
  }
  convscope::probe(argv[1], argv[2] == std::string("1"), std::stoll(argv[3]), std::stoll(argv[4]));
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}

#include "suite/interpretation/unit_climb.h"

#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "suite/data/transforms.h"
#include "suite/inference/observe.h"
#include "suite/inference/plain_tensors.h"

namespace convscope {
namespace {

constexpr double least_weight = 0.3;  // of a position, as a share of the map's answer

/// What the network sees of a picture from 0 to 1.
torch::Tensor seen_of(torch::Tensor picture, const Preprocessing& preprocessing) {
  if (preprocessing.bgr) picture = picture.flip({0});
  const auto of_channels = [](const std::vector<double>& values) {
    return torch::tensor(values).to(torch::kFloat32).reshape({-1, 1, 1});
  };
  return ((picture * preprocessing.range - of_channels(preprocessing.mean)) /
          of_channels(preprocessing.deviation))
      .unsqueeze(0);
}

torch::Tensor middle_of(const torch::Tensor& map) {
  return map.select(2, map.size(2) / 2).select(1, map.size(1) / 2);
}

/// The root mean square of what is above 0.
torch::Tensor strength_of(const torch::Tensor& map) {
  return map.clamp_min(0).square().mean().sqrt();
}

/// What an operator that is a rectifier computes; nothing for others.
std::optional<torch::Tensor> rectified(const std::string& op, const torch::jit::Stack& arguments) {
  if (op == "aten::relu" || op == "aten::relu_") return arguments[0].toTensor().clamp_min(0);
  if (op == "aten::relu6" || op == "aten::relu6_") return arguments[0].toTensor().clamp(0, 6);
  if (op == "aten::hardtanh" || op == "aten::hardtanh_") {
    return arguments[0].toTensor().clamp(arguments[1].toScalar(), arguments[2].toScalar());
  }
  return std::nullopt;
}

/// The calls between the last weights before a call and that call, itself included.
std::unordered_set<size_t> calls_since_weights(const Graph& graph, size_t call) {
  std::vector<size_t> maker(graph.values.size());
  for (size_t i = 0; i <= call; ++i) {
    for (const int output : graph.calls[i].outputs) maker[static_cast<size_t>(output)] = i + 1;
  }
  std::unordered_set<size_t> found;
  std::vector<size_t> open = {call};
  while (!open.empty()) {
    const size_t next = open.back();
    open.pop_back();
    const std::vector<int>& inputs = graph.calls[next].inputs;
    const bool has_weights = std::any_of(inputs.begin(), inputs.end(), [&](int value) {
      return value >= 0 && graph.values[static_cast<size_t>(value)].parameter >= 0;
    });
    if (has_weights || !found.insert(next).second) continue;
    for (const int input : inputs) {
      if (input >= 0 && maker[static_cast<size_t>(input)] > 0) {
        open.push_back(maker[static_cast<size_t>(input)] - 1);
      }
    }
  }
  return found;
}

}  // namespace

UnitClimb::UnitClimb(const LoadedNetwork& network, const Preprocessing& preprocessing, size_t call,
                     int64_t unit, DreamObjective objective)
    : network_(network),
      preprocessing_(preprocessing),
      call_(call),
      unit_(unit),
      objective_(objective),
      own_rectifiers_(calls_since_weights(network.graph, call)) {}

double UnitClimb::answer(const Image& picture) const {
  const ImageShape& shape = network_.settings.image;
  std::vector<float> values(static_cast<size_t>(shape.channels * shape.height * shape.width));
  normalise(picture, preprocessing_, values.data());
  const torch::NoGradGuard plain;
  ObserveOptions how;
  how.to_the_end = false;
  const Observed seen = observe(*network_.network, image_batch(network_, values, 1), {call_}, how);
  const torch::Tensor own = seen.kept[0].select(1, unit_);
  if (own.dim() == 1) return own.item<double>();
  const bool centre = objective_ == DreamObjective::centre;
  return (centre ? middle_of(own) : strength_of(own)).item<double>();
}

torch::Tensor UnitClimb::gradient(const torch::Tensor& picture, bool all_pass) const {
  ObserveOptions how;
  how.to_the_end = false;
  how.exchange = [&](size_t call,
                     const torch::jit::Stack& arguments) -> std::optional<torch::Tensor> {
    const bool own = own_rectifiers_.count(call) > 0;
    if (!own && !all_pass) return std::nullopt;
    const auto result = rectified(network_.graph.calls[call].op, arguments);
    if (!result) return std::nullopt;
    // Adds 0, and where it is below 0 a gradient.
    const torch::Tensor below = arguments[0].toTensor().clamp_max(0);
    return *result + (below - below.detach());
  };
  const torch::Tensor leaf = picture.detach().requires_grad_();
  const Observed seen = observe(*network_.network, seen_of(leaf, preprocessing_), {call_}, how);
  torch::Tensor own = seen.kept[0].select(1, unit_);
  if (own.dim() == 3 && objective_ == DreamObjective::centre) own = middle_of(own);
  torch::Tensor weights = torch::ones_like(own);
  if (own.dim() == 3) {
    const torch::Tensor plain = own.detach();
    const double strength = strength_of(plain).item<double>();
    if (strength > 0) weights = plain.clamp_min(least_weight * strength);
  }
  return torch::autograd::grad({(own * weights).sum()}, {leaf})[0];
}

torch::Tensor UnitClimb::direction(const torch::Tensor& picture) const {
  torch::Tensor found = gradient(picture, /*all_pass=*/false);
  if (found.count_nonzero().item<int64_t>() == 0) found = gradient(picture, /*all_pass=*/true);
  // In double, so that the squares of small gradients are not 0.
  const double length = found.to(torch::kFloat64).square().mean().sqrt().item<double>();
  if (!std::isfinite(length)) throw std::runtime_error("the network computes no finite number");
  return length > 0 ? (found / length).to(torch::kFloat32) : found;
}

}  // namespace convscope

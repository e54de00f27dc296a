#include "suite/interpretation/attribution.h"

#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "suite/inference/observe.h"

namespace convscope {
namespace {

/// The sum of the gradients at baseline + share * (image - baseline) for these shares.
torch::Tensor gradients_along(Network& network, const torch::Tensor& image,
                              const torch::Tensor& baseline, int64_t class_index,
                              const std::vector<double>& shares, int64_t together) {
  torch::Tensor sum = torch::zeros_like(image);
  for (size_t first = 0; first < shares.size(); first += static_cast<size_t>(together)) {
    const size_t end = std::min(shares.size(), first + static_cast<size_t>(together));
    std::vector<torch::Tensor> points;
    for (size_t i = first; i < end; ++i) {
      points.push_back(baseline + shares[i] * (image - baseline));
    }
    sum += logit_gradient(network, torch::cat(points), class_index).sum(0, /*keepdim=*/true);
  }
  return sum;
}

torch::Tensor logits_of(Network& network, const torch::Tensor& images, int64_t class_index) {
  const torch::NoGradGuard no_grad;
  return network.forward(images).select(1, class_index);
}

/// Where squares begin: every `stride` pixels, and so that the last one ends at the edge.
std::vector<int64_t> places(int64_t length, int64_t side, int64_t stride) {
  std::vector<int64_t> begins;
  for (int64_t begin = 0; begin < length - side; begin += stride) begins.push_back(begin);
  begins.push_back(std::max<int64_t>(0, length - side));
  return begins;
}

}  // namespace

torch::Tensor logit_gradient(Network& network, const torch::Tensor& images, int64_t class_index,
                             bool guided) {
  const torch::Tensor leaf = images.detach().clone().requires_grad_();
  ObserveOptions options;
  options.guided = guided;
  const torch::Tensor logits =
      guided ? observe(network, leaf, {}, options).result : network.forward(leaf);
  return torch::autograd::grad({logits.select(1, class_index).sum()}, {leaf})[0];
}

IntegratedGradients integrated_gradients(Network& network, const torch::Tensor& image,
                                         const torch::Tensor& baseline, int64_t class_index,
                                         double largest_gap, int64_t most, int64_t together) {
  const torch::Tensor ends =
      logits_of(network, torch::cat({baseline, image}), class_index).to(torch::kFloat64);
  const double expected = (ends[1] - ends[0]).item<double>();
  const auto along = [&](const std::vector<double>& shares) {
    return gradients_along(network, image, baseline, class_index, shares, together);
  };
  torch::Tensor mean = along({0, 1}) / 2;
  int64_t intervals = 1;
  for (;;) {
    torch::Tensor attributions = mean * (image - baseline);
    const double sum = attributions.sum(torch::kFloat64).item<double>();
    const double gap = std::abs(sum - expected) / std::abs(expected);
    // A coarse sum can be right by chance.
    const bool enough = intervals >= 32 && gap <= largest_gap;
    if (enough || intervals >= most) return {attributions, gap, intervals};
    std::vector<double> middles;
    for (int64_t i = 0; i < intervals; ++i) {
      middles.push_back((static_cast<double>(i) + 0.5) / static_cast<double>(intervals));
    }
    mean = (mean + along(middles) / static_cast<double>(intervals)) / 2;
    intervals *= 2;
  }
}

torch::Tensor smooth_gradient(Network& network, const torch::Tensor& image, int64_t class_index,
                              double deviation, int64_t copies, uint64_t seed, int64_t together) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, static_cast<float>(deviation));
  torch::Tensor sum = torch::zeros_like(image);
  for (int64_t first = 0; first < copies; first += together) {
    const int64_t count = std::min(together, copies - first);
    std::vector<float> values(static_cast<size_t>(count * image.numel()));
    for (float& value : values) value = normal(random);
    const torch::Tensor noise =
        torch::tensor(values).view({count, image.size(1), image.size(2), image.size(3)});
    sum += logit_gradient(network, image + noise.to(image.options()), class_index)
               .sum(0, /*keepdim=*/true);
  }
  return sum / copies;
}

torch::Tensor grad_cam(Network& network, const torch::Tensor& images, int64_t class_index,
                       size_t call) {
  ObserveOptions options;
  options.from_kept = true;
  const Observed observed = observe(network, images, {call}, options);
  const torch::Tensor& maps = observed.kept[0];
  const torch::Tensor gradient =
      torch::autograd::grad({observed.result.select(1, class_index).sum()}, {maps})[0];
  const torch::NoGradGuard no_grad;
  return (maps * gradient.mean({2, 3}, /*keepdim=*/true)).sum(1).clamp_min(0);
}

torch::Tensor occlusion(Network& network, const torch::Tensor& image, const torch::Tensor& baseline,
                        int64_t class_index, int64_t side, int64_t stride, int64_t together) {
  const int64_t height = image.size(2), width = image.size(3);
  std::vector<std::pair<int64_t, int64_t>> squares;
  for (const int64_t top : places(height, side, stride)) {
    for (const int64_t left : places(width, side, stride)) squares.emplace_back(top, left);
  }
  const torch::Tensor whole = logits_of(network, image, class_index);
  torch::Tensor sum = torch::zeros({height, width}, torch::kFloat64), times = sum.clone();
  for (size_t first = 0; first < squares.size(); first += static_cast<size_t>(together)) {
    const size_t end = std::min(squares.size(), first + static_cast<size_t>(together));
    const auto part = [&](const torch::Tensor& tensor, size_t i) {
      return tensor.narrow(-2, squares[i].first, std::min(side, height))
          .narrow(-1, squares[i].second, std::min(side, width));
    };
    std::vector<torch::Tensor> covered;
    for (size_t i = first; i < end; ++i) {
      covered.push_back(image.clone());
      part(covered.back(), i).copy_(part(baseline, i));
    }
    const torch::Tensor drops =
        (whole - logits_of(network, torch::cat(covered), class_index)).to(torch::kFloat64);
    for (size_t i = first; i < end; ++i) {
      part(sum, i).add_(drops[static_cast<int64_t>(i - first)]);
      part(times, i).add_(1);
    }
  }
  return sum / times;
}

}  // namespace convscope

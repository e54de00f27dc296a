#include "suite/interpretation/attribution.h"

#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "suite/data/random.h"
#include "suite/inference/observe.h"

namespace convscope {
namespace {

/// A point of the path from the baseline to the image.
struct PathPoint {
  double share, logit;
  double slope;            ///< of the logit along the path
  torch::Tensor gradient;  ///< by the pixels
};

std::vector<PathPoint> points_at(Network& network, const torch::Tensor& image,
                                 const torch::Tensor& baseline, int64_t class_index,
                                 const std::vector<double>& shares, int64_t together) {
  const torch::Tensor path = image - baseline;
  std::vector<PathPoint> points;
  for (size_t first = 0; first < shares.size(); first += static_cast<size_t>(together)) {
    const size_t end = std::min(shares.size(), first + static_cast<size_t>(together));
    std::vector<torch::Tensor> images;
    for (size_t i = first; i < end; ++i) images.push_back(baseline + shares[i] * path);
    const torch::Tensor leaf = torch::cat(images).requires_grad_();
    const torch::Tensor logits = network.forward(leaf).select(1, class_index);
    const torch::Tensor gradients = torch::autograd::grad({logits.sum()}, {leaf})[0];
    for (size_t i = first; i < end; ++i) {
      const auto place = static_cast<int64_t>(i - first);
      torch::Tensor gradient = gradients.narrow(0, place, 1).clone();
      const double slope = (gradient * path).sum(torch::kFloat64).item<double>();
      points.push_back({shares[i], logits[place].item<double>(), slope, std::move(gradient)});
    }
  }
  return points;
}

/// What the trapezoidal rule misses between two points, which is known: the logits' difference.
double missed(const PathPoint& from, const PathPoint& to) {
  return (to.share - from.share) * (from.slope + to.slope) / 2 - (to.logit - from.logit);
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
  constexpr int64_t at_first = 16;
  std::vector<double> shares;
  for (int64_t i = 0; i <= at_first; ++i) {
    shares.push_back(static_cast<double>(i) / static_cast<double>(at_first));
  }
  const auto at = [&](const std::vector<double>& where) {
    return points_at(network, image, baseline, class_index, where, together);
  };
  std::vector<PathPoint> points = at(shares);
  const auto by_share = [](const PathPoint& a, const PathPoint& b) { return a.share < b.share; };
  for (;;) {
    const double expected = points.back().logit - points.front().logit;
    std::vector<std::pair<double, double>> misses;  // and the middle of the interval
    double sum_of_misses = 0, missed_in_all = 0;
    for (size_t i = 0; i + 1 < points.size(); ++i) {
      const double miss = missed(points[i], points[i + 1]);
      missed_in_all += miss;
      sum_of_misses += std::abs(miss);
      misses.emplace_back(std::abs(miss), (points[i].share + points[i + 1].share) / 2);
    }
    const auto intervals = static_cast<int64_t>(misses.size());
    // What misses above and below cancels, but should not by chance.
    const bool enough = std::abs(missed_in_all) <= largest_gap * std::abs(expected) &&
                        sum_of_misses <= 4 * largest_gap * std::abs(expected);
    if (enough || intervals >= most) {
      torch::Tensor sum = torch::zeros_like(image);
      for (size_t i = 0; i < points.size(); ++i) {
        const double before = i > 0 ? points[i - 1].share : 0,
                     after = i + 1 < points.size() ? points[i + 1].share : 1;
        sum.add_(points[i].gradient, (after - before) / 2);
      }
      sum *= image - baseline;
      const double gap =
          std::abs(sum.sum(torch::kFloat64).item<double>() - expected) / std::abs(expected);
      return {sum, gap, intervals};
    }
    // Those are halved that miss most.
    std::sort(misses.rbegin(), misses.rend());
    misses.resize(static_cast<size_t>(std::min({intervals, 2 * together, most - intervals})));
    std::vector<double> middles;
    for (const auto& [miss, middle] : misses) middles.push_back(middle);
    for (PathPoint& point : at(middles)) points.push_back(std::move(point));
    std::sort(points.begin(), points.end(), by_share);
  }
}

torch::Tensor smooth_gradient(Network& network, const torch::Tensor& image, int64_t class_index,
                              double deviation, int64_t copies, uint64_t seed, int64_t together) {
  Random random(seed);
  torch::Tensor sum = torch::zeros_like(image);
  for (int64_t first = 0; first < copies; first += together) {
    const int64_t count = std::min(together, copies - first);
    std::vector<float> values(static_cast<size_t>(count * image.numel()));
    for (float& value : values) value = static_cast<float>(deviation * random.normal());
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

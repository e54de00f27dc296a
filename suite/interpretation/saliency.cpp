#include "suite/interpretation/saliency.h"

#include <torch/nn/functional.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "suite/analysis/receptive_field.h"
#include "suite/data/random.h"
#include "suite/inference/plain_tensors.h"
#include "suite/interpretation/attribution.h"

namespace convscope {
namespace {

/// What a method is given.
struct Question {
  Network& network;
  torch::Tensor image;  // 1 x C x H x W
  int64_t class_index;
  const SaliencySettings& settings;
  int64_t together;

  torch::Tensor baseline() const { return torch::zeros_like(image); }
};

/// H x W.
struct Answer {
  torch::Tensor map;
  double gap = std::nan("");
};

torch::Tensor largest_of_channels(const torch::Tensor& gradient) {
  return gradient[0].abs().amax(0);
}

Answer gradient(const Question& q) {
  return {largest_of_channels(logit_gradient(q.network, q.image, q.class_index))};
}

Answer guided(const Question& q) {
  return {largest_of_channels(logit_gradient(q.network, q.image, q.class_index, /*guided=*/true))};
}

Answer smooth(const Question& q) {
  const double range = (q.image.max() - q.image.min()).item<double>();
  return {largest_of_channels(smooth_gradient(q.network, q.image, q.class_index,
                                              q.settings.noise * range, q.settings.copies,
                                              q.settings.seed, q.together))};
}

Answer integrated(const Question& q) {
  // The gradients of all points are kept: of large images, fewer.
  constexpr int64_t most_bytes = int64_t{1} << 29;
  const int64_t most =
      std::clamp<int64_t>(most_bytes / (4 * q.image.numel()), 32, q.settings.most_intervals);
  const IntegratedGradients found = integrated_gradients(
      q.network, q.image, q.baseline(), q.class_index, q.settings.largest_gap, most, q.together);
  return {found.attributions[0].sum(0), found.gap};
}

Answer class_activation(const Question& q) {
  namespace F = torch::nn::functional;
  const torch::Tensor map = grad_cam(q.network, q.image, q.class_index, q.settings.map_call);
  const std::vector<int64_t> size = {q.image.size(2), q.image.size(3)};
  return {F::interpolate(
      map.unsqueeze(1),
      F::InterpolateFuncOptions().size(size).mode(torch::kBilinear).align_corners(false))[0][0]};
}

Answer occluded(const Question& q) {
  const int64_t longest = std::max(q.image.size(2), q.image.size(3));
  const int64_t side = std::max<int64_t>(1, longest / q.settings.squares);
  return {occlusion(q.network, q.image, q.baseline(), q.class_index, side,
                    std::max<int64_t>(1, side / 2), q.together)};
}

Answer random_numbers(const Question& q) {
  Random random(q.settings.seed);
  std::vector<float> values(static_cast<size_t>(q.image.size(2) * q.image.size(3)));
  for (float& value : values) value = static_cast<float>(random.uniform());
  return {torch::tensor(values).view({q.image.size(2), q.image.size(3)})};
}

struct MethodRow {
  SaliencyMethod told;
  Answer (*of)(const Question&);
};

const std::vector<MethodRow>& rows() {
  static const std::vector<MethodRow> all = {
      {{"gradient", "gradient"}, gradient},         {{"guided", "guided"}, guided},
      {{"smoothgrad", "SmoothGrad"}, smooth},       {{"integrated", "integrated"}, integrated},
      {{"grad-cam", "Grad-CAM"}, class_activation}, {{"occlusion", "occlusion"}, occluded},
      {{"random", "random"}, random_numbers}};
  return all;
}

/// The squares of a division of the image, those with the largest mean first.
struct Squares {
  static constexpr int64_t to_a_side = 28;
  int64_t down, across;  // how many
  int64_t side;
  std::vector<int64_t> order;

  Squares(const std::vector<float>& map, int64_t height, int64_t width) {
    side = std::max<int64_t>(1, (std::max(height, width) + to_a_side - 1) / to_a_side);
    down = (height + side - 1) / side;
    across = (width + side - 1) / side;
    std::vector<double> sums(static_cast<size_t>(down * across)), areas(sums.size());
    for (int64_t row = 0; row < height; ++row) {
      for (int64_t column = 0; column < width; ++column) {
        const auto square = static_cast<size_t>(row / side * across + column / side);
        sums[square] += map[static_cast<size_t>(row * width + column)];
        areas[square] += 1;
      }
    }
    for (size_t i = 0; i < sums.size(); ++i) sums[i] /= areas[i];
    order.resize(sums.size());
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return sums[static_cast<size_t>(a)] > sums[static_cast<size_t>(b)];
    });
  }

  void exchange(torch::Tensor& image, const torch::Tensor& with, int64_t square) const {
    const int64_t top = square / across * side, left = square % across * side;
    const auto part = [&](const torch::Tensor& tensor) {
      return tensor.narrow(-2, top, std::min(side, image.size(-2) - top))
          .narrow(-1, left, std::min(side, image.size(-1) - left));
    };
    part(image).copy_(part(with));
  }
};

/// N x C x H x W with a Gaussian of this deviation in pixels, the edges repeated.
torch::Tensor blurred(const torch::Tensor& images, double deviation) {
  namespace F = torch::nn::functional;
  const auto reach = static_cast<int64_t>(std::ceil(3 * deviation));
  const torch::Tensor places = torch::arange(-reach, reach + 1, images.options());
  torch::Tensor bell = torch::exp(-places * places / (2 * deviation * deviation));
  bell = bell / bell.sum();
  const int64_t taps = 2 * reach + 1, channels = images.size(1);
  const torch::Tensor padded =
      F::pad(images, F::PadFuncOptions({reach, reach, reach, reach}).mode(torch::kReplicate));
  const auto along = [&](const torch::Tensor& tensor, at::IntArrayRef shape) {
    return F::conv2d(tensor, bell.view(shape).repeat({channels, 1, 1, 1}),
                     F::Conv2dFuncOptions().groups(channels));
  };
  return along(along(padded, {1, 1, taps, 1}), {1, 1, 1, taps});
}

}  // namespace

const std::vector<SaliencyMethod>& saliency_methods() {
  static const std::vector<SaliencyMethod> all = [] {
    std::vector<SaliencyMethod> told;
    for (const MethodRow& row : rows()) told.push_back(row.told);
    return told;
  }();
  return all;
}

SaliencyMap saliency(const LoadedNetwork& network, const std::string& method,
                     const std::vector<float>& image, int64_t class_index,
                     const SaliencySettings& settings) {
  const auto found = std::find_if(rows().begin(), rows().end(),
                                  [&](const MethodRow& row) { return row.told.name == method; });
  if (found == rows().end()) throw std::invalid_argument("no saliency method '" + method + "'");
  const Question question{*network.network, image_batch(network, image, 1), class_index, settings,
                          images_together(network.settings.image)};
  const Answer answer = found->of(question);
  return {plain_values(answer.map), answer.gap};
}

std::vector<double> deletion_curve(const LoadedNetwork& network, const std::vector<float>& image,
                                   const std::vector<float>& map, int64_t class_index,
                                   int64_t steps) {
  const torch::NoGradGuard no_grad;
  const ImageShape& shape = network.settings.image;
  const Squares squares(map, shape.height, shape.width);
  torch::Tensor left = image_batch(network, image, 1);
  const torch::Tensor fill = blurred(left, static_cast<double>(squares.side));
  const auto count = static_cast<int64_t>(squares.order.size());
  std::vector<torch::Tensor> waiting;
  std::vector<double> curve;
  int64_t erased = 0;
  for (int64_t step = 0; step <= steps; ++step) {
    for (; erased < step * count / steps; ++erased) {
      squares.exchange(left, fill, squares.order[static_cast<size_t>(erased)]);
    }
    waiting.push_back(left.clone());
    const bool full = static_cast<int64_t>(waiting.size()) == 2 * images_together(shape);
    if (!full && step < steps) continue;
    const torch::Tensor probabilities = network.network->forward(torch::cat(waiting))
                                            .to(torch::kFloat64)
                                            .softmax(1)
                                            .select(1, class_index)
                                            .contiguous();
    curve.insert(curve.end(), probabilities.data_ptr<double>(),
                 probabilities.data_ptr<double>() + probabilities.numel());
    waiting.clear();
  }
  return curve;
}

double area_under(const std::vector<double>& curve) {
  if (curve.size() < 2) throw std::invalid_argument("an area needs a curve of two points");
  double sum = (curve.front() + curve.back()) / 2;
  for (size_t i = 1; i + 1 < curve.size(); ++i) sum += curve[i];
  return sum / static_cast<double>(curve.size() - 1);
}

std::vector<float> logits_of_image(const LoadedNetwork& network, const std::vector<float>& image) {
  const torch::NoGradGuard no_grad;
  return plain_values(network.network->forward(image_batch(network, image, 1)));
}

size_t last_map_call(const Graph& graph) {
  const int call =
      receptive_fields(graph).of_value.at(static_cast<size_t>(graph.outputs.at(0))).made_by;
  if (call < 0) throw std::invalid_argument("the network has no feature maps");
  return static_cast<size_t>(call);
}

}  // namespace convscope

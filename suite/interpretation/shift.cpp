#include "suite/interpretation/shift.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "suite/analysis/receptive_field.h"
#include "suite/inference/observe.h"
#include "suite/inference/plain_tensors.h"
#include "suite/interpretation/downsampled.h"

namespace convscope {
namespace {

/// Maps (N x C x height x width) whose vectors of channels have the length 1, or are 0.
torch::Tensor directions(torch::Tensor maps) {
  // Scaled first, so that no square is beyond the numbers that there are.
  const double largest = maps.abs().amax().item<double>();
  if (largest == 0) return maps;
  maps = maps / largest;
  const torch::Tensor length = maps.square().sum(1, /*keepdim=*/true).sqrt_();
  return maps.div_(length.masked_fill(length == 0, 1));
}

/// The mean distance in each column of `a` from its k-th column on and of `b` from its first; both
/// are directions of one image, C x height x width.
std::vector<double> column_distances(const torch::Tensor& a, const torch::Tensor& b, int64_t k) {
  const int64_t columns = a.size(2) - k;
  const torch::Tensor from = a.narrow(2, k, columns), to = b.narrow(2, 0, columns);
  // Half the squared distance of unit vectors is 1 less their product, and exact for near ones.
  torch::Tensor distance = (from - to).square_().sum(0).mul_(0.5);
  const torch::Tensor differ = (from != 0).any(0).logical_xor((to != 0).any(0));
  if (differ.any().item<bool>()) distance = distance.masked_fill(differ, 1);
  const torch::Tensor means = distance.to(torch::kFloat64).mean(0).contiguous();
  return {means.data_ptr<double>(), means.data_ptr<double>() + columns};
}

struct Mean {
  double sum = 0, weight = 0;

  void add(double value, double times) {
    sum += value * times;
    weight += times;
  }
  std::optional<double> value() const {
    return weight > 0 ? std::optional(sum / weight) : std::nullopt;
  }
};

MapDistance map_distance(const torch::Tensor& before, const torch::Tensor& after,
                         const Field& field, int64_t image_width, int64_t shift) {
  const auto inside = [&](int64_t cell) {
    const int64_t first = cell * field.stride - field.padding;
    return first >= 0 && first + field.size <= image_width;
  };
  Mean all, inner;
  // Of the pixels of a cell, some meet the cell that is `cells` to the left, and the others, nearer
  // to the cell's own left edge, the one after it.
  const int64_t cells = shift / field.stride, further = shift % field.stride;
  for (const auto& [k, pixels] :
       {std::pair(cells, field.stride - further), std::pair(cells + 1, further)}) {
    if (pixels == 0 || k >= before.size(2)) continue;
    const std::vector<double> distances = column_distances(before, after, k);
    for (size_t i = 0; i < distances.size(); ++i) {
      const auto cell = static_cast<int64_t>(i);
      all.add(distances[i], static_cast<double>(pixels));
      if (inside(cell) && inside(cell + k)) inner.add(distances[i], static_cast<double>(pixels));
    }
  }
  return {all.value(), inner.value()};
}

AnswerChange answer_change(const torch::Tensor& before, const torch::Tensor& after) {
  const torch::Tensor from = before.to(torch::kFloat64), to = after.to(torch::kFloat64);
  const int64_t top = from.argmax().item<int64_t>(), top_now = to.argmax().item<int64_t>();
  const auto direction = [](const torch::Tensor& logits) {
    return directions(logits.view({1, -1, 1, 1})).squeeze(0);
  };
  return {column_distances(direction(from), direction(to), 0)[0], top_now, top == top_now,
          std::abs(from.softmax(0)[top].item<double>() - to.softmax(0)[top].item<double>())};
}

/// As many shifts at a time as keep the maps of all layers within a budget; more than a few are no
/// faster.
size_t shifts_at_a_time(const std::vector<MapLayer>& layers) {
  constexpr int64_t budget = int64_t{128} << 20, most = 4;
  int64_t bytes = 1;
  for (const MapLayer& layer : layers) bytes += element_count(layer.shape) * 4;
  return static_cast<size_t>(std::clamp(budget / bytes, int64_t{1}, most));
}

}  // namespace

ShiftResponse shift_response(const LoadedNetwork& network, const std::vector<MapLayer>& layers,
                             Downsampling downsampling, const WideImage& image,
                             const std::vector<int64_t>& shifts) {
  const ImageShape& shape = network.settings.image;
  const int64_t size = shape.channels * shape.height * image.width;
  const int64_t furthest = shifts.empty() ? 0 : *std::max_element(shifts.begin(), shifts.end());
  if (static_cast<int64_t>(image.values.size()) != size || image.width < shape.width + furthest) {
    throw std::invalid_argument("expected an image of " + std::to_string(shape.height) + " x " +
                                std::to_string(shape.width + furthest) + " pixels, found " +
                                std::to_string(image.values.size()) + " values");
  }
  const torch::NoGradGuard no_gradients;
  LoadedNetwork wide = network;  // shares the module
  wide.settings.image.width = image.width;
  const torch::Tensor strip = image_batch(wide, image.values, 1);

  ObserveOptions options;
  options.exchange = exchange_of(network.graph, downsampling);
  const ReceptiveFields fields = receptive_fields(
      downsampling == Downsampling::blurred ? blurred_graph(network.graph) : network.graph);
  std::vector<size_t> calls;
  std::vector<Field> field_of;
  for (const MapLayer& layer : layers) {
    calls.push_back(layer.call);
    const int value = network.graph.calls.at(layer.call).outputs.at(0);
    field_of.push_back(fields.of_value.at(static_cast<size_t>(value)).sides.at(1));
  }
  Observed base = observe(*network.network, strip.narrow(3, 0, shape.width), calls, options);
  for (torch::Tensor& maps : base.kept) maps = directions(maps)[0];

  ShiftResponse response;
  response.maps.resize(layers.size());
  const size_t at_a_time = shifts_at_a_time(layers);
  for (size_t begin = 0; begin < shifts.size(); begin += at_a_time) {
    const size_t end = std::min(begin + at_a_time, shifts.size());
    std::vector<torch::Tensor> windows;
    for (size_t i = begin; i < end; ++i) {
      windows.push_back(strip.narrow(3, shifts[i], shape.width));
    }
    Observed moved = observe(*network.network, torch::cat(windows), calls, options);
    for (size_t layer = 0; layer < layers.size(); ++layer) {
      const torch::Tensor after = directions(moved.kept[layer]);
      moved.kept[layer] = torch::Tensor();
      for (size_t i = begin; i < end; ++i) {
        response.maps[layer].push_back(map_distance(base.kept[layer],
                                                    after[static_cast<int64_t>(i - begin)],
                                                    field_of[layer], shape.width, shifts[i]));
      }
    }
    for (size_t i = begin; i < end; ++i) {
      response.answers.push_back(
          answer_change(base.result[0], moved.result[static_cast<int64_t>(i - begin)]));
    }
  }
  return response;
}

}  // namespace convscope

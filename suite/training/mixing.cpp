#include "suite/training/mixing.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace convscope {
namespace {

double uniform() { return at::rand({1}, torch::kDouble).item<double>(); }

/// A sample of Beta(x, x).
double beta(double x) {
  return at::_sample_dirichlet(at::full({2}, x, torch::kDouble))[0].item<double>();
}

/// Where a rectangle of this size around a random middle lies in so many pixels.
std::pair<int64_t, int64_t> stretch(int64_t pixels, double size) {
  const auto middle = static_cast<int64_t>(uniform() * static_cast<double>(pixels));
  const auto half = static_cast<int64_t>(size * static_cast<double>(pixels) / 2);
  return {std::max<int64_t>(middle - half, 0), std::min(middle + half, pixels)};
}

}  // namespace

MixedBatch mixed(const Recipe& recipe, torch::Tensor images, torch::Tensor labels) {
  MixedBatch batch{std::move(images), std::move(labels), {}, 1};
  if (!recipe.mixes()) return batch;
  const bool cuts = recipe.mixup == 0 || (recipe.cutmix > 0 && uniform() < 0.5);
  const torch::Tensor order = at::randperm(batch.labels.size(0), torch::kLong);
  const torch::Tensor others = batch.images.index_select(0, order);
  batch.others = batch.labels.index_select(0, order);
  if (!cuts) {
    batch.share = beta(recipe.mixup);
    batch.images = others.lerp(batch.images, batch.share);
    return batch;
  }
  const int64_t height = batch.images.size(2), width = batch.images.size(3);
  const double side = std::sqrt(1 - beta(recipe.cutmix));
  const auto [top, bottom] = stretch(height, side);
  const auto [left, right] = stretch(width, side);
  batch.images = batch.images.clone();
  batch.images.slice(2, top, bottom)
      .slice(3, left, right)
      .copy_(others.slice(2, top, bottom).slice(3, left, right));
  // Of the area that was cut, which the border of the image may have made smaller.
  batch.share = 1 - static_cast<double>((bottom - top) * (right - left)) /
                        static_cast<double>(height * width);
  return batch;
}

}  // namespace convscope

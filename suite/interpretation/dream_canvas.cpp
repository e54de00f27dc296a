#include "suite/interpretation/dream_canvas.h"

#include <cmath>

#include "suite/interpretation/cosine_basis.h"

namespace convscope {
namespace {

constexpr double noise_deviation = 0.01;
constexpr double slope_at_grey = 0.25;  // of the sigmoid
constexpr double shortest = 1e-3;       // gradient of which the length has a derivative

torch::Tensor tensor_of(const std::vector<float>& values, torch::IntArrayRef shape) {
  return torch::tensor(values).reshape(shape);
}

/// From three independent channels to colours that are correlated as ImageNet's are, with a mean
/// square of 1: the principal components of its pixels, each times the root of its variance
/// (Krizhevsky et al. 2012; these numbers are those that Torch's ResNets were trained with).
torch::Tensor photographs_colours() {
  const torch::Tensor components = torch::tensor(
      {{-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}});
  const torch::Tensor variances = torch::tensor({0.2175, 0.0188, 0.0045});
  return (components * (variances * 3 / variances.sum()).sqrt()).to(torch::kFloat32);
}

/// The sum over channels and pixels of the length of the gradient.
torch::Tensor total_variation(const torch::Tensor& picture) {
  const int64_t height = picture.size(1) - 1, width = picture.size(2) - 1;
  if (height < 1 || width < 1) return torch::zeros({});
  const torch::Tensor here = picture.narrow(1, 0, height).narrow(2, 0, width);
  const torch::Tensor down = picture.narrow(1, 1, height).narrow(2, 0, width) - here;
  const torch::Tensor right = picture.narrow(1, 0, height).narrow(2, 1, width) - here;
  return (down.square() + right.square() + shortest * shortest).sqrt().sum();
}

}  // namespace

DreamCanvas::DreamCanvas(const ImageShape& shape, const DreamOptions& options, Random& random)
    : frequency_(options.domain == DreamDomain::frequency),
      rows_(tensor_of(cosine_basis(shape.height), {shape.height, shape.height})),
      columns_(tensor_of(cosine_basis(shape.width), {shape.width, shape.width})),
      spectrum_(
          tensor_of(natural_spectrum(shape.height, shape.width), {shape.height, shape.width})),
      blur_(tensor_of(blurred_spectrum(shape.height, shape.width, options.blur),
                      {shape.height, shape.width})) {
  if (frequency_ && shape.channels == 3) colours_ = photographs_colours();
  const auto count = static_cast<size_t>(shape.channels * shape.height * shape.width);
  std::vector<float> noise;
  noise.reserve(count);
  while (noise.size() < count) {
    noise.push_back(static_cast<float>(noise_deviation * random.normal()));
  }
  parameters = tensor_of(noise, {shape.channels, shape.height, shape.width}).requires_grad_();
}

torch::Tensor DreamCanvas::to_cosines(const torch::Tensor& values) const {
  return rows_.matmul(values).matmul(columns_.t());
}

torch::Tensor DreamCanvas::from_cosines(const torch::Tensor& coefficients) const {
  return rows_.t().matmul(coefficients).matmul(columns_);
}

torch::Tensor DreamCanvas::values() const {
  if (!frequency_) return parameters;
  const torch::Tensor values = from_cosines(parameters * spectrum_);
  return colours_.defined() ? colours_.matmul(values.flatten(1)).view_as(values) : values;
}

void DreamCanvas::blur() {
  const torch::NoGradGuard plain;
  parameters.copy_(frequency_ ? parameters * blur_ : from_cosines(to_cosines(parameters) * blur_));
}

torch::Tensor penalty(const torch::Tensor& values, const DreamOptions& options) {
  const torch::Tensor picture = values * slope_at_grey;  // but for 0.5
  torch::Tensor sum = torch::zeros({});
  if (options.total_variation > 0) {
    sum = sum + options.total_variation * total_variation(picture);
  }
  if (options.decay > 0) sum = sum + options.decay * picture.square().sum();
  return sum;
}

}  // namespace convscope

#include "suite/interpretation/dream.h"

#include <torch/autograd.h>
#include <torch/optim.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>

#include "suite/data/random.h"
#include "suite/data/transforms.h"
#include "suite/inference/observe.h"
#include "suite/interpretation/cosine_basis.h"
#include "suite/interpretation/gradients.h"

namespace convscope {
namespace {

constexpr int64_t blurred_every = 4;        // Yosinski et al. 2015
constexpr double noise_deviation = 0.01;    // of a pixel before the sigmoid, at the start
constexpr double smallest_gradient = 1e-3;  // of the total variation, where it has no derivative

torch::Tensor tensor_of(const std::vector<float>& values, torch::IntArrayRef shape) {
  return torch::tensor(values).reshape(shape);
}

/// From three independent channels to colours that are correlated as ImageNet's are, with a mean
/// square of 1: the principal components of its pixels, each times the root of its variance
/// (Krizhevsky et al. 2012; these numbers are those that Torch's ResNets were trained with).
torch::Tensor colours() {
  const torch::Tensor components = torch::tensor(
      {{-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}});
  const torch::Tensor variances = torch::tensor({0.2175, 0.0188, 0.0045});
  return (components * (variances * 3 / variances.sum()).sqrt()).to(torch::kFloat32);
}

/// A picture as numbers without bounds that an optimiser may change.
class Canvas {
 public:
  Canvas(int64_t channels, int64_t height, int64_t width, const DreamOptions& options,
         Random& random)
      : frequency_(options.domain == DreamDomain::frequency),
        rows_(tensor_of(cosine_basis(height), {height, height})),
        columns_(tensor_of(cosine_basis(width), {width, width})),
        spectrum_(tensor_of(natural_spectrum(height, width), {height, width})),
        blur_(tensor_of(blurred_spectrum(height, width, options.blur), {height, width})) {
    if (frequency_ && channels == 3) colours_ = colours();
    std::vector<float> noise;
    noise.reserve(static_cast<size_t>(channels * height * width));
    while (noise.size() < noise.capacity()) {
      // Box and Muller 1958; 1 - u is above 0.
      const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
      const double angle = 2 * std::acos(-1.0) * random.uniform();
      noise.push_back(static_cast<float>(noise_deviation * radius * std::cos(angle)));
    }
    parameters = tensor_of(noise, {channels, height, width}).requires_grad_();
  }

  /// channels x height x width, from 0 to 1.
  torch::Tensor picture() const {
    if (!frequency_) return parameters.sigmoid();
    torch::Tensor values = from_cosines(parameters * spectrum_);
    if (colours_.defined()) values = colours_.matmul(values.flatten(1)).view_as(values);
    return values.sigmoid();
  }

  /// The same for both domains, since a blur multiplies each cosine.
  void blur() {
    const torch::NoGradGuard plain;
    parameters.copy_(frequency_ ? parameters * blur_
                                : from_cosines(to_cosines(parameters) * blur_));
  }

  torch::Tensor parameters;

 private:
  torch::Tensor to_cosines(const torch::Tensor& values) const {
    return rows_.matmul(values).matmul(columns_.t());
  }
  torch::Tensor from_cosines(const torch::Tensor& coefficients) const {
    return rows_.t().matmul(coefficients).matmul(columns_);
  }

  bool frequency_;
  torch::Tensor rows_, columns_, spectrum_, blur_, colours_;
};

/// What the network sees of a picture from 0 to 1.
torch::Tensor normalised(torch::Tensor picture, const Preprocessing& preprocessing) {
  if (preprocessing.bgr) picture = picture.flip({0});
  const auto channels = static_cast<int64_t>(preprocessing.mean.size());
  const auto of_channels = [channels](const std::vector<double>& values) {
    return torch::tensor(values, torch::kFloat64).to(torch::kFloat32).reshape({channels, 1, 1});
  };
  return (picture * preprocessing.range - of_channels(preprocessing.mean)) /
         of_channels(preprocessing.deviation);
}

torch::Tensor answer_of(const torch::Tensor& result, int64_t unit, DreamObjective objective) {
  const torch::Tensor own = result.select(1, unit);
  if (own.dim() == 3 && objective == DreamObjective::centre) {
    return own.select(2, own.size(2) / 2).select(1, own.size(1) / 2).sum();
  }
  return own.mean();
}

/// A rectifier whose gradient does not stop where it is off or full.
std::optional<torch::Tensor> straight_through(const std::string& op,
                                              const torch::jit::Stack& arguments) {
  const bool to_6 = op.rfind("aten::relu6", 0) == 0;
  torch::Tensor result;
  if (to_6) {
    result = arguments[0].toTensor().clamp(0, 6);
  } else if (op == "aten::relu" || op == "aten::relu_") {
    result = arguments[0].toTensor().clamp_min(0);
  } else if (op.rfind("aten::hardtanh", 0) == 0) {
    result = arguments[0].toTensor().clamp(arguments[1].toScalar(), arguments[2].toScalar());
  } else {
    return std::nullopt;
  }
  const torch::Tensor& before = arguments[0].toTensor();
  return result + (before - before.detach());
}

/// The unit that is climbed, in its network.
struct Climb {
  const LoadedNetwork& network;
  const Preprocessing& preprocessing;
  size_t call;
  int64_t unit;
  DreamObjective objective;

  torch::Tensor answer(const torch::Tensor& images, const ObserveOptions& how) const {
    const Observed seen = observe(*network.network, images, {call}, how);
    return answer_of(seen.kept[0], unit, objective);
  }

  torch::Tensor gradient(const torch::Tensor& picture, ObserveOptions how) const {
    const torch::Tensor leaf = picture.detach().requires_grad_();
    const torch::Tensor found = answer(normalised(leaf, preprocessing).unsqueeze(0), how);
    return torch::autograd::grad({found}, {leaf})[0];
  }

  /// By the pixels, with a root mean square of 1. A unit that is off says nothing of where it would
  /// be on, so that there, and only there, rectifiers let gradients through.
  torch::Tensor direction(const torch::Tensor& picture) const {
    ObserveOptions how;
    how.to_the_end = false;
    torch::Tensor found = gradient(picture, how);
    if (found.count_nonzero().item<int64_t>() == 0) {
      how.exchange = [this](size_t number, const torch::jit::Stack& arguments) {
        return straight_through(network.graph.calls[number].op, arguments);
      };
      found = gradient(picture, how);
    }
    const double length = found.square().mean().sqrt().item<double>();
    if (!std::isfinite(length)) throw std::runtime_error("the network computes no finite number");
    return length > 0 ? found / length : found;
  }

  double answer_to(const Image& image) const {
    const ImageShape& shape = network.settings.image;
    std::vector<float> values(static_cast<size_t>(shape.channels * shape.height * shape.width));
    normalise(image, preprocessing, values.data());
    const torch::NoGradGuard plain;
    ObserveOptions how;
    how.to_the_end = false;
    return answer(image_batch(network, values, 1), how).item<double>();
  }
};

torch::Tensor total_variation(const torch::Tensor& picture) {
  const int64_t height = picture.size(1), width = picture.size(2);
  if (height < 2 || width < 2) return torch::zeros({});
  const torch::Tensor here = picture.narrow(1, 0, height - 1).narrow(2, 0, width - 1);
  const torch::Tensor down = picture.narrow(1, 1, height - 1).narrow(2, 0, width - 1) - here;
  const torch::Tensor right = picture.narrow(1, 0, height - 1).narrow(2, 1, width - 1) - here;
  return (down.square() + right.square() + std::pow(smallest_gradient, 2)).sqrt().sum();
}

/// The middle of the canvas, as bytes.
Image bytes_of(const Canvas& canvas, const DreamOptions& options, const ImageShape& shape) {
  const torch::NoGradGuard plain;
  const torch::Tensor bytes = (canvas.picture() * 255)
                                  .round()
                                  .narrow(1, options.jitter, shape.height)
                                  .narrow(2, options.jitter, shape.width)
                                  .permute({1, 2, 0})
                                  .to(torch::kUInt8)
                                  .contiguous();
  return {{shape.height, shape.width},
          {0, 0, shape.height, shape.width},
          shape.channels,
          {bytes.data_ptr<uint8_t>(), bytes.data_ptr<uint8_t>() + bytes.numel()},
          false};
}

void check(const LoadedNetwork& network, const Preprocessing& preprocessing, size_t call,
           int64_t unit, const DreamOptions& options) {
  const int64_t units = unit_count(network.graph, call), channels = network.settings.image.channels;
  if (unit < 0 || unit >= units) {
    throw std::invalid_argument("there is no unit " + std::to_string(unit) + ": there are 0 to " +
                                std::to_string(units - 1));
  }
  if (channels != 1 && channels != 3) {
    throw std::invalid_argument("a picture has 1 or 3 channels, and " + network.architecture.name +
                                " takes " + std::to_string(channels));
  }
  if (static_cast<int64_t>(preprocessing.mean.size()) != channels ||
      preprocessing.deviation.size() != preprocessing.mean.size()) {
    throw std::invalid_argument("the preprocessing is for another number of channels than " +
                                std::to_string(channels));
  }
  const bool sound = options.steps >= 0 && options.jitter >= 0 && options.rate > 0 &&
                     options.blur >= 0 && options.total_variation >= 0 && options.decay >= 0;
  if (!sound) throw std::invalid_argument("an option of a dream is below 0, or its rate is 0");
}

}  // namespace

int64_t unit_count(const Graph& graph, size_t call) {
  const std::vector<int>& outputs = graph.calls.at(call).outputs;
  const Shape shape =
      outputs.size() == 1 ? graph.values.at(static_cast<size_t>(outputs[0])).shape : Shape();
  if (shape.size() != 2 && shape.size() != 4) {
    throw std::invalid_argument("'" + graph.calls[call].layer +
                                "' computes neither maps nor numbers of an image but " +
                                to_string(shape));
  }
  return shape[1];
}

Dream dream(const LoadedNetwork& network, const Preprocessing& preprocessing, size_t call,
            int64_t unit, const DreamOptions& options,
            const std::function<void(int64_t)>& progress) {
  check(network, preprocessing, call, unit, options);
  const ImageShape& shape = network.settings.image;
  const Climb climb{network, preprocessing, call, unit, options.objective};
  Random random(options.seed, static_cast<uint64_t>(unit));
  Canvas canvas(shape.channels, shape.height + 2 * options.jitter, shape.width + 2 * options.jitter,
                options, random);
  torch::optim::Adam optimizer({canvas.parameters}, torch::optim::AdamOptions(options.rate));
  Dream result{{}, climb.answer_to(bytes_of(canvas, options, shape)), 0};
  for (int64_t step = 0; step < options.steps; ++step) {
    if (options.blur > 0 && step % blurred_every == blurred_every - 1) canvas.blur();
    const torch::Tensor picture = canvas.picture();
    const int64_t top = random.below(2 * options.jitter + 1);
    const int64_t left = random.below(2 * options.jitter + 1);
    const torch::Tensor seen = picture.narrow(1, top, shape.height).narrow(2, left, shape.width);
    torch::Tensor loss = -(seen * climb.direction(seen)).sum();
    if (options.total_variation > 0) {
      loss = loss + options.total_variation * total_variation(picture);
    }
    if (options.decay > 0) loss = loss + options.decay * (picture - 0.5).square().sum();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (progress) progress(step + 1);
  }
  result.picture = bytes_of(canvas, options, shape);
  result.end = climb.answer_to(result.picture);
  return result;
}

}  // namespace convscope

#include "suite/interpretation/dream.h"

#include <torch/optim.h>

#include <stdexcept>
#include <string>

#include "suite/interpretation/dream_canvas.h"
#include "suite/interpretation/unit_climb.h"

namespace convscope {
namespace {

constexpr int64_t blurred_every = 4;  // Yosinski et al. 2015
/// Adam's. Of gradients of about 1: with less, numbers that do not matter would be moved as far by
/// what chance makes of theirs as those that do.
constexpr double epsilon = 0.01;

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

/// The middle of a canvas, as bytes.
Image bytes_of(const DreamCanvas& canvas, int64_t margin, const ImageShape& shape) {
  const torch::NoGradGuard plain;
  const torch::Tensor bytes = (canvas.values().sigmoid() * 255)
                                  .round()
                                  .narrow(1, margin, shape.height)
                                  .narrow(2, margin, shape.width)
                                  .permute({1, 2, 0})
                                  .to(torch::kUInt8)
                                  .contiguous();
  return {{shape.height, shape.width},
          {0, 0, shape.height, shape.width},
          shape.channels,
          {bytes.data_ptr<uint8_t>(), bytes.data_ptr<uint8_t>() + bytes.numel()},
          false};
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
  const int64_t margin = options.jitter;
  const UnitClimb climb(network, preprocessing, call, unit, options.objective);
  Random random(options.seed, static_cast<uint64_t>(unit));
  DreamCanvas canvas({shape.channels, shape.height + 2 * margin, shape.width + 2 * margin}, options,
                     random);
  torch::optim::Adam optimizer({canvas.parameters},
                               torch::optim::AdamOptions(options.rate).eps(epsilon));
  Dream result{{}, climb.answer(bytes_of(canvas, margin, shape)), 0};
  for (int64_t step = 0; step < options.steps; ++step) {
    if (options.blur > 0 && step % blurred_every == blurred_every - 1) canvas.blur();
    const int64_t top = random.below(2 * margin + 1), left = random.below(2 * margin + 1);
    const torch::Tensor values = canvas.values();
    const torch::Tensor seen =
        values.narrow(1, top, shape.height).narrow(2, left, shape.width).sigmoid();
    const torch::Tensor loss = penalty(values, options) - (seen * climb.direction(seen)).sum();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (progress) progress(step + 1);
  }
  result.picture = bytes_of(canvas, margin, shape);
  result.end = climb.answer(result.picture);
  return result;
}

}  // namespace convscope

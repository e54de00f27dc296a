#include "suite/analysis/network_trace.h"

#include <torch/autograd.h>

#include <algorithm>
#include <stdexcept>

#include "architectures/network.h"
#include "suite/analysis/intercept.h"
#include "suite/analysis/receptive_field.h"
#include "suite/analysis/torchscript.h"
#include "suite/analysis/trace.h"

namespace convscope {
namespace {

Shape shape_of(const ImageShape& image) { return {image.channels, image.height, image.width}; }

std::shared_ptr<Network> build_without_memory(const Architecture& architecture,
                                              const Settings& settings) {
  const WithoutMemory on;
  auto network = architecture.build(settings);
  network->eval();
  return network;
}

Graph trace_as_is(const Architecture& architecture, const Settings& settings) {
  const auto network = build_without_memory(architecture, settings);
  return trace(*network, shape_of(settings.image));
}

/// Whether a square image of this size passes.
bool fits(const Architecture& architecture, Settings settings, int64_t side) {
  settings.image.height = settings.image.width = side;
  try {
    trace_as_is(architecture, settings);
    return true;
  } catch (const ShapeError&) {
    return false;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

/// The smallest square image that passes, 0 if the paper's own does not.
int64_t smallest_side(const Architecture& architecture, const Settings& settings) {
  int64_t too_small = 0, passes = architecture.settings.image.height;
  if (!fits(architecture, settings, passes)) return 0;
  while (passes - too_small > 1) {
    const int64_t middle = (passes + too_small) / 2;
    (fits(architecture, settings, middle) ? passes : too_small) = middle;
  }
  return passes;
}

/// Thrown by the probe once it has what it came for.
struct Reached {};

/// Runs a forward pass as a linear map with positive weights, up to one call of its graph.
class Probe : public Interceptor {
 public:
  Probe(const Graph& graph, int target) : graph_(graph), target_(static_cast<size_t>(target)) {}

  torch::Tensor features;

  torch::jit::Stack call(OperatorCall call) override {
    if (call.is_factory()) {
      call.op.callBoxed(&call.arguments);
      return call.arguments;
    }
    torch::jit::Stack results = linear_stand_in(call);
    if (number_++ == target_) {
      features = results.at(0).toTensor();
      throw Reached();
    }
    return results;
  }

 private:
  torch::jit::Stack linear_stand_in(OperatorCall& call) {
    const Kind kind = call.row ? call.row->kind : Kind::movement;
    switch (kind) {
      case Kind::convolution:
        return {convolved(call)};
      case Kind::pooling:
        return {pooled(call)};
      case Kind::normalization:
      case Kind::activation:
        return {call.is_in_place() ? call.arguments[0] : call.arguments[0].toTensor().clone()};
      case Kind::elementwise:
        return {sum_of_maps(call)};
      case Kind::linear:
        if (call.name() == "aten::linear") return {mean_of_channels(call)};
        [[fallthrough]];
      case Kind::matmul:  // before the last feature map these are parts of gates
        return {torch::ones(graph_.values.at(static_cast<size_t>(recorded().outputs[0])).shape)};
      default:
        call.op.callBoxed(&call.arguments);
        return call.arguments;
    }
  }

  const Call& recorded() const { return graph_.calls.at(number_); }

  /// Each channel the mean of those at the same position, which a layer takes from the last
  /// dimension.
  static torch::Tensor mean_of_channels(const OperatorCall& call) {
    const int64_t channels = call.arguments[1].toTensor().size(0);
    return call.arguments[0].toTensor().mean(-1, /*keepdim=*/true) * torch::ones(channels);
  }

  torch::Tensor convolved(OperatorCall& call) const {
    const Site site(graph_, recorded());
    Shape weight = call.arguments[1].toTensor().sizes().vec();
    const int64_t outputs = weight[0], fan_in = element_count(weight) / outputs;
    // With equal weights all outputs are one map, that of the sum of the inputs.
    const bool one_map = site.integer("groups", 1) == 1 && !is_transposed(site);
    if (one_map) {
      weight[0] = weight[1] = 1;
      call.arguments[0] = call.arguments[0].toTensor().sum(1, /*keepdim=*/true);
    }
    call.arguments[1] = torch::full(weight, 1.0 / static_cast<double>(fan_in));
    call.arguments[2] = c10::IValue();
    call.op.callBoxed(&call.arguments);
    torch::Tensor maps = call.arguments[0].toTensor();
    if (one_map) {
      Shape all = maps.sizes().vec();
      all[1] = outputs;
      maps = maps.expand(all).contiguous();
    }
    maps.register_hook(support_of);
    return maps;
  }

  torch::Tensor pooled(OperatorCall& call) const {
    const Site site(graph_, recorded());
    const auto slides = windows(site);
    if (slides.size() != 2) {
      call.op.callBoxed(&call.arguments);
      return call.arguments[0].toTensor();
    }
    return torch::avg_pool2d(call.arguments[0].toTensor(), {slides[0].kernel, slides[1].kernel},
                             {slides[0].stride, slides[1].stride},
                             {slides[0].padding, slides[1].padding}, site.flag("ceil_mode", false));
  }

  /// Of maps, the sum, whatever the operator does with them; gates and constants are left out.
  static torch::Tensor sum_of_maps(const OperatorCall& call) {
    std::vector<torch::Tensor> operands = tensors_of(call);
    torch::Tensor sum = call.is_in_place() ? operands[0] : operands[0].clone();
    for (size_t i = 1; i < operands.size(); ++i) {
      if (operands[i].is_meta() || operands[i].numel() < sum.numel()) continue;
      sum = operands[i].numel() > sum.numel() ? operands[i].clone() : sum.add_(operands[i]);
    }
    return sum;
  }

  /// Ones where the gradient is not zero: a corner's share of it falls below the smallest number
  /// after some hundred layers.
  static torch::Tensor support_of(const torch::Tensor& gradient) {
    return (gradient != 0).to(gradient.scalar_type());
  }

  const Graph& graph_;
  const size_t target_;
  size_t number_ = 0;
};

/// The first and the last line of the image, across `dim`, that the features of line `at` depend
/// on.
std::pair<int64_t, int64_t> lines_seen(const torch::Tensor& images, const torch::Tensor& features,
                                       int64_t dim, int64_t at) {
  const torch::Tensor seen = torch::autograd::grad({features.select(dim, at).sum()}, {images}, {},
                                                   /*retain_graph=*/true)[0];
  const torch::Tensor lines = seen.abs().transpose(0, dim).flatten(1).sum(1).nonzero().flatten();
  return {lines[0].item<int64_t>(), lines[-1].item<int64_t>()};
}

}  // namespace

Graph trace_network(const Architecture& architecture, const Settings& settings) {
  try {
    return trace_as_is(architecture, settings);
  } catch (const ShapeError& error) {
    const int64_t smallest = smallest_side(architecture, settings);
    const std::string side = std::to_string(smallest);
    throw std::invalid_argument(
        architecture.name + " does not take an image of " + to_string(shape_of(settings.image)) +
        ": " + error.what() +
        (smallest ? "; the smallest square image it takes is " + side + "x" + side : ""));
  } catch (const std::invalid_argument& error) {
    // A family names itself; a script does not know how its file is called.
    if (script_file(architecture).empty()) throw;
    throw std::invalid_argument(architecture.name + ": " + error.what());
  }
}

std::vector<Field> measure_field(const Architecture& architecture, const Settings& settings) {
  const Graph graph = trace_network(architecture, settings);
  const Fields expected =
      receptive_fields(graph).of_value.at(static_cast<size_t>(graph.outputs[0]));
  if (expected.made_by < 0) return {};
  const auto network = build_without_memory(architecture, settings);
  int64_t narrow = std::max<int64_t>(smallest_side(architecture, settings), 1);
  // One built for a larger image may not take the smallest: the last map needs one position.
  for (const Field& field : expected.sides) {
    narrow = std::max(narrow, field.size - 2 * field.padding);
  }
  const size_t first_side = 4 - expected.sides.size();  // a signal has its length alone

  std::vector<Field> measured;
  for (size_t side = 0; side < expected.sides.size(); ++side) {
    // A strip: long enough that two features see nothing but image, as narrow as the network takes.
    const Field& field = expected.sides[side];
    const int64_t first = (std::max<int64_t>(field.padding, 0) + field.stride - 1) / field.stride;
    Shape strip = {1, settings.image.channels, narrow, narrow};
    strip[first_side + side] =
        std::max(narrow, (first + 2) * field.stride - field.padding + field.size);
    const torch::Tensor images = torch::ones(strip, torch::requires_grad());
    Probe probe(graph, expected.made_by);
    try {
      const Intercept on(probe);
      network->forward(images);
    } catch (const Reached&) {
    }
    const auto dim =
        static_cast<int64_t>(first_side + side) - 4;  // of features without a height, too
    const auto [begin, end] = lines_seen(images, probe.features, dim, first);
    const auto next = lines_seen(images, probe.features, dim, first + 1);
    const int64_t stride = next.first - begin;
    measured.push_back({end - begin + 1, stride, first * stride - begin});
  }
  return measured;
}

}  // namespace convscope

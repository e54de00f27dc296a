#include "suite/inference/load.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <stdexcept>

#include "suite/analysis/intercept.h"
#include "suite/inference/state_dict.h"

namespace convscope {
namespace {

/// Lets a module have its memory, but nobody fill it: random numbers for the 60 million parameters
/// of a ResNet-152 take longer than reading its file.
class Unfilled : public Interceptor {
 public:
  torch::jit::Stack call(OperatorCall call) override {
    if (call.is_in_place()) return {call.arguments[0]};
    call.op.callBoxed(&call.arguments);
    return call.arguments;
  }
};

c10::ScalarType torch_type(ScalarType type) {
  switch (type) {
    case ScalarType::float64:
      return c10::kDouble;
    case ScalarType::float32:
      return c10::kFloat;
    case ScalarType::float16:
      return c10::kHalf;
    case ScalarType::bfloat16:
      return c10::kBFloat16;
    case ScalarType::int64:
      return c10::kLong;
    case ScalarType::int32:
      return c10::kInt;
    case ScalarType::int16:
      return c10::kShort;
    case ScalarType::int8:
      return c10::kChar;
    case ScalarType::uint8:
      return c10::kByte;
    case ScalarType::boolean:
      return c10::kBool;
  }
  throw std::invalid_argument("a type of tensor that LibTorch does not have");
}

void copy_into(torch::Tensor target, const StoredTensor& source) {
  if (target.sizes() != torch::IntArrayRef(source.shape)) {
    throw std::logic_error(source.name + " was matched with a tensor of another shape");
  }
  const c10::ScalarType type = torch_type(source.type);
  if (type == target.scalar_type() && target.is_contiguous()) {
    copy_values(source, target.data_ptr());
  } else {
    const torch::Tensor values = torch::empty(source.shape, type);
    copy_values(source, values.data_ptr());
    target.copy_(values);
  }
  release_values(source);
}

/// Weights that keep values of a usual size from layer to layer. Time does not depend on values
/// unless they become denormal or infinite, and drawing 138 million normal ones takes seconds: a
/// short stretch of random numbers is repeated.
void fill(Network& network) {
  const torch::NoGradGuard no_grad;
  auto generator = at::make_generator<at::CPUGeneratorImpl>(/*seed=*/1);
  // A prime length, and each layer goes on where the one before it ended, so that neither filters
  // nor layers are copies of each other: sums of residual branches that are alike would explode.
  const torch::Tensor noise = torch::randn({65537}, generator);
  int64_t place = 0;
  for (const StateTensor& state : state_dict(network)) {
    const torch::Tensor& tensor = state.tensor;
    const auto ends_with = [&](const std::string& end) {
      return state.name.size() >= end.size() &&
             state.name.compare(state.name.size() - end.size(), end.size(), end) == 0;
    };
    if (!tensor.is_floating_point() || ends_with("running_mean") || ends_with("bias")) {
      tensor.zero_();
    } else if (ends_with("running_var")) {
      tensor.fill_(1);
    } else if (tensor.dim() < 2) {
      tensor.fill_(0.7);  // below 1, so that sums of residual branches do not grow
    } else {
      const int64_t fan_in = tensor.numel() / tensor.size(0);
      const torch::Tensor scaled = noise * std::sqrt(2.0 / static_cast<double>(fan_in));
      torch::Tensor flat = tensor.view(-1);
      for (int64_t begin = 0, count = 0; begin < flat.numel(); begin += count) {
        count = std::min(scaled.numel() - place, flat.numel() - begin);
        flat.narrow(0, begin, count).copy_(scaled.narrow(0, place, count));
        place = (place + count) % scaled.numel();
      }
    }
  }
}

}  // namespace

std::shared_ptr<Network> build_unfilled(const Architecture& architecture,
                                        const Settings& settings) {
  Unfilled unfilled;
  const Intercept on(unfilled);
  return architecture.build(settings);
}

std::shared_ptr<Network> made_up_network(const Architecture& architecture,
                                         const Settings& settings) {
  auto network = build_unfilled(architecture, settings);
  fill(*network);
  return network;
}

std::shared_ptr<Network> load_network(const Architecture& architecture, const Settings& settings,
                                      const WeightsFile& file, const Match& match) {
  const torch::NoGradGuard no_grad;
  std::shared_ptr<Network> network =
      match.complete() ? build_unfilled(architecture, settings) : architecture.build(settings);
  const std::vector<StateTensor> tensors = state_dict(*network);
  for (const StateTensor& tensor : tensors) {
    if (!tensor.tensor.is_floating_point()) tensor.tensor.zero_();  // counters that the file lacks
  }
  for (const Match::Pair& pair : match.pairs) {
    copy_into(tensors.at(pair.network).tensor, file.tensors.at(pair.stored));
  }
  network->eval();
  return network;
}

}  // namespace convscope

#include "suite/inference/load.h"

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

}  // namespace

std::shared_ptr<Network> build_unfilled(const Architecture& architecture,
                                        const Settings& settings) {
  Unfilled unfilled;
  const Intercept on(unfilled);
  return architecture.build(settings);
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

// The dispatch key DeferredInit, which LibTorch keeps free for such tools, is switched on for this
// thread. A boxed fallback on it receives every call with its schema and its arguments.
#include "suite/analysis/intercept.h"

#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <algorithm>
#include <unordered_set>

namespace convscope {
namespace {

constexpr auto key = c10::DispatchKey::DeferredInit;

thread_local Interceptor* current = nullptr;

/// Writes into an argument `out`, of which the row of the plain overload does not know.
bool writes_out(const c10::FunctionSchema& schema) {
  return schema.overload_name().find("out") != std::string::npos;
}

/// A size that TorchScript computes with: tracing makes numbers without dimensions of sizes.
bool is_whole_number(const c10::IValue& value) {
  if (!value.isTensor() || !value.toTensor().defined()) return !value.isTensorList();
  const torch::Tensor& tensor = value.toTensor();
  return tensor.dim() == 0 && !tensor.is_meta() && tensor.is_cpu() &&
         c10::isIntegralType(tensor.scalar_type(), /*includeBool=*/true);
}

/// Arithmetic on sizes is none of the network's, and a number that is there can be read.
bool is_about_sizes(const c10::OperatorHandle& op, const torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, op.schema().arguments().size());
  const bool tensors = std::any_of(arguments.begin(), arguments.end(),
                                   [](const c10::IValue& value) { return value.isTensor(); });
  if (!tensors) return false;
  if (op.schema().name() == "aten::_local_scalar_dense") return !arguments[0].toTensor().is_meta();
  return std::all_of(arguments.begin(), arguments.end(), is_whole_number);
}

void intercepted(const c10::OperatorHandle& op, c10::DispatchKeySet keys,
                 torch::jit::Stack* stack) {
  // LibTorch hands the switched-on key, but not our state, to threads that it starts.
  const Op* row = writes_out(op.schema()) ? nullptr : find_operator(op.schema().name());
  if (!current || is_about_sizes(op, *stack) ||
      (!row && op.hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd))) {
    op.redispatchBoxed(keys.remove(key), stack);
    return;
  }
  c10::impl::ExcludeDispatchKeyGuard below(key);
  auto arguments = torch::jit::pop(*stack, op.schema().arguments().size());
  const torch::jit::Stack results = current->call({op, row, std::move(arguments)});
  stack->insert(stack->end(), results.begin(), results.end());
}

TORCH_LIBRARY_IMPL(_, DeferredInit, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&intercepted>());
}

}  // namespace

bool OperatorCall::is_factory() const {
  return std::none_of(arguments.begin(), arguments.end(), [](const c10::IValue& value) {
    return value.isTensor() || value.isTensorList();
  });
}

bool OperatorCall::is_in_place() const {
  static const std::unordered_set<std::string> reshaping = {
      "aten::as_strided_", "aten::resize_",    "aten::resize_as_", "aten::set_",
      "aten::squeeze_",    "aten::swapaxes_",  "aten::swapdims_",  "aten::t_",
      "aten::transpose_",  "aten::unsqueeze_", "aten::detach_",    "aten::requires_grad_"};
  const c10::FunctionSchema& schema = op.schema();
  if (schema.arguments().empty() || schema.returns().size() != 1) return false;
  const c10::AliasInfo* first = schema.arguments()[0].alias_info();
  const bool writes_first = first && first->isWrite() && arguments.at(0).isTensor();
  return writes_first && !writes_out(schema) && !reshaping.count(name());
}

struct Intercept::Guard {
  explicit Guard(Interceptor& interceptor) : outer(current) { current = &interceptor; }
  ~Guard() { current = outer; }
  Interceptor* outer;
  c10::impl::IncludeDispatchKeyGuard on{key};
};

Intercept::Intercept(Interceptor& interceptor) : guard_(std::make_unique<Guard>(interceptor)) {}
Intercept::~Intercept() = default;

namespace {

/// Tensor? and nothing else.
bool is_optional_tensor(const c10::Type& type) {
  if (type.kind() != c10::TypeKind::OptionalType) return false;
  const auto& contained = type.containedTypes();
  return contained.size() == 1 && contained[0]->kind() == c10::TypeKind::TensorType;
}

}  // namespace

bool for_each_tensor(const c10::IValue& value, const c10::Argument& declared,
                     const std::function<void(const torch::Tensor&)>& visit) {
  if (value.isTensor()) {
    visit(value.toTensor());
  } else if (value.isTensorList()) {
    for (const torch::Tensor& tensor : value.toTensorVector()) visit(tensor);
  } else if (value.isNone() && is_optional_tensor(*declared.type())) {
    visit(torch::Tensor());
  } else {
    return false;
  }
  return true;
}

c10::IValue with_tensors(const c10::IValue& value,
                         const std::function<torch::Tensor(const torch::Tensor&)>& replace) {
  if (value.isTensor() && value.toTensor().defined()) return replace(value.toTensor());
  if (!value.isTensorList()) return value;
  std::vector<torch::Tensor> tensors = value.toTensorVector();
  for (torch::Tensor& tensor : tensors) tensor = replace(tensor);
  return tensors;
}

std::vector<torch::Tensor> tensors_of(const OperatorCall& call) {
  std::vector<torch::Tensor> tensors;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    for_each_tensor(call.arguments[i], call.op.schema().arguments()[i],
                    [&](const torch::Tensor& tensor) {
                      if (tensor.defined()) tensors.push_back(tensor);
                    });
  }
  return tensors;
}

}  // namespace convscope

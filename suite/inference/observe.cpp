#include "suite/inference/observe.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "suite/analysis/intercept.h"

namespace convscope {
namespace {

/// Thrown once all results are there: what follows need not run.
struct Reached {};

bool returns_tensors(const OperatorCall& call) {
  const auto& returns = call.op.schema().returns();
  return std::any_of(returns.begin(), returns.end(), [](const c10::Argument& result) {
    const auto kind = result.type()->kind();
    return kind == c10::TypeKind::TensorType || kind == c10::TypeKind::ListType;
  });
}

bool is_rectifier(const std::string& op) {
  static const std::unordered_set<std::string> all = {
      "aten::relu",   "aten::relu_",      "aten::relu6",     "aten::relu6_",
      "aten::clamp",  "aten::clamp_min",  "aten::hardtanh",  "aten::hardtanh_",
      "aten::clamp_", "aten::clamp_min_", "aten::threshold", "aten::threshold_"};
  return all.count(op) > 0;
}

class Observer : public Interceptor {
 public:
  Observer(const std::vector<size_t>& calls, const ObserveOptions& options)
      : options_(options), kept(calls.size()) {
    for (size_t i = 0; i < calls.size(); ++i) wanted_[calls[i]].push_back(i);
    missing_ = calls.size();
  }

  torch::jit::Stack call(OperatorCall call) override {
    const bool counts = !call.is_factory() && returns_tensors(call);
    const size_t number = counts ? number_++ : none;
    const bool in_place = call.is_in_place();
    const torch::Tensor handle = in_place ? call.arguments[0].toTensor() : torch::Tensor();
    for (c10::IValue& argument : call.arguments) {
      argument = with_tensors(argument, [this](const torch::Tensor& t) { return current(t); });
    }
    std::optional<torch::Tensor> other;
    if (counts && options_.exchange) other = options_.exchange(number, call.arguments);
    if (other) {
      call.arguments = {*other};
    } else {
      if (in_place) call.arguments[0] = writable(call.arguments[0].toTensor());
      call.op.callBoxed(&call.arguments);
    }
    if (!counts || !call.arguments.at(0).isTensor()) return call.arguments;
    torch::Tensor result = call.arguments[0].toTensor();
    if (options_.guided && result.requires_grad() && is_rectifier(call.name())) {
      result.register_hook([](const torch::Tensor& gradient) { return gradient.clamp_min(0); });
      protect(result);
    }
    result = keep(number, result);
    call.arguments[0] = result;
    if (in_place) {
      if (!result.is_same(handle)) current_[handle.unsafeGetTensorImpl()] = {handle, result};
      call.arguments[0] = handle;  // what an in-place operator returns, whoever asks
    }
    return call.arguments;
  }

  /// What the network holds, as it is by now.
  torch::Tensor current(const torch::Tensor& tensor) const {
    const auto found = current_.find(tensor.unsafeGetTensorImpl());
    return found == current_.end() ? tensor : found->second.now;
  }

 private:
  static constexpr size_t none = static_cast<size_t>(-1);

  /// What an in-place operator should have written into but wrote elsewhere.
  struct Moved {
    torch::Tensor handle;  // keeps the address from being given to another tensor
    torch::Tensor now;
  };

  void protect(const torch::Tensor& tensor) {
    protected_.insert(tensor.storage().unsafeGetStorageImpl());
    alive_.push_back(tensor);
  }

  torch::Tensor writable(const torch::Tensor& target) const {
    if (!protected_.count(target.storage().unsafeGetStorageImpl())) return target;
    const auto bytes = static_cast<size_t>(target.numel()) * target.element_size();
    if (bytes != target.storage().nbytes()) {
      throw std::invalid_argument("the network writes into a part of a result that is looked at");
    }
    return target.clone();
  }

  torch::Tensor keep(size_t number, torch::Tensor result) {
    const auto found = wanted_.find(number);
    if (found == wanted_.end()) return result;
    if (options_.from_kept) result = result.detach().requires_grad_();
    protect(result);
    for (const size_t place : found->second) kept[place] = result;
    missing_ -= found->second.size();
    if (missing_ == 0 && !options_.to_the_end) throw Reached();
    return result;
  }

  const ObserveOptions& options_;
  std::unordered_map<size_t, std::vector<size_t>> wanted_;  // places in `kept`, by call
  size_t missing_ = 0, number_ = 0;
  std::unordered_map<const c10::TensorImpl*, Moved> current_;
  std::unordered_set<const c10::StorageImpl*> protected_;
  std::vector<torch::Tensor> alive_;  // else a freed storage's address would be met again

 public:
  std::vector<torch::Tensor> kept;
};

}  // namespace

Observed observe(Network& network, const torch::Tensor& images, const std::vector<size_t>& calls,
                 const ObserveOptions& options) {
  Observer observer(calls, options);
  torch::Tensor result;
  try {
    const Intercept on(observer);
    result = network.forward(images);
  } catch (const Reached&) {
    return {std::move(observer.kept), {}};
  }
  for (const torch::Tensor& one : observer.kept) {
    if (!one.defined()) throw std::logic_error("the forward pass ended before a call to keep");
  }
  return {std::move(observer.kept), observer.current(result)};
}

}  // namespace convscope

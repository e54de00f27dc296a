// Sees every operator call of this thread before LibTorch takes it apart, and answers in its place.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <torch/types.h>

#include <functional>
#include <memory>

#include "suite/analysis/graph.h"
#include "suite/analysis/ops.h"

namespace convscope {

/// One call of an operator by a module.
struct OperatorCall {
  const c10::OperatorHandle& op;
  const Op* row;  ///< null if the table has none
  torch::jit::Stack arguments;

  const std::string& name() const { return op.schema().name(); }
  const std::string& argument_name(size_t i) const { return op.schema().arguments()[i].name(); }
  /// Makes a tensor from none: at::empty, at::ones.
  bool is_factory() const;
  /// Only writes into its first argument, whose shape stays.
  bool is_in_place() const;
};

class Interceptor {
 public:
  virtual ~Interceptor() = default;
  /// The results, one for each that the operator's schema returns. Runs below the interception:
  /// what it calls is not intercepted.
  virtual torch::jit::Stack call(OperatorCall call) = 0;
};

/// While one lives, operator calls of this thread go to `interceptor`; but an operator without a
/// row that is made of others is left to LibTorch, and those come by instead.
class Intercept {
 public:
  explicit Intercept(Interceptor& interceptor);
  ~Intercept();
  Intercept(const Intercept&) = delete;
  Intercept& operator=(const Intercept&) = delete;

 private:
  struct Guard;
  std::unique_ptr<Guard> guard_;
};

/// Calls `visit` for each tensor of an argument or result, with an undefined one for an optional
/// tensor that is absent. False if it holds none of these.
bool for_each_tensor(const c10::IValue& value, const c10::Argument& declared,
                     const std::function<void(const torch::Tensor&)>& visit);

/// `value` with each defined tensor in it replaced.
c10::IValue with_tensors(const c10::IValue& value,
                         const std::function<torch::Tensor(const torch::Tensor&)>& replace);

/// The tensor arguments that are defined, in order.
std::vector<torch::Tensor> tensors_of(const OperatorCall& call);

}  // namespace convscope

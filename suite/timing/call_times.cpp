#include "suite/timing/call_times.h"

#include <chrono>

#include "suite/analysis/intercept.h"

namespace convscope {
namespace {

/// Lets each call through and times it.
class Stopwatch : public Interceptor {
 public:
  explicit Stopwatch(std::vector<CallTime>& calls) : calls_(calls) {}

  torch::jit::Stack call(OperatorCall call) override {
    const bool factory = call.is_factory();
    const auto start = std::chrono::steady_clock::now();
    call.op.callBoxed(&call.arguments);
    const std::chrono::nanoseconds time = std::chrono::steady_clock::now() - start;
    if (!factory && returns_tensor(call)) {
      calls_.push_back({call.op.schema().name(), time.count()});
    }
    return std::move(call.arguments);
  }

 private:
  /// As a trace knows calls; `call.arguments` are the results by now.
  static bool returns_tensor(const OperatorCall& call) {
    bool any = false;
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      any |= for_each_tensor(call.arguments[i], call.op.schema().returns()[i],
                             [](const torch::Tensor&) {});
    }
    return any;
  }

  std::vector<CallTime>& calls_;
};

}  // namespace

void time_calls(const std::function<void()>& pass, std::vector<CallTime>& calls) {
  Stopwatch stopwatch(calls);
  const Intercept on(stopwatch);
  pass();
}

}  // namespace convscope

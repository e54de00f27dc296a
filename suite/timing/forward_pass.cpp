#include "suite/timing/forward_pass.h"

#include <chrono>
#include <stdexcept>

#include "architectures/network.h"
#include "suite/analysis/intercept.h"
#include "suite/inference/frozen.h"
#include "suite/inference/threads.h"

namespace convscope {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double largest_difference = 1e-4;  // of the frozen form's logits

/// Lets each call through and times it.
class Stopwatch : public Interceptor {
 public:
  explicit Stopwatch(std::vector<CallTime>& calls) : calls_(calls) {}

  torch::jit::Stack call(OperatorCall call) override {
    const bool factory = call.is_factory();
    const auto start = Clock::now();
    call.op.callBoxed(&call.arguments);
    const auto end = Clock::now();
    if (!factory && returns_tensor(call)) {
      calls_.push_back({call.op.schema().name(),
                        std::chrono::duration_cast<std::chrono::nanoseconds>(end - start).count()});
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

void to_channels_last(Network& network) {
  for (torch::Tensor& parameter : network.parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
}

}  // namespace

struct ForwardPass::Parts {
  std::shared_ptr<Network> network;
  torch::Tensor images;
  std::unique_ptr<Frozen> frozen;
  std::vector<FrozenStep> steps;
  std::vector<int64_t> step_ns;
};

ForwardPass::ForwardPass(const BenchCase& c) : parts_(std::make_unique<Parts>()) {
  if (c.device != "cpu" || c.precision != "float32" || c.mode != "inference") {
    throw std::invalid_argument(
        "a single pass is timed in float32, in inference, on the CPU, not " + c.precision + ", " +
        c.mode + ", " + c.device);
  }
  use_threads(c.threads);
  const torch::NoGradGuard no_grad;
  torch::manual_seed(0);
  parts_->network = c.architecture.build(c.settings);
  parts_->network->eval();
  const ImageShape& image = c.settings.image;
  parts_->images = torch::randn({c.batch, image.channels, image.height, image.width});
  if (c.layout == "channels_last") {
    to_channels_last(*parts_->network);
    parts_->images = parts_->images.contiguous(torch::MemoryFormat::ChannelsLast);
  }
  if (c.engine != "frozen") return;
  parts_->frozen = std::make_unique<Frozen>(*parts_->network, parts_->images);
  const torch::Tensor& expected = parts_->frozen->expected();
  const auto difference =
      (parts_->frozen->forward(parts_->images) - expected).abs().max().item<double>();
  if (!(difference <= largest_difference)) {
    throw std::runtime_error("the frozen form's logits differ by " + c10::str(difference));
  }
  parts_->steps = parts_->frozen->steps();
}

ForwardPass::~ForwardPass() = default;

void ForwardPass::run() {
  const torch::NoGradGuard no_grad;
  if (parts_->frozen) {
    parts_->frozen->forward(parts_->images);
  } else {
    parts_->network->forward(parts_->images);
  }
}

const std::vector<FrozenStep>& ForwardPass::steps() const { return parts_->steps; }

void ForwardPass::run(std::vector<CallTime>& calls) {
  const torch::NoGradGuard no_grad;
  if (!parts_->frozen) {
    Stopwatch stopwatch(calls);
    const Intercept on(stopwatch);
    parts_->network->forward(parts_->images);
    return;
  }
  if (parts_->steps.empty()) {
    throw std::runtime_error(
        "the frozen engine runs this network in LibTorch's own frozen form, which does not tell "
        "its steps");
  }
  std::vector<int64_t>& step_ns = parts_->step_ns;
  step_ns.clear();
  parts_->frozen->forward(parts_->images, &step_ns);
  for (size_t i = 0; i < step_ns.size(); ++i) calls.push_back({parts_->steps.at(i).op, step_ns[i]});
}

}  // namespace convscope

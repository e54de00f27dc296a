// LibTorch's own way to freeze: a TorchScript graph with its passes for inference.
#include <c10/util/Exception.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/frozen_conv_folding.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>
#include <torch/csrc/jit/passes/frozen_ops_to_mkldnn.h>
#include <torch/version.h>

#include "suite/inference/frozen_engine.h"

namespace convscope {

namespace jit = torch::jit;

namespace {

#if TORCH_VERSION_MAJOR < 2
/// LibTorch 1.13 warns at every call that it resizes the padded output of its own hard-swish.
class Quiet : c10::WarningHandler {
 public:
  void process(const c10::SourceLocation&, const std::string&, bool) override {}

 private:
  c10::Warning::WarningHandlerGuard guard_{this};
};
#else
struct Quiet {};
#endif

class LibTorchEngine : public FrozenEngine {
 public:
  // The simple executor: the other one watches its first runs, which are slower for it, in order to
  // fuse what it does not fuse on a CPU.
  explicit LibTorchEngine(std::shared_ptr<jit::Graph> graph)
      : function_("frozen", std::move(graph), nullptr, jit::ExecutorExecutionMode::SIMPLE) {}

  torch::Tensor forward(const torch::Tensor& images, std::vector<int64_t>* step_ns) override {
    if (step_ns) step_ns->clear();
    [[maybe_unused]] const Quiet quiet;
    jit::Stack stack = {images};
    function_.run(stack);
    return stack.at(0).toTensor();
  }

  std::vector<FrozenStep> steps() const override { return {}; }

 private:
  jit::GraphFunction function_;
};

}  // namespace

FrozenForm freeze_with_libtorch(Network& network, const torch::Tensor& example) {
  const torch::NoGradGuard no_grad;
  // What needs no gradient becomes a constant of the graph.
  for (const torch::Tensor& parameter : network.parameters()) parameter.set_requires_grad(false);
  const auto forward = [&](jit::Stack inputs) -> jit::Stack {
    return {network.forward(inputs.at(0).toTensor())};
  };
  const auto traced = jit::tracer::trace(
      {example}, forward, [](const torch::Tensor&) { return ""; }, /*strict=*/true,
      // A frozen graph is rewritten more freely when nothing is written in place.
      /*force_outplace=*/true);
  std::shared_ptr<jit::Graph> graph = traced.first->graph;
  // Strides and paddings are traced as lists of constants; folding wants constant lists.
  jit::ConstantPropagation(graph);
  jit::FoldFrozenConvBatchnorm(graph);
  jit::OptimizeFrozenGraph(graph);
  jit::ConvertFrozenOpsToMKLDNN(graph);
  return {std::make_unique<LibTorchEngine>(std::move(graph)), traced.second.at(0).toTensor()};
}

}  // namespace convscope

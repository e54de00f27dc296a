#include "suite/inference/activations.h"

#include <algorithm>

#include "architectures/nearest.h"
#include "suite/analysis/intercept.h"

namespace convscope {
namespace {

bool is_inside(const std::string& layer, const std::string& module) {
  return layer == module || layer.compare(0, module.size() + 1, module + ".") == 0;
}

/// Thrown once the result is there: what follows need not run.
struct Reached {};

class Capture : public Interceptor {
 public:
  explicit Capture(size_t wanted) : wanted_(wanted) {}

  torch::Tensor result;

  torch::jit::Stack call(OperatorCall call) override {
    const bool counts = !call.is_factory() && returns_tensors(call);
    call.op.callBoxed(&call.arguments);
    if (counts && number_++ == wanted_) {
      result = call.arguments.at(0).toTensor().clone();
      throw Reached();
    }
    return call.arguments;
  }

 private:
  static bool returns_tensors(const OperatorCall& call) {
    const auto& returns = call.op.schema().returns();
    return std::any_of(returns.begin(), returns.end(), [](const c10::Argument& result) {
      const auto kind = result.type()->kind();
      return kind == c10::TypeKind::TensorType || kind == c10::TypeKind::ListType;
    });
  }

  size_t wanted_, number_ = 0;
};

}  // namespace

std::vector<std::string> layer_names(const Graph& graph) {
  std::vector<std::string> names;
  for (size_t i = 0; i < graph.calls.size(); ++i) {
    const std::string& layer = graph.calls[i].layer;
    // From the inside out, at the last call that each module makes.
    for (size_t end = layer.size(); end != std::string::npos && end > 0;) {
      const std::string name = layer.substr(0, end);
      if (last_call_of(graph, name) == i) names.push_back(name);
      end = layer.rfind('.', end - 1);
    }
  }
  return names;
}

size_t last_call_of(const Graph& graph, const std::string& layer) {
  for (size_t i = graph.calls.size(); i-- > 0;) {
    if (is_inside(graph.calls[i].layer, layer)) return i;
  }
  std::vector<std::string> names;
  for (const Call& call : graph.calls) names.push_back(call.layer);
  throw std::invalid_argument("there is no layer '" + layer + "'" + did_you_mean(layer, names) +
                              " ('convscope features MODEL --layers' shows them all)");
}

torch::Tensor activation(Network& network, const torch::Tensor& images, const Graph& graph,
                         size_t call) {
  const torch::NoGradGuard no_grad;
  Capture capture(call);
  try {
    const Intercept on(capture);
    network.forward(images);
  } catch (const Reached&) {
    return capture.result;
  }
  throw std::logic_error("the forward pass ended before " + graph.calls.at(call).layer);
}

}  // namespace convscope

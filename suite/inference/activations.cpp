#include "suite/inference/activations.h"

#include <algorithm>
#include <unordered_set>

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
  // Read from the end, the first call of a module is its last, and what is around it comes first.
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  for (auto call = graph.calls.rbegin(); call != graph.calls.rend(); ++call) {
    const std::string& layer = call->layer;
    for (size_t end = layer.find('.'); !layer.empty(); end = layer.find('.', end + 1)) {
      const std::string name = layer.substr(0, end);
      if (seen.insert(name).second) names.push_back(name);
      if (end == std::string::npos) break;
    }
  }
  std::reverse(names.begin(), names.end());
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

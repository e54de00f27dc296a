#include "suite/analysis/graph_layers.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "architectures/nearest.h"

namespace convscope {
namespace {

bool is_inside(const std::string& layer, const std::string& module) {
  return layer == module || layer.compare(0, module.size() + 1, module + ".") == 0;
}

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
    // What splits this layer's result belongs to the one that comes next, which has no weights yet
    // to be known by.
    const bool one_result = graph.calls[i].outputs.size() == 1;
    if (!layer.empty() && one_result && is_inside(graph.calls[i].layer, layer)) return i;
  }
  const std::vector<std::string> names = layer_names(graph);
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  throw std::invalid_argument("there is no layer '" + layer + "'" + did_you_mean(layer, names) +
                              "; there are " + all);
}

}  // namespace convscope

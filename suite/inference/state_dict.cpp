#include "suite/inference/state_dict.h"

namespace convscope {
namespace {

void add(const torch::nn::Module& module, const std::string& path, std::vector<StateTensor>& all) {
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    all.push_back({path + parameter.key(), parameter.value()});
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    all.push_back({path + buffer.key(), buffer.value()});
  }
  for (const auto& child : module.named_children()) {
    add(*child.value(), path + child.key() + ".", all);
  }
}

}  // namespace

std::vector<StateTensor> state_dict(const torch::nn::Module& module) {
  std::vector<StateTensor> all;
  add(module, "", all);
  return all;
}

}  // namespace convscope

#include "suite/analysis/module_names.h"

#include <algorithm>
#include <cctype>

namespace convscope {
namespace {

/// "torch::nn::MaxPool2dImpl" and "aten::max_pool2d_" both become "maxpool2d".
std::string plain(std::string name) {
  name.erase(0, name.rfind(':') + 1);
  if (name.size() > 4 && name.compare(name.size() - 4, 4, "Impl") == 0)
    name.resize(name.size() - 4);
  name.erase(std::remove(name.begin(), name.end(), '_'), name.end());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

}  // namespace

ModuleNames::ModuleNames(const torch::nn::Module& root) {
  const auto add = [this](const auto& self, const torch::nn::Module& module,
                          const std::string& path, size_t parent) -> void {
    const size_t index = modules_.size();
    const bool chains = dynamic_cast<const torch::nn::SequentialImpl*>(&module) ||
                        dynamic_cast<const torch::nn::ModuleListImpl*>(&module) ||
                        dynamic_cast<const torch::nn::ModuleDictImpl*>(&module);
    modules_.push_back({path, plain(module.name()), chains, parent, 0});
    by_path_.emplace(path, index);
    kinds_.insert(modules_[index].kind);
    for (const auto& child : module.named_children()) {
      self(self, *child.value(), path.empty() ? child.key() : path + "." + child.key(), index);
    }
    modules_[index].end = modules_.size();
  };
  add(add, root, "", 0);
}

std::string ModuleNames::owner(const std::string& parameter) {
  const size_t dot = parameter.rfind('.');
  std::string path = dot == std::string::npos ? "" : parameter.substr(0, dot);
  const auto found = by_path_.find(path);
  if (found != by_path_.end()) last_ = found->second;
  return path;
}

std::string ModuleNames::nearest(const std::string& op) {
  const std::string kind = plain(op);
  const bool exists = kinds_.count(kind) > 0;
  const bool pools = kind.find("pool") != std::string::npos;
  bool innermost = true;
  for (size_t scope = modules_[last_].parent; exists; scope = modules_[scope].parent) {
    // Those to come first, in the order of registration; then those that the scope's own forward
    // uses again, as a block does with its one ReLU. A Sequential uses nothing twice; and a pooling
    // of further out is not used again, but a function (Inception v3's between its max poolings).
    for (size_t i = std::max(last_, scope) + 1; i < modules_[scope].end; ++i) {
      if (modules_[i].kind == kind) return modules_[last_ = i].path;
    }
    const bool again = !modules_[scope].chains && (innermost || !pools);
    for (size_t i = scope + 1; i < modules_[scope].end && again; ++i) {
      if (modules_[i].kind == kind && modules_[i].parent == scope) return modules_[last_ = i].path;
    }
    innermost = innermost && modules_[scope].chains;
    if (scope == 0) break;
  }
  // A Sequential only chains: what stands in nobody's forward stands in that of a module around it.
  size_t scope = modules_[last_].parent;
  while (scope != 0 && modules_[scope].chains) scope = modules_[scope].parent;
  return modules_[scope].path;
}

bool ModuleNames::is_of_kind(const std::string& path, const std::string& op) const {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return false;
  const std::string &module = modules_[found->second].kind, kind = plain(op);
  if (module == "linear") return true;  // addmm, or matmul and then add_ for the bias
  if (module == "relu6" && kind == "hardtanh") return true;             // in Python
  const bool any_rank = kind == "batchnorm" || kind == "instancenorm";  // BatchNorm2d
  return (module == kind && kind != "hardtanh") ||
         (any_rank && module.compare(0, kind.size(), kind) == 0);
}

}  // namespace convscope

// Which module an operator belongs to. LibTorch's C++ modules have no hooks (pytorch#25888), so a
// name is read from the parameters that an operator receives, or else from what ran before it.
#pragma once

#include <torch/nn.h>

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace convscope {

/// A module that knows which of its own is running: TorchScript's interpreter does.
struct TellsLayer {
  virtual ~TellsLayer() = default;
  /// `before` is the one that ran before.
  virtual std::string running_layer(const std::string& before) const = 0;
};

class ModuleNames {
 public:
  explicit ModuleNames(const torch::nn::Module& root);

  /// The module that registered this parameter: "layer1.0.conv1" for "layer1.0.conv1.weight".
  std::string owner(const std::string& parameter);

  /// For an operator without parameters: the module of its kind ("aten::max_pool2d": a MaxPool2d)
  /// that comes next, or was already used, within the smallest module around what ran before;
  /// without one, the smallest module around it that has a forward of its own.
  std::string nearest(const std::string& op);

  /// Whether the module of that path is of the operator's kind, and not one that calls a function:
  /// a ReLU for "aten::relu", a ReLU6, but no Hardtanh, for "aten::hardtanh".
  bool is_of_kind(const std::string& path, const std::string& op) const;

 private:
  struct Entry {
    std::string path, kind;
    bool chains;         ///< a Sequential, or a list or dictionary: nothing of its own in forward
    size_t parent, end;  ///< its descendants are the entries up to `end`
  };

  std::vector<Entry> modules_;  ///< in order of registration, depth first; the root is first
  std::unordered_map<std::string, size_t> by_path_;
  std::unordered_set<std::string> kinds_;
  size_t last_ = 0;  ///< the module that ran last
};

}  // namespace convscope

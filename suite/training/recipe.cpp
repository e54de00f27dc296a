#include "suite/training/recipe.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace convscope {
namespace {

size_t place_of(const std::vector<std::string>& names, const std::string& name,
                const std::string& what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::invalid_argument("there is no " + what + " '" + name + "'");
  return static_cast<size_t>(found - names.begin());
}

}  // namespace

const std::vector<std::string>& protocol_names() {
  static const std::vector<std::string> names = {"scratch", "probe",   "finetune",
                                                 "partial", "gradual", "probe-then-finetune"};
  return names;
}
std::string to_string(Protocol protocol) { return protocol_names()[static_cast<size_t>(protocol)]; }
Protocol parse_protocol(const std::string& name) {
  return static_cast<Protocol>(place_of(protocol_names(), name, "protocol"));
}

const std::vector<std::string>& frozen_norm_names() {
  static const std::vector<std::string> names = {"frozen", "affine", "train"};
  return names;
}
std::string to_string(FrozenNorms norms) { return frozen_norm_names()[static_cast<size_t>(norms)]; }
FrozenNorms parse_frozen_norms(const std::string& name) {
  return static_cast<FrozenNorms>(place_of(frozen_norm_names(), name, "batch-norm policy"));
}

const std::vector<std::string>& kept_names() {
  static const std::vector<std::string> names = {"last", "best"};
  return names;
}
Kept parse_kept(const std::string& name) {
  return static_cast<Kept>(place_of(kept_names(), name, "choice of weights"));
}

const std::vector<std::string>& precision_names() {
  static const std::vector<std::string> names = {"float32", "bfloat16"};
  return names;
}
Precision parse_precision(const std::string& name) {
  return static_cast<Precision>(place_of(precision_names(), name, "precision"));
}

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = {"sgd", "adamw", "rmsprop"};
  return names;
}
OptimizerKind parse_optimizer(const std::string& name) {
  return static_cast<OptimizerKind>(place_of(optimizer_names(), name, "optimizer"));
}

size_t first_trained(const Recipe& recipe, size_t stages, int64_t epoch) {
  const auto top = [stages](int64_t count) {
    return stages - std::min(stages, static_cast<size_t>(std::max<int64_t>(1, count)));
  };
  switch (recipe.protocol) {
    case Protocol::scratch:
    case Protocol::finetune:
      return 0;
    case Protocol::probe:
      return top(1);
    case Protocol::partial:
      return top(recipe.top_stages);
    case Protocol::gradual:
      return top(1 + epoch);
    case Protocol::probe_then_finetune:
      return epoch < recipe.probe_epochs ? top(1) : 0;
  }
  return 0;
}

double stage_rate(const Recipe& recipe, size_t stages, size_t stage) {
  if (stages < 2) return recipe.rate;
  if (recipe.stage_decay > 0) {
    return recipe.rate * std::pow(recipe.stage_decay, static_cast<double>(stages - 1 - stage));
  }
  const double below_head =
      static_cast<double>(stages - 1 - stage) / static_cast<double>(stages - 1);
  return recipe.rate * std::pow(recipe.lowest_rate, below_head);
}

}  // namespace convscope

// LibTorch's optimizers under a recipe's schedule, with a rate for each stage.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "suite/training/recipe.h"

namespace torch::optim {
class Optimizer;
}

namespace convscope {

/// Parameters that learn at one rate.
struct RateGroup {
  std::vector<torch::Tensor> parameters;
  double rate;  ///< at the schedule's full
};

class ScheduledOptimizer {
 public:
  /// The last of `groups` is the head's.
  ScheduledOptimizer(const Recipe& recipe, const std::vector<RateGroup>& groups);
  ~ScheduledOptimizer();
  ScheduledOptimizer(const ScheduledOptimizer&) = delete;
  ScheduledOptimizer& operator=(const ScheduledOptimizer&) = delete;

  /// The schedule's rates and momentum at this moment; 2.5 is the middle of the third epoch.
  void set_time(double epoch);
  /// All rates times this, whatever the schedule says.
  void set_share(double share);
  /// The head's rate now.
  double rate() const;

  /// One step by the gradients that are there, which are gone then.
  void step();

  /// Everything that the next step depends on beside the parameters.
  std::string state() const;
  void restore(const std::string& state);

 private:
  void set_momentum(double momentum);

  Recipe recipe_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::vector<double> rates_;  ///< of the optimizer's groups, at the schedule's full
};

}  // namespace convscope

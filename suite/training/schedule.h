// The learning rate over a run, as a share of the one that was asked for. LibTorch has one schedule
// only.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace convscope {

struct Schedule {
  enum class Kind {
    constant,
    step,       ///< times `step_factor` after every `step_epochs`
    cosine,     ///< half a cosine from all to nothing (Loshchilov and Hutter 2017)
    one_cycle,  ///< fastai's: a cosine up from 1/25 over a quarter, and down to 1e-5; momentum
                ///< mirrors
  };
  Kind kind = Kind::constant;
  double epochs = 1;   ///< of the whole run
  double warm_up = 0;  ///< epochs of a straight rise from a hundredth, before the rest
  double step_epochs = 7, step_factor = 0.1;
};

/// The names of the kinds: constant, step, cosine, one-cycle.
const std::vector<std::string>& schedule_names();

/// Throws std::invalid_argument.
Schedule::Kind parse_schedule(const std::string& name);

/// The share of the rate at this moment; 2.5 is the middle of the third epoch.
double rate_at(const Schedule& schedule, double epoch);

/// The momentum, where the schedule changes it.
std::optional<double> momentum_at(const Schedule& schedule, double epoch);

}  // namespace convscope

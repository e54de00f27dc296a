#include "suite/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace convscope {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double warm_up_from = 0.01;
// fastai/callback/schedule.py: fit_one_cycle.
constexpr double cycle_peak = 0.25, cycle_from = 1.0 / 25, cycle_to = 1e-5;
constexpr double momentum_high = 0.95, momentum_low = 0.85;

/// Half a cosine from `from` at 0 to `to` at 1.
double cosine(double from, double to, double share) {
  share = std::clamp(share, 0.0, 1.0);
  return to + (from - to) * (1 + std::cos(pi * share)) / 2;
}

/// `rising` up to the peak of the cycle, `falling` from there on, each of its own share.
template <class Rising, class Falling>
double cycle(double share, const Rising& rising, const Falling& falling) {
  return share < cycle_peak ? rising(share / cycle_peak)
                            : falling((share - cycle_peak) / (1 - cycle_peak));
}

}  // namespace

const std::vector<std::string>& schedule_names() {
  static const std::vector<std::string> names = {"constant", "step", "cosine", "one-cycle"};
  return names;
}

Schedule::Kind parse_schedule(const std::string& name) {
  const auto& names = schedule_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::invalid_argument("there is no schedule '" + name + "'");
  return static_cast<Schedule::Kind>(found - names.begin());
}

double rate_at(const Schedule& schedule, double epoch) {
  if (epoch < schedule.warm_up) {
    return warm_up_from + (1 - warm_up_from) * epoch / schedule.warm_up;
  }
  const double rest = std::max(schedule.epochs - schedule.warm_up, 1e-9);
  const double share = (epoch - schedule.warm_up) / rest;
  switch (schedule.kind) {
    case Schedule::Kind::constant:
      return 1;
    case Schedule::Kind::step:
      return std::pow(schedule.step_factor,
                      std::floor((epoch - schedule.warm_up) / schedule.step_epochs));
    case Schedule::Kind::cosine:
      return cosine(1, 0, share);
    case Schedule::Kind::one_cycle:
      return cycle(
          share, [](double part) { return cosine(cycle_from, 1, part); },
          [](double part) { return cosine(1, cycle_to, part); });
  }
  return 1;
}

std::optional<double> momentum_at(const Schedule& schedule, double epoch) {
  if (schedule.kind != Schedule::Kind::one_cycle) return std::nullopt;
  const double rest = std::max(schedule.epochs - schedule.warm_up, 1e-9);
  const double share = std::max(0.0, (epoch - schedule.warm_up) / rest);
  return cycle(
      share, [](double part) { return cosine(momentum_high, momentum_low, part); },
      [](double part) { return cosine(momentum_low, momentum_high, part); });
}

}  // namespace convscope

#include "suite/training/rate_range.h"

#include <algorithm>
#include <cmath>

namespace convscope {
namespace {

/// A third of the way and a half of that, along the longest run of steps whose losses fall (not
/// necessarily neighbours).
double valley(const std::vector<double>& rates, const std::vector<double>& losses) {
  const size_t n = losses.size();
  std::vector<size_t> length(n, 1);
  size_t begin = 0, end = 0;
  for (size_t i = 1; i < n; ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (losses[i] < losses[j] && length[i] < length[j] + 1) length[i] = length[j] + 1;
      if (length[end] < length[i]) {
        end = i;
        begin = end - std::min(end, length[end]);
      }
    }
  }
  const double third = static_cast<double>(end - begin) / 3;
  return rates[begin + static_cast<size_t>(third) + static_cast<size_t>(third / 2)];
}

/// Where the slope is steepest over the logarithm of the rate.
double steep(const std::vector<double>& rates, const std::vector<double>& losses) {
  size_t steepest = 0;
  double least = INFINITY;
  for (size_t i = 0; i + 1 < losses.size(); ++i) {
    const double slope = (losses[i + 1] - losses[i]) / std::log(rates[i + 1] / rates[i]);
    if (slope < least) {
      least = slope;
      steepest = i;
    }
  }
  return rates[steepest];
}

/// Coming from the end, where the slope no longer differs from the one 15 steps before.
double slide(const std::vector<double>& rates, const std::vector<double>& losses) {
  const auto n = static_cast<int64_t>(losses.size());
  std::vector<double> slope(losses.size());
  for (int64_t i = 0; i < n; ++i) {
    const int64_t below = std::max<int64_t>(0, i - 1), above = std::min(n - 1, i + 1);
    slope[static_cast<size_t>(i)] =
        (losses[static_cast<size_t>(above)] - losses[static_cast<size_t>(below)]) /
        static_cast<double>(above - below);
  }
  constexpr int64_t apart = 15;
  int64_t right = n - 1, left = std::max<int64_t>(0, right - apart);
  double rate = rates[static_cast<size_t>(left)];
  while (left >= 0 &&
         std::abs(slope[static_cast<size_t>(right)] - slope[static_cast<size_t>(left)]) > 0.005) {
    rate = rates[static_cast<size_t>(left)];
    --right;
    --left;
  }
  return rate;
}

}  // namespace

double RangeTest::rate_of(int64_t step) const {
  if (steps < 2) return from;
  return from * std::pow(to / from, static_cast<double>(step) / static_cast<double>(steps - 1));
}

double SmoothedLoss::add(double loss) {
  constexpr double memory = 0.98;
  mean_ = memory * mean_ + (1 - memory) * loss;
  value_ = mean_ / (1 - std::pow(memory, static_cast<double>(++count_)));
  least_ = count_ == 1 ? value_ : std::min(least_, value_);
  return value_;
}

bool SmoothedLoss::exploded() const { return count_ > 0 && value_ > 4 * least_; }

std::vector<RateSuggestion> suggestions(const std::vector<RatePoint>& points) {
  const auto first = static_cast<size_t>(RangeTest().steps / 10);
  if (points.size() < first + 5 + 3) return {};
  std::vector<double> rates, losses;
  for (size_t i = first; i + 5 < points.size(); ++i) {
    rates.push_back(points[i].rate);
    losses.push_back(points[i].smoothed);
  }
  const auto least = std::min_element(losses.begin(), losses.end()) - losses.begin();
  return {{"valley", valley(rates, losses)},
          {"slide", slide(rates, losses)},
          {"minimum/10", rates[static_cast<size_t>(least)] / 10},
          {"steep", steep(rates, losses)}};
}

}  // namespace convscope

// The learning-rate range test (Smith 2017) as fastai runs it: the rate grows from step to step
// until the loss explodes, and the curve suggests what to begin with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convscope {

struct RangeTest {
  double from = 1e-7, to = 10;
  int64_t steps = 100;

  /// Of this step, from 0: equal factors from one to the next.
  double rate_of(int64_t step) const;
};

/// One step of the test.
struct RatePoint {
  double rate;
  double loss;      ///< of its batch
  double smoothed;  ///< over the steps before, too
};

/// An exponential mean that forgets its beginning.
class SmoothedLoss {
 public:
  double add(double loss);
  /// The mean is above four times the least that it was.
  bool exploded() const;

 private:
  int64_t count_ = 0;
  double mean_ = 0, value_ = 0, least_ = 0;
};

struct RateSuggestion {
  std::string rule;  ///< "valley", "slide", "minimum/10", "steep"
  double rate;
};

/// What fastai's four rules say of a finished test; without its first ten and its last five
/// steps. Empty where too few are left. `valley` is fastai's own choice.
std::vector<RateSuggestion> suggestions(const std::vector<RatePoint>& points);

}  // namespace convscope

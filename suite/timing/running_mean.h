// The mean of values that come one by one and are not kept, and how sure it is.
#pragma once

#include <cstdint>
#include <optional>

#include "suite/timing/statistics.h"

namespace convscope {

class RunningMean {
 public:
  void add(double value);

  int64_t count() const { return count_; }
  /// Of nothing, 0.
  double mean() const { return mean_; }
  /// Student's 95 % interval of the mean of what independent values are drawn from, which holds
  /// where that is nearly normal or the values are many; nothing below 2 values.
  std::optional<Interval> interval() const;

 private:
  int64_t count_ = 0;
  double mean_ = 0, squares_ = 0;  // squares_: the sum of squared distances from the mean
};

/// Two-sided 95 %: how many standard errors Student's distribution of so many degrees of freedom
/// reaches to both sides. Exact. Throws std::invalid_argument below 1.
double student_quantile(int64_t degrees_of_freedom);

}  // namespace convscope

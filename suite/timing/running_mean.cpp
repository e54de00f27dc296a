#include "suite/timing/running_mean.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace convscope {
namespace {

constexpr double pi = 3.14159265358979323846;

/// The probability of a value within `t` of 0 by the finite series of Abramowitz and Stegun,
/// 26.7.3 and 26.7.4, in the angle whose tangent is t / sqrt(n).
double probability_within(double angle, int64_t n) {
  const double cosine = std::cos(angle), square = cosine * cosine;
  const bool odd = n % 2 == 1;
  double term = odd ? cosine : 1, sum = n == 1 ? 0 : term;
  for (int64_t k = odd ? 3 : 2; k < n; k += 2) {
    term *= square * static_cast<double>(k - 1) / static_cast<double>(k);
    sum += term;
  }
  return odd ? 2 / pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

}  // namespace

void RunningMean::add(double value) {
  ++count_;
  const double before = value - mean_;
  mean_ += before / static_cast<double>(count_);
  squares_ += before * (value - mean_);
}

std::optional<Interval> RunningMean::interval() const {
  if (count_ < 2) return {};
  const double n = static_cast<double>(count_);
  const double half =
      student_quantile(count_ - 1) * std::sqrt(std::max(squares_, 0.0) / (n - 1) / n);
  return Interval{mean_ - half, mean_ + half};
}

double student_quantile(int64_t degrees_of_freedom) {
  if (degrees_of_freedom < 1) throw std::invalid_argument("expected a degree of freedom or more");
  // Beyond this, the series takes longer and the fifth digit is the normal distribution's.
  const int64_t n = std::min<int64_t>(degrees_of_freedom, 100000);
  double low = 0, high = pi / 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (probability_within(middle, n) < 0.95 ? low : high) = middle;
  }
  return std::tan(low) * std::sqrt(static_cast<double>(n));
}

}  // namespace convscope

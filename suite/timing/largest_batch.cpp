#include "suite/timing/largest_batch.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace convscope {
namespace {

constexpr int64_t largest = 1'000'000'000;
constexpr int patience = 3;  // trials that leave more than half of what was in question

struct Point {
  int64_t batch, peak_bytes;
};

/// Where the peaks reach the budget, by what was measured. At least one point.
int64_t estimate(std::vector<Point> points, const PredictedPeak& predicted, int64_t budget) {
  std::sort(points.begin(), points.end(), [&](const Point& a, const Point& b) {
    return std::abs(a.peak_bytes - budget) < std::abs(b.peak_bytes - budget);
  });
  const Point& near = points[0];
  if (points.size() == 1) {
    const double ratio = static_cast<double>(std::max<int64_t>(1, predicted(near.batch))) /
                         static_cast<double>(std::max<int64_t>(1, near.peak_bytes));
    return predicted_batch(predicted, static_cast<int64_t>(static_cast<double>(budget) * ratio));
  }
  const double bytes = static_cast<double>(points[1].peak_bytes - near.peak_bytes);
  const double per_image = bytes / static_cast<double>(points[1].batch - near.batch);
  if (!(per_image > 0)) return near.batch;
  const double batch =
      static_cast<double>(near.batch) + static_cast<double>(budget - near.peak_bytes) / per_image;
  return static_cast<int64_t>(std::clamp(batch, 0.0, static_cast<double>(largest)));
}

}  // namespace

int64_t predicted_batch(const PredictedPeak& predicted, int64_t budget_bytes) {
  int64_t fits = 0, too_large = largest + 1;
  while (too_large - fits > 1) {
    const int64_t middle = fits + (too_large - fits) / 2;
    (predicted(middle) <= budget_bytes ? fits : too_large) = middle;
  }
  return fits;
}

int64_t accuracy_at(int64_t batch) { return std::max<int64_t>(1, batch / 100); }

LargestBatch find_largest_batch(const std::function<BatchTrial(int64_t batch)>& run,
                                const PredictedPeak& predicted, int64_t budget_bytes,
                                int64_t least) {
  LargestBatch found;
  std::vector<Point> points;
  int64_t fits = least - 1, too_large = largest + 1;
  int slow = 0;
  int64_t batch = std::clamp(predicted_batch(predicted, budget_bytes), least, largest);
  for (;;) {
    const int64_t in_question = too_large - fits;
    const BatchTrial trial = run(batch);
    ++found.trials;
    if (trial.peak_bytes >= 0) points.push_back({batch, trial.peak_bytes});
    if (trial.peak_bytes >= 0 && trial.peak_bytes <= budget_bytes) {
      found.batch = fits = batch;
      found.peak_bytes = trial.peak_bytes;
    } else {
      found.too_large = too_large = batch;
      found.too_large_trial = trial;
    }
    const int64_t step = accuracy_at(fits);
    if (too_large - fits <= step) return found;

    slow = 2 * (too_large - fits) > in_question ? slow + 1 : 0;
    if (points.empty()) {
      batch = least;
    } else if (slow < patience) {
      batch = std::clamp(estimate(points, predicted, budget_bytes), fits + step,
                         std::max(fits + step, too_large - step));
    } else if (too_large > largest) {
      batch = std::min(2 * std::max(fits, least), largest);
    } else {
      batch = fits + (too_large - fits) / 2;
    }
  }
}

}  // namespace convscope

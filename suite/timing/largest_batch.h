// The largest batch that fits into so much memory: which batch is tried next, and when it is known.
// A trial is a function, so that tests can make it up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace convscope {

/// What running one batch showed.
struct BatchTrial {
  int64_t peak_bytes = -1;  ///< -1 if it could not be run
  std::string failure;      ///< why not; "" if it could
};

struct LargestBatch {
  int64_t batch = 0;        ///< the largest that was seen to fit; 0 if none was
  int64_t peak_bytes = -1;  ///< what that took
  int64_t too_large = 0;    ///< the smallest that was seen not to fit; 0 if none was
  BatchTrial too_large_trial;
  int64_t trials = 0;
};

/// Bytes that a batch takes at its peak, by prediction; never less for a larger batch.
using PredictedPeak = std::function<int64_t(int64_t batch)>;

/// The largest batch that is predicted to fit; 0 if none is.
int64_t predicted_batch(const PredictedPeak& predicted, int64_t budget_bytes);

/// How far the smallest batch that does not fit may be from the largest that does: 1 below 200,
/// 1 % above.
int64_t accuracy_at(int64_t batch);

/// Begins at the prediction, goes on by the line through what was measured, and halves where that
/// does not lead on. A batch that could not be run does not fit; where that is the first thing
/// found, `least` shows whether anything can be run at all.
LargestBatch find_largest_batch(const std::function<BatchTrial(int64_t batch)>& run,
                                const PredictedPeak& predicted, int64_t budget_bytes,
                                int64_t least = 1);

}  // namespace convscope

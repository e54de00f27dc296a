// The rows of bench.csv that have a time, as figures and findings compare them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "suite/records/records.h"
#include "suite/timing/statistics.h"

namespace convscope {

/// What a logarithmic axis can show.
bool positive(double value);

struct BenchTimes {
  CsvFile csv;
  std::map<std::string, std::vector<std::string>> of;  ///< "model", and what it was measured with
  std::vector<std::string> names;  ///< the model, with its input where it was measured at several
  std::vector<double> median, low, high, images_per_s, gflop_per_s, peak_share, batch, threads;

  /// Throws std::runtime_error for a record without these columns.
  explicit BenchTimes(const Records& records);

  size_t size() const { return median.size(); }

  /// Of the median, in ms.
  std::optional<Interval> interval(size_t row) const;

  /// Multiply-accumulates of the whole batch, by the rate: it counts two operations for each. Not
  /// finite where there is no rate.
  double macs(size_t row) const { return gflop_per_s[row] * median[row] * 1e6 / 2; }

  bool is_latency(size_t row) const { return of.at("scenario")[row] == "latency"; }

  /// The rows that were measured as the first of those that `fits`, but for what is named; how many
  /// of those that fit were not, goes to `others`.
  std::vector<size_t> like_the_first(const std::set<std::string>& but,
                                     const std::function<bool(size_t)>& fits, size_t& others) const;

  /// "cpu, 1 thread, batch 1, float32": how a row was measured, without what is named.
  std::string how(size_t row, const std::set<std::string>& but) const;
};

}  // namespace convscope

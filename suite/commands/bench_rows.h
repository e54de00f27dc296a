// The records of measurements: bench.csv, samples.csv, and the table that people read.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "suite/commands/bench_options.h"
#include "suite/report/csv_file.h"
#include "suite/report/table.h"
#include "suite/timing/harness.h"

namespace convscope {

/// One row of bench.csv.
struct BenchRow {
  std::string env;
  BenchResult result;
  int64_t macs = 0;                   ///< of one image
  int64_t predicted_peak_bytes = -1;  ///< of the case
  std::optional<double> peak_gflops;  ///< of the machine with these threads, where calibrated

  std::optional<double> images_per_s() const;
  /// 2 per multiply-accumulate, of inference.
  std::optional<double> gflop_per_s() const;
};

/// All columns, in files' units.
Table bench_table(const std::vector<BenchRow>& rows);

/// What people want to see of it: times with the digits that their intervals support, and of what
/// was asked for only what differs between the rows.
Table bench_summary(const std::vector<BenchRow>& rows);

/// "9.87 ± 0.04": as many digits as the interval supports.
std::string with_interval(double value, double low, double high);

/// bench.csv and samples.csv in a folder. With `resume`, what an earlier run finished stays, and
/// the rest of what it wrote goes: failed cases, and samples of one that it was killed in.
class BenchRecords {
 public:
  BenchRecords(const std::filesystem::path& folder, bool resume, std::ostream& err);

  /// Whether all parts of a case are there, measured in this environment.
  bool has(const std::string& env, const BenchCase& bench_case) const;

  /// The samples go first: a row in bench.csv says that all of them are there.
  void write(const BenchRow& row);

 private:
  std::unique_ptr<CsvWriter> rows_, samples_;
  std::set<std::string> finished_;  ///< environment and case
};

}  // namespace convscope

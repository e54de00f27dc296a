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

/// An end of an interval in another unit; an empty cell where there is no interval.
Cell end_of(const std::optional<Interval>& interval, double Interval::*end, double unit = 1);

/// bench.csv and samples.csv in a folder.
class BenchRecords {
 public:
  /// Starts new ones. Throws UsageError where rows are there: they took somebody time.
  BenchRecords(const std::filesystem::path& folder, std::ostream& err);

  /// Goes on with what an earlier run finished. The rest of what it wrote goes: failed cases,
  /// samples of one that it was killed in, and of `cases` those that are not whole or, where this
  /// run is not `quick`, were. Throws UsageError for rows of another environment and for files that
  /// are damaged.
  BenchRecords(const std::filesystem::path& folder, const std::string& env, bool quick,
               const std::vector<BenchCase>& cases, std::ostream& err);

  /// Whether all parts of a case are there.
  bool has(const BenchCase& bench_case) const;

  /// How many rows of the earlier run stay, and how many went.
  int64_t kept() const { return kept_; }
  int64_t dropped() const { return dropped_; }

  /// The samples go first: a row in bench.csv says that all of them are there.
  void write(const BenchRow& row);

 private:
  void open(const std::filesystem::path& folder, bool resume, std::ostream& err);
  void keep_finished(const std::filesystem::path& folder, bool quick,
                     const std::vector<BenchCase>& cases);

  std::string env_;
  std::unique_ptr<CsvWriter> rows_, samples_;
  std::set<std::string> finished_;  ///< environment and case
  int64_t kept_ = 0, dropped_ = 0;
};

/// A record that replaces an earlier run's only when its own first row is there.
class NewRecord {
 public:
  /// Throws UsageError if it cannot be written.
  NewRecord(const std::filesystem::path& folder, const std::string& file,
            const std::vector<std::string>& columns, std::ostream& err);
  ~NewRecord();
  NewRecord(const NewRecord&) = delete;
  NewRecord& operator=(const NewRecord&) = delete;

  void write(const std::vector<Cell>& row);

 private:
  std::filesystem::path path_, unfinished_;
  bool has_rows_ = false;
  std::unique_ptr<CsvWriter> writer_;
};

}  // namespace convscope

// Where a command's result goes: --format and --out, and the folder of a run's records.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "suite/commands/command.h"
#include "suite/commands/experiment_file.h"
#include "suite/report/csv_file.h"
#include "suite/report/table.h"
#include "suite/timing/environment.h"
#include "suite/timing/statistics.h"

namespace convscope {

/// Adds --format and --out.
void add_output_options(po::options_description& options);

/// Where --out and --format send a result. Opens the file at once, so that a path which cannot be
/// written is known before the work; under its final name it appears only when it is complete.
class Output {
 public:
  /// Throws UsageError.
  explicit Output(const Invocation& invocation);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Format format() const { return format_; }
  /// Whether people read the format, or programs.
  bool for_people() const { return format_ != Format::csv && format_ != Format::json; }
  void print(const Table& table);
  void print(const std::string& text);

 private:
  std::ostream& stream() { return file_ ? *file_ : console_; }
  void finish();

  std::ostream& console_;
  Format format_;
  bool bold_ = false;
  std::filesystem::path path_, unfinished_;
  std::optional<std::ofstream> file_;
};

/// A record of a results folder, `file` in `folder`. With `resume`, rows that are there stay and a
/// torn last one is reported on `err`. Throws UsageError if it cannot be written.
std::unique_ptr<CsvWriter> open_record(const std::filesystem::path& folder, const std::string& file,
                                       const std::vector<std::string>& columns, bool resume,
                                       std::ostream& err);

/// Leaves in a record only the rows that `keep` says yes to.
void prune(const std::filesystem::path& path,
           const std::function<bool(const CsvFile&, const CsvRow&)>& keep);

/// A record whose rows stay where `keep` says yes to them.
std::unique_ptr<CsvWriter> open_pruned_record(
    const std::filesystem::path& folder, const std::string& file,
    const std::vector<std::string>& columns, std::ostream& err,
    const std::function<bool(const CsvFile&, const CsvRow&)>& keep);

/// The same without the rows that begin with the fields of one of `replaced`: those that are about
/// to be written anew. Throws UsageError if it cannot be written.
std::unique_ptr<CsvWriter> open_record_without(
    const std::filesystem::path& folder, const std::string& file,
    const std::vector<std::string>& columns, std::ostream& err,
    const std::vector<std::vector<std::string>>& replaced);

/// Writes what ran, with what settings, where, into `folder`/manifest.json, beside what other
/// commands of the same experiment wrote there. `what` tells this run
/// from others of the command; `facts` are what else it should record; `where` it ran.
void record_run(const std::filesystem::path& folder, const Invocation& invocation,
                const std::string& started, const std::string& what = "",
                const std::vector<std::pair<std::string, std::string>>& facts = {},
                const Environment& where = environment());

/// Adds to what ran the question that it was to answer.
void record_experiment(const std::filesystem::path& folder, const std::string& file,
                       const ExperimentHeader& header);

/// The median of values, and an end of its 95 % interval; empty where there are too few.
Cell median_of(const std::vector<double>& values);
Cell median_end(const std::vector<double>& values, double Interval::*end);

/// "2026-11-20T14:03:07Z".
std::string utc_now();

}  // namespace convscope

#include "suite/commands/bench_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <ostream>

#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

using R = BenchRow;

Cell milliseconds(double ns) { return ns < 0 ? Cell() : Cell(ns / 1e6); }
Cell milliseconds(const std::optional<double>& ns) { return ns ? Cell(*ns / 1e6) : Cell(); }
Cell number(const std::optional<double>& value) { return value ? Cell(*value) : Cell(); }
Cell bytes(int64_t count) { return count < 0 ? Cell() : Cell(count); }

/// A value of a case that was measured.
template <class Value>
std::function<Cell(const R&)> measured(Value value) {
  return [value](const R& row) -> Cell {
    return row.result.failed() ? Cell() : Cell(value(row.result));
  };
}

Cell peak_share(const R& row) {
  const auto rate = row.gflop_per_s();
  return rate && row.peak_gflops ? Cell(*rate / *row.peak_gflops) : Cell();
}

Cell peak_error_percent(const R& row) {
  const int64_t peak = row.result.peak_bytes;
  if (peak <= 0 || row.predicted_peak_bytes < 0) return {};
  return 100 * (static_cast<double>(row.predicted_peak_bytes) / static_cast<double>(peak) - 1);
}

int64_t disturbed_blocks(const BenchResult& result) {
  return std::count_if(result.blocks.begin(), result.blocks.end(),
                       [](const BenchBlock& block) { return block.disturbance.disturbed(); });
}

/// The columns of bench.csv.
std::vector<Column<R>> bench_columns() {
  using B = BenchResult;
  const auto of_case = [](auto BenchCase::*field) {
    return [field](const R& r) { return Cell(r.result.bench_case.*field); };
  };
  const auto plain = Human::plain;
  return {
      {"env", "Environment", plain, [](const R& r) { return Cell(r.env); }},
      {"model", "Network", plain,
       [](const R& r) { return Cell(r.result.bench_case.architecture.name); }},
      {"input", "Input", plain,
       [](const R& r) { return Cell(to_string(r.result.bench_case.settings.image)); }},
      {"device", "Device", plain, of_case(&BenchCase::device)},
      {"threads", "Threads", plain,
       [](const R& r) { return Cell(int64_t{r.result.bench_case.threads}); }},
      {"batch", "Batch", plain, of_case(&BenchCase::batch)},
      {"precision", "Precision", plain, of_case(&BenchCase::precision)},
      {"layout", "Layout", plain, of_case(&BenchCase::layout)},
      {"engine", "Engine", plain, of_case(&BenchCase::engine)},
      {"mode", "Mode", plain, of_case(&BenchCase::mode)},
      {"scenario", "Scenario", plain, of_case(&BenchCase::scenario)},
      {"samples", "Samples", plain,
       measured([](const B& b) { return static_cast<int64_t>(b.summary.samples); })},
      {"median_ms", "Median (ms)", plain,
       measured([](const B& b) { return milliseconds(b.summary.median); })},
      {"ci_low_ms", "", plain,
       [](const R& r) { return end_of(r.result.summary.interval, &Interval::low, 1e6); }},
      {"ci_high_ms", "", plain,
       [](const R& r) { return end_of(r.result.summary.interval, &Interval::high, 1e6); }},
      {"min_ms", "Min (ms)", plain,
       measured([](const B& b) { return milliseconds(b.summary.min); })},
      {"iqr_ms", "IQR (ms)", plain,
       measured([](const B& b) { return milliseconds(b.summary.iqr); })},
      {"p90_ms", "p90 (ms)", plain,
       measured([](const B& b) { return milliseconds(b.summary.p90); })},
      {"p95_ms", "p95 (ms)", plain,
       measured([](const B& b) { return milliseconds(b.summary.p95); })},
      {"p99_ms", "p99 (ms)", plain,
       measured([](const B& b) { return milliseconds(b.summary.p99); })},
      {"first_ms", "First (ms)", plain,
       measured([](const B& b) { return milliseconds(b.first_ns); })},
      {"second_ms", "Second (ms)", plain,
       measured([](const B& b) { return milliseconds(b.second_ns); })},
      {"images_per_s", "Images/s", plain, [](const R& r) { return number(r.images_per_s()); }},
      {"gflop_per_s", "GFLOP/s", plain, [](const R& r) { return number(r.gflop_per_s()); }},
      {"peak_share", "Of peak", plain, peak_share},
      {"peak_bytes", "Memory", Human::bytes,
       measured([](const B& b) { return bytes(b.peak_bytes); })},
      {"predicted_peak_bytes", "Predicted", Human::bytes,
       [](const R& r) { return bytes(r.predicted_peak_bytes); }},
      {"status", "Status", plain, [](const R& r) { return Cell(r.result.status); }},
      {"reason", "Reason", plain, [](const R& r) { return Cell(r.result.reason); }},
      {"case", "Case", plain, [](const R& r) { return Cell(name_of(r.result.bench_case)); }},
      {"blocks", "", plain,
       measured([](const B& b) { return static_cast<int64_t>(b.blocks.size()); })},
      {"disturbed_blocks", "", plain, measured(disturbed_blocks)},
      {"warmup_samples", "", plain,
       measured([](const B& b) { return static_cast<int64_t>(b.warm_up_ns.size()); })},
      {"logit_difference", "", plain,
       measured([](const B& b) { return b.difference < 0 ? Cell() : Cell(b.difference); })},
      {"peak_error_percent", "", plain, peak_error_percent},
      {"device_ms", "", plain, measured([](const B& b) { return milliseconds(b.device_ns); })},
      {"enqueue_share", "", plain,
       measured([](const B& b) { return b.enqueue_share < 0 ? Cell() : Cell(b.enqueue_share); })},
  };
}

const std::vector<std::string> sample_columns = {"env",   "case", "repetition",
                                                 "index", "ns",   "disturbed"};

std::string median_text(const BenchResult& result) {
  const Summary& summary = result.summary;
  if (result.failed()) return "";
  if (relative_half_width(summary) > 0.5)
    return "~" + rounded(summary.median / 1e6, summary.median / 1e7);
  return with_interval(summary.median / 1e6, summary.interval->low / 1e6,
                       summary.interval->high / 1e6);
}

/// A number with no more digits than the median's interval leaves it.
std::string supported(const std::optional<double>& value, const BenchResult& result) {
  if (!value) return "";
  const double relative = relative_half_width(result.summary);
  return rounded(*value, *value * std::clamp(relative, 1e-4, 0.1));
}

std::string key(const std::string& env, const std::string& name) { return env + " " + name; }

/// The names of the rows that a case becomes.
std::vector<std::string> parts_of(BenchCase bench_case) {
  if (bench_case.mode != "train") return {name_of(bench_case)};
  std::vector<std::string> names;
  for (const char* part : {"train", "train_forward", "train_backward", "train_optimizer"}) {
    bench_case.mode = part;
    names.push_back(name_of(bench_case));
  }
  return names;
}

/// The environments of a record's rows, one for each; none where it is not there or was killed in
/// its header. Throws UsageError for what is no such record.
std::vector<std::string> rows_in(const std::filesystem::path& path) {
  std::string header;
  if (std::ifstream file(path); !std::getline(file, header) || file.eof()) return {};
  try {
    return texts(read_csv(path), "env");
  } catch (const std::runtime_error& damaged) {
    throw UsageError(damaged.what());
  }
}

}  // namespace

std::optional<double> BenchRow::images_per_s() const {
  const std::string& mode = result.bench_case.mode;
  if (result.failed() || mode.rfind("train_", 0) == 0) return std::nullopt;
  return static_cast<double>(result.bench_case.batch) / (result.summary.median / 1e9);
}

std::optional<double> BenchRow::gflop_per_s() const {
  if (result.failed() || result.bench_case.mode != "inference") return std::nullopt;
  return 2 * static_cast<double>(macs * result.bench_case.batch) / result.summary.median;
}

Table bench_table(const std::vector<BenchRow>& rows) { return make_table(bench_columns(), rows); }

Table bench_summary(const std::vector<BenchRow>& rows) {
  const auto all = bench_columns();
  const auto differs = [&](const Column<R>& column) {
    return std::any_of(rows.begin(), rows.end(), [&](const R& row) {
      return raw_text(column.get(row)) != raw_text(column.get(rows[0]));
    });
  };
  const auto some = [&](const auto& wanted) {
    return std::any_of(rows.begin(), rows.end(), wanted);
  };
  std::vector<Column<R>> shown;
  const auto add = [&](const std::string& name) {
    for (const Column<R>& column : all) {
      if (column.name == name) shown.push_back(column);
    }
  };
  add("model");
  for (const Column<R>& column : all) {
    if (column.name == "samples") break;
    if (column.name != "env" && column.name != "model" && differs(column)) add(column.name);
  }
  const auto text = [&](const std::string& heading, std::function<std::string(const R&)> get) {
    shown.push_back({heading, heading, Human::plain,
                     [get](const R& r) {
                       const std::string value = get(r);
                       return value.empty() ? Cell() : Cell(value);
                     },
                     Align::right});
  };
  text("Median (ms)", [](const R& r) { return median_text(r.result); });
  text("Min (ms)", [](const R& r) {
    return r.result.failed() ? "" : supported(r.result.summary.min / 1e6, r.result);
  });
  if (some([](const R& r) { return r.result.summary.p95.has_value(); })) {
    text("p95 (ms)", [](const R& r) {
      return r.result.summary.p95 ? supported(*r.result.summary.p95 / 1e6, r.result) : "";
    });
  }
  text("Images/s", [](const R& r) { return supported(r.images_per_s(), r.result); });
  if (some([](const R& r) { return r.gflop_per_s().has_value(); })) {
    text("GFLOP/s", [](const R& r) { return supported(r.gflop_per_s(), r.result); });
  }
  if (some([](const R& r) { return r.peak_gflops && r.gflop_per_s(); })) {
    text("Of peak", [](const R& r) {
      const Cell share = peak_share(r);
      const double* value = std::get_if<double>(&share);
      return value ? rounded(100 * *value, 1) + " %" : "";
    });
  }
  add("peak_bytes");
  add("predicted_peak_bytes");
  add("status");
  return make_table(shown, rows);
}

Cell end_of(const std::optional<Interval>& interval, double Interval::*end, double unit) {
  return interval ? Cell((*interval).*end / unit) : Cell();
}

BenchRecords::BenchRecords(const std::filesystem::path& folder, std::ostream& err) {
  if (const size_t rows = rows_in(folder / "bench.csv").size(); rows > 0) {
    throw UsageError("'" + folder.string() + "' holds " + std::to_string(rows) +
                     (rows == 1 ? " row" : " rows") +
                     ": --resume goes on with them; or choose another folder");
  }
  open(folder, /*resume=*/false, err);
}

BenchRecords::BenchRecords(const std::filesystem::path& folder, const std::string& env, bool quick,
                           const std::vector<BenchCase>& cases, std::ostream& err)
    : env_(env) {
  for (const std::string& other : rows_in(folder / "bench.csv")) {
    if (other == env) continue;
    throw UsageError("'" + folder.string() + "' was measured in environment " + other +
                     ", and this is " + env +
                     " (another machine, or another build of convscope): choose another folder");
  }
  open(folder, /*resume=*/true, err);
  try {
    keep_finished(folder, quick, cases);
  } catch (const std::runtime_error& damaged) {
    throw UsageError(damaged.what());
  }
  open(folder, /*resume=*/true, err);  // the pruned files
}

void BenchRecords::open(const std::filesystem::path& folder, bool resume, std::ostream& err) {
  rows_ = open_record(folder, "bench.csv", column_names(bench_columns()), resume, err);
  samples_ = open_record(folder, "samples.csv", sample_columns, resume, err);
}

void BenchRecords::keep_finished(const std::filesystem::path& folder, bool quick,
                                 const std::vector<BenchCase>& cases) {
  const auto key_of = [](const CsvFile& file, const CsvRow& row) {
    return key(row.fields[column_index(file, "env")], row.fields[column_index(file, "case")]);
  };
  std::set<std::string> asked_for;
  for (const BenchCase& bench_case : cases) {
    for (const std::string& part : parts_of(bench_case)) asked_for.insert(key(env_, part));
  }
  std::set<std::string> with_samples;
  CsvReader samples(folder / "samples.csv");
  for (CsvRow row; samples.next(row);) with_samples.insert(key_of(samples.file(), row));
  const CsvFile rows = read_csv(folder / "bench.csv");
  for (const CsvRow& row : rows.rows) {
    const std::string& status = row.fields[column_index(rows, "status")];
    const std::string name = key_of(rows, row);
    // A status that is worse than quick leaves that to the end of the reason.
    const std::string& reason = row.fields[column_index(rows, "reason")];
    const bool was_quick =
        status == "quick" || (reason.size() > 7 && reason.substr(reason.size() - 7) == "; quick");
    const bool too_quick = was_quick && !quick && asked_for.count(name) > 0;
    if (status != "failed" && !too_quick && with_samples.count(name) > 0) finished_.insert(name);
  }
  // A step that lacks a part is measured again as a whole.
  for (const BenchCase& bench_case : cases) {
    if (has(bench_case)) continue;
    for (const std::string& part : parts_of(bench_case)) finished_.erase(key(env_, part));
  }
  const auto finished = [&](const CsvFile& file, const CsvRow& row) {
    return finished_.count(key_of(file, row)) > 0;
  };
  kept_ = std::count_if(rows.rows.begin(), rows.rows.end(),
                        [&](const CsvRow& row) { return finished(rows, row); });
  dropped_ = static_cast<int64_t>(rows.rows.size()) - kept_;
  prune(folder / "bench.csv", finished);
  prune(folder / "samples.csv", finished);
}

bool BenchRecords::has(const BenchCase& bench_case) const {
  const std::vector<std::string> parts = parts_of(bench_case);
  return std::all_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return finished_.count(key(env_, part)) > 0; });
}

void BenchRecords::write(const BenchRow& row) {
  const std::string name = name_of(row.result.bench_case);
  const auto write_samples = [&](int64_t repetition, const std::vector<double>& ns, int64_t& index,
                                 bool disturbed) {
    for (const double sample : ns) {
      samples_->write({row.env, name, repetition, index++,
                       static_cast<int64_t>(std::llround(sample)), disturbed});
    }
  };
  int64_t index = 0, repetition = 0;
  write_samples(0, row.result.warm_up_ns, index, false);
  for (const BenchBlock& block : row.result.blocks) {
    if (block.repetition != repetition) index = 0;  // a repeated block goes on counting
    repetition = block.repetition;
    write_samples(repetition, block.ns, index, block.disturbance.disturbed());
  }
  rows_->write(cells(bench_columns(), row));
}

NewRecord::NewRecord(const std::filesystem::path& folder, const std::string& file,
                     const std::vector<std::string>& columns, std::ostream& err)
    : path_(folder / file),
      unfinished_(path_.string() + ".unfinished"),
      writer_(open_record(folder, file + ".unfinished", columns, /*resume=*/false, err)) {}

NewRecord::~NewRecord() {
  std::error_code ignored;
  if (!has_rows_) std::filesystem::remove(unfinished_, ignored);
}

void NewRecord::write(const std::vector<Cell>& row) {
  writer_->write(row);
  if (!has_rows_) std::filesystem::rename(unfinished_, path_);
  has_rows_ = true;
}

}  // namespace convscope

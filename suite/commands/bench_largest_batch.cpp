#include "suite/commands/bench_largest_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <ostream>
#include <vector>

#include "suite/commands/bench_options.h"
#include "suite/commands/bench_rows.h"
#include "suite/commands/output.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/environment.h"
#include "suite/timing/largest_batch.h"
#include "suite/timing/workload.h"

namespace convscope {
namespace {

/// Three passes: what a step keeps for the next one is there from the second on.
constexpr WarmUpRule few_passes = {0, 1, 0};

struct LargestBatchRow {
  std::string env;
  BenchCase bench_case;
  int64_t budget_bytes = -1, predicted_batch = 0;
  LargestBatch found;
  std::string status = "failed";  ///< or ok, or predicted
  std::string reason;
};

using R = LargestBatchRow;

Cell if_found(const R& r, int64_t value) { return r.found.batch > 0 ? Cell(value) : Cell(); }
Cell bytes(int64_t count) { return count < 0 ? Cell() : Cell(count); }

Cell prediction_error_percent(const R& r) {
  if (r.found.batch == 0) return {};
  return 100 * (static_cast<double>(r.predicted_batch) / static_cast<double>(r.found.batch) - 1);
}

/// The columns of largest_batch.csv; people see of the case only what differs between the rows.
std::vector<Column<R>> columns_of(const std::vector<R>& rows) {
  const auto of_case = [&](const std::string& name, const std::string& heading, auto get) {
    const auto value = [get](const R& r) { return Cell(get(r.bench_case)); };
    const bool differs = std::any_of(rows.begin(), rows.end(),
                                     [&](const R& r) { return value(r) != value(rows[0]); });
    return Column<R>{name, heading, differs ? Human::plain : Human::none, value};
  };
  constexpr auto plain = Human::plain, none = Human::none;
  return {
      {"model", "Network", plain, [](const R& r) { return Cell(r.bench_case.architecture.name); }},
      of_case("input", "Input", [](const BenchCase& c) { return to_string(c.settings.image); }),
      of_case("device", "Device", [](const BenchCase& c) { return c.device; }),
      of_case("threads", "Threads", [](const BenchCase& c) { return int64_t{c.threads}; }),
      of_case("precision", "Precision", [](const BenchCase& c) { return c.precision; }),
      of_case("layout", "Layout", [](const BenchCase& c) { return c.layout; }),
      of_case("engine", "Engine", [](const BenchCase& c) { return c.engine; }),
      of_case("mode", "Mode", [](const BenchCase& c) { return c.mode; }),
      {"budget_bytes", "Budget", Human::bytes, [](const R& r) { return bytes(r.budget_bytes); }},
      {"predicted_batch", "Predicted", plain, [](const R& r) { return Cell(r.predicted_batch); }},
      {"largest_batch", "Largest", plain, [](const R& r) { return if_found(r, r.found.batch); }},
      {"peak_bytes", "Memory", Human::bytes,
       [](const R& r) { return if_found(r, r.found.peak_bytes); }},
      {"trials", "Trials", plain, [](const R& r) { return Cell(r.found.trials); }},
      {"status", "Status", plain, [](const R& r) { return Cell(r.status); }},
      {"reason", "", none, [](const R& r) { return Cell(r.reason); }},
      {"prediction_error_percent", "Off (%)", plain, prediction_error_percent},
      {"too_large_batch", "Too large", plain,
       [](const R& r) { return r.found.too_large > 0 ? Cell(r.found.too_large) : Cell(); }},
      {"env", "", none, [](const R& r) { return Cell(r.env); }},
  };
}

std::string in_mebibytes(int64_t count) {
  return fmt::format("{:.1f} MiB", static_cast<double>(count) / (1 << 20));
}

/// "a batch of 27 takes 202.0 MiB".
std::string what_is_too_large(const LargestBatch& found) {
  const BatchTrial& trial = found.too_large_trial;
  if (found.too_large == 0) return "no batch that was tried is too large";
  return fmt::format(
      "a batch of {}{}", found.too_large,
      trial.peak_bytes >= 0 ? " takes " + in_mebibytes(trial.peak_bytes) : ": " + trial.failure);
}

/// One batch in its own process.
BatchTrial run_once(BenchCase bench_case, int64_t batch) {
  bench_case.batch = batch;
  try {
    const auto measured = measured_apart(bench_case.program);
    const int64_t available = available_memory_of("cpu");
    if (bench_case.device == "cpu" && available > 0) measured->limit_memory(available);
    measured->prepare(bench_case, few_passes);
    const int64_t peak = measured->peak_bytes();
    if (peak < 0) return {-1, "nobody tells how much memory it takes"};
    return {peak, ""};
  } catch (const Interrupted&) {
    throw;
  } catch (const std::runtime_error& error) {
    return {-1, error.what()};
  }
}

void search(R& row, const PlannedCase& planned, bool by_trial) {
  row.predicted_batch = predicted_batch(planned.predicted_peak, row.budget_bytes);
  row.status = "predicted";
  if (!by_trial) return;
  // Batch normalisation cannot train on one image where its maps have one pixel.
  const int64_t least = planned.bench_case.mode == "train" ? 2 : 1;
  row.found = find_largest_batch([&](int64_t batch) { return run_once(planned.bench_case, batch); },
                                 planned.predicted_peak, row.budget_bytes, least);
  row.status = row.found.batch > 0 ? "ok" : "failed";
  row.reason = what_is_too_large(row.found);
}

/// How much a case may take; what is available unless --memory says something else.
int64_t budget_of(const BenchCase& bench_case, std::optional<int64_t> asked_for) {
  const int64_t available = available_memory_of(bench_case.device);
  if (!asked_for && available < 0) {
    throw UsageError("nobody tells how much memory " + bench_case.device + " has: give --memory");
  }
  if (!asked_for) return available;
  if (available >= 0 && *asked_for > available) {
    throw UsageError("--memory " + in_mebibytes(*asked_for) + " is more than the " +
                     in_mebibytes(available) + " that are available");
  }
  return *asked_for;
}

void refuse_what_is_no_batch(const Invocation& invocation) {
  if (!invocation.list("batch").empty() || !invocation.text("scenario").empty()) {
    throw UsageError("--largest-batch finds the batch: leave --batch and --scenario out");
  }
  const auto modes = invocation.list("mode");
  if (std::count(modes.begin(), modes.end(), "loader")) {
    throw UsageError("--largest-batch is of networks, not of --mode loader");
  }
}

}  // namespace

int print_largest_batches(const Invocation& invocation) {
  const std::string started = utc_now();
  const std::string& folder = invocation.text("results");
  refuse_what_is_no_batch(invocation);
  std::optional<int64_t> asked_for;
  if (const std::string& text = invocation.text("memory"); !text.empty()) {
    asked_for = parse_bytes(text);
    if (!asked_for) {
      throw UsageError("--memory '" + text + "' is no size: write 512MiB, 2GiB or 1e9 (bytes)");
    }
  }
  std::vector<PlannedCase> planned = planned_cases(invocation, network_cases(invocation));
  if (std::all_of(planned.begin(), planned.end(),
                  [](const PlannedCase& p) { return !p.refusal.empty(); })) {
    throw UsageError(planned[0].refusal);
  }
  for (const PlannedCase& p : planned) {
    if (p.refusal.empty()) budget_of(p.bench_case, asked_for);
  }

  Output output(invocation);
  const std::string env = environment_id(environment());
  std::unique_ptr<NewRecord> record;
  if (!folder.empty()) {
    record = std::make_unique<NewRecord>(folder, "largest_batch.csv", column_names(columns_of({})),
                                         invocation.err);
  }
  std::vector<R> rows;
  bool stopped = false;
  size_t failed = 0;
  for (PlannedCase& p : planned) {
    p.bench_case.scenario = "throughput";
    R row;
    row.env = env;
    row.bench_case = p.bench_case;
    row.reason = p.refusal;
    try {
      if (p.refusal.empty()) {
        row.budget_bytes = budget_of(p.bench_case, asked_for);
        search(row, p, !invocation.flag("dry-run"));
      }
    } catch (const Interrupted&) {
      stopped = true;
      break;
    } catch (const UsageError& error) {  // no longer available
      row.reason = error.what();
    }
    row.bench_case.batch = std::max<int64_t>(1, row.found.batch);
    if (!row.reason.empty()) {
      invocation.err << (row.status == "failed" ? "convscope: " : "note: ")
                     << name_of(row.bench_case) << ": " << row.reason << "\n";
    }
    failed += row.status == "failed";
    if (record) record->write(cells(columns_of({}), row));
    rows.push_back(std::move(row));
  }
  if (!rows.empty()) output.print(make_table(columns_of(rows), rows));
  if (record) record_run(folder, invocation, started, "--largest-batch");
  if (stopped) {
    invocation.err << "convscope: interrupted; " << rows.size() << " rows are kept\n";
    return interrupted;
  }
  return failed == 0 ? done : some_failed;
}

}  // namespace convscope

#include "suite/commands/bench_operators.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>

#include "suite/commands/bench_rows.h"
#include "suite/commands/output.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/timing/environment.h"

namespace convscope {
namespace {

constexpr double ms = 1e6;  // in ns

struct OperatorRow {
  OperatorTime time;
  double macs_ratio;
  std::string env;

  bool measured() const { return time.reason.empty(); }
};

Cell if_measured(const OperatorRow& row, double value) {
  return row.measured() ? Cell(value) : Cell();
}

Cell gflop_per_s(const OperatorRow& r) {
  const int64_t flops = r.time.cost.flops * r.time.bench_case.batch;
  return r.measured() ? Cell(static_cast<double>(flops) / r.time.ns.median) : Cell();
}

/// The columns of bench_operators.csv.
std::vector<Column<OperatorRow>> record_columns() {
  using R = OperatorRow;
  using I = Interval;
  constexpr Human no = Human::none;
  const auto status = [](const R& r) {
    return Cell(std::string(r.measured() ? "ok" : r.time.fits ? "failed" : "skipped"));
  };
  return {
      {"operator", "", no, [](const R& r) { return Cell(r.time.bench_case.architecture.name); }},
      {"input", "", no,
       [](const R& r) { return Cell(to_string(r.time.bench_case.settings.image)); }},
      {"threads", "", no, [](const R& r) { return Cell(int64_t{r.time.bench_case.threads}); }},
      {"batch", "", no, [](const R& r) { return Cell(r.time.bench_case.batch); }},
      {"precision", "", no, [](const R& r) { return Cell(r.time.bench_case.precision); }},
      {"layout", "", no, [](const R& r) { return Cell(r.time.bench_case.layout); }},
      {"engine", "", no, [](const R& r) { return Cell(r.time.bench_case.engine); }},
      {"params", "", no, [](const R& r) { return Cell(r.time.cost.params); }},
      {"macs", "", no, [](const R& r) { return Cell(r.time.cost.macs); }},
      {"flops", "", no, [](const R& r) { return Cell(r.time.cost.flops); }},
      {"median_ms", "", no, [](const R& r) { return if_measured(r, r.time.ns.median / ms); }},
      {"ci_low_ms", "", no, [](const R& r) { return end_of(r.time.ns.interval, &I::low, ms); }},
      {"ci_high_ms", "", no, [](const R& r) { return end_of(r.time.ns.interval, &I::high, ms); }},
      {"macs_ratio", "", no, [](const R& r) { return Cell(r.macs_ratio); }},
      {"time_ratio", "", no, [](const R& r) { return if_measured(r, r.time.ratio); }},
      {"ratio_low", "", no, [](const R& r) { return end_of(r.time.ratio_interval, &I::low); }},
      {"ratio_high", "", no, [](const R& r) { return end_of(r.time.ratio_interval, &I::high); }},
      {"gflop_per_s", "", no, gflop_per_s},
      {"status", "", no, status},
      {"reason", "", no, [](const R& r) { return Cell(r.time.reason); }},
      {"env", "", no, [](const R& r) { return Cell(r.env); }},
  };
}

/// "0.224 ± 0.012".
Cell estimate(double value, const std::optional<Interval>& interval) {
  if (!interval || interval->low == interval->high) return value;
  return with_interval(value, interval->low, interval->high);
}

/// What people see: of how it was measured, only what differs between the rows.
std::vector<Column<OperatorRow>> columns_for_people(const std::vector<OperatorRow>& rows) {
  using R = OperatorRow;
  using Of = std::function<Cell(const BenchCase&)>;
  const auto if_several = [&](const std::string& heading, const Of& of) {
    const bool several = std::any_of(rows.begin(), rows.end(), [&](const R& r) {
      return of(r.time.bench_case) != of(rows[0].time.bench_case);
    });
    return Column<R>{heading, heading, several ? Human::plain : Human::none,
                     [of](const R& r) { return of(r.time.bench_case); }};
  };
  return {
      {"operator", "Operator", Human::plain,
       [](const R& r) { return Cell(r.time.bench_case.architecture.name); }},
      if_several("Batch", [](const BenchCase& c) { return Cell(c.batch); }),
      if_several("Precision", [](const BenchCase& c) { return Cell(c.precision); }),
      if_several("Layout", [](const BenchCase& c) { return Cell(c.layout); }),
      if_several("Engine", [](const BenchCase& c) { return Cell(c.engine); }),
      {"macs", "MACs", Human::count, [](const R& r) { return Cell(r.time.cost.macs); }},
      {"ms", "ms", Human::plain,
       [](const R& r) {
         const auto& interval = r.time.ns.interval;
         if (!r.measured() || !interval) return if_measured(r, r.time.ns.median / ms);
         return estimate(r.time.ns.median / ms, Interval{interval->low / ms, interval->high / ms});
       },
       Align::right},
      {"gflop_per_s", "GFLOP/s", Human::plain, gflop_per_s},
      {"macs_ratio", "MACs/standard", Human::plain, [](const R& r) { return Cell(r.macs_ratio); }},
      {"time_ratio", "Time/standard", Human::plain,
       [](const R& r) {
         return r.time.ratio > 0 ? estimate(r.time.ratio, r.time.ratio_interval) : Cell();
       },
       Align::right},
  };
}

}  // namespace

int print_operator_times(const Invocation& invocation, const std::vector<PlannedCase>& variants,
                         const RoundPlan& plan) {
  const std::string started = utc_now();
  const std::string& folder = invocation.text("results");
  std::vector<BenchCase> cases;
  for (const PlannedCase& variant : variants) {
    const BenchCase& c = variant.bench_case;
    if (c.mode != "inference") throw UsageError("--operators are timed in --mode inference alone");
    if (c.threads != variants[0].bench_case.threads) {
      throw UsageError("--operators are timed in turns, with one number of --threads");
    }
    cases.push_back(c);
  }
  require_some_case(variants);
  Output output(invocation);
  const std::string env = environment_id(environment());
  const auto columns = record_columns();
  std::unique_ptr<NewRecord> record;
  if (!folder.empty()) {
    record = std::make_unique<NewRecord>(folder, "bench_operators.csv", column_names(columns),
                                         invocation.err);
  }
  std::vector<OperatorRow> rows;
  int64_t standard = 0;
  size_t failed = 0;
  for (OperatorTime& time : time_operators(cases, plan)) {
    if (rows.empty()) standard = time.cost.macs;
    const double ratio = static_cast<double>(time.cost.macs) / static_cast<double>(standard);
    if (!time.reason.empty()) {
      failed += time.fits;
      invocation.err << (time.fits ? "convscope: " : "note: ") << name_of(time.bench_case) << ": "
                     << time.reason << "\n";
    }
    rows.push_back({std::move(time), ratio, env});
  }
  output.print(make_table(output.for_people() ? columns_for_people(rows) : columns, rows));
  if (record) {
    for (const OperatorRow& row : rows) record->write(cells(columns, row));
    record_run(folder, invocation, started, "--operators");
  }
  return failed == 0 ? done : some_failed;
}

}  // namespace convscope

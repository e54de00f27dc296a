#include "suite/commands/bench_operators.h"

#include <functional>
#include <ostream>

#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/report/table.h"
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

template <class Value>
std::function<Cell(const OperatorRow&)> if_measured(Value value) {
  return [value](const OperatorRow& r) { return r.measured() ? Cell(value(r)) : Cell(); };
}

Cell end_of(const std::optional<Interval>& interval, double Interval::*end, double unit = 1) {
  return interval ? Cell((*interval).*end / unit) : Cell();
}

/// The columns of bench_operators.csv.
std::vector<Column<OperatorRow>> operator_columns() {
  using R = OperatorRow;
  using I = Interval;
  return {
      {"operator", "Operator", Human::plain,
       [](const R& r) { return Cell(r.time.bench_case.architecture.name); }},
      {"input", "", Human::none,
       [](const R& r) { return Cell(to_string(r.time.bench_case.settings.image)); }},
      {"engine", "Engine", Human::plain, [](const R& r) { return Cell(r.time.bench_case.engine); }},
      {"threads", "", Human::none,
       [](const R& r) { return Cell(int64_t{r.time.bench_case.threads}); }},
      {"batch", "", Human::none, [](const R& r) { return Cell(r.time.bench_case.batch); }},
      {"layout", "", Human::none, [](const R& r) { return Cell(r.time.bench_case.layout); }},
      {"params", "", Human::none, [](const R& r) { return Cell(r.time.cost.params); }},
      {"macs", "MACs", Human::count, [](const R& r) { return Cell(r.time.cost.macs); }},
      {"flops", "", Human::none, [](const R& r) { return Cell(r.time.cost.flops); }},
      {"median_ms", "ms", Human::plain,
       if_measured([](const R& r) { return r.time.ns.median / ms; })},
      {"ci_low_ms", "", Human::none,
       [](const R& r) { return end_of(r.time.ns.interval, &I::low, ms); }},
      {"ci_high_ms", "", Human::none,
       [](const R& r) { return end_of(r.time.ns.interval, &I::high, ms); }},
      {"macs_ratio", "MACs/standard", Human::plain, [](const R& r) { return Cell(r.macs_ratio); }},
      {"time_ratio", "Time/standard", Human::plain,
       [](const R& r) { return r.time.ratio > 0 ? Cell(r.time.ratio) : Cell(); }},
      {"ratio_low", "from", Human::plain,
       [](const R& r) { return end_of(r.time.ratio_interval, &I::low); }},
      {"ratio_high", "to", Human::plain,
       [](const R& r) { return end_of(r.time.ratio_interval, &I::high); }},
      {"gflop_per_s", "GFLOP/s", Human::plain, if_measured([](const R& r) {
         return static_cast<double>(r.time.cost.flops * r.time.bench_case.batch) / r.time.ns.median;
       })},
      {"status", "", Human::none,
       [](const R& r) { return Cell(std::string(r.measured() ? "ok" : "failed")); }},
      {"reason", "", Human::none, [](const R& r) { return Cell(r.time.reason); }},
      {"env", "", Human::none, [](const R& r) { return Cell(r.env); }},
  };
}

}  // namespace

int print_operator_times(const Invocation& invocation, const std::vector<std::string>& engines,
                         int threads, int64_t batch, const std::string& layout,
                         const RoundPlan& plan) {
  const std::string started = utc_now();
  const std::string& folder = invocation.text("results");
  const std::vector<Architecture> variants = variants_asked_for(invocation);
  Output output(invocation);
  std::vector<BenchCase> cases;
  for (const Architecture& variant : variants) {
    for (const std::string& engine : engines) {
      BenchCase bench_case;
      bench_case.architecture = variant;
      bench_case.settings = variant.settings;
      bench_case.threads = threads;
      bench_case.batch = batch;
      bench_case.layout = layout;
      bench_case.engine = engine;
      bench_case.scenario = batch == 1 ? "latency" : "throughput";
      cases.push_back(std::move(bench_case));
    }
  }
  const std::string env = environment_id(environment());
  std::vector<OperatorRow> rows;
  int64_t standard = 0;
  size_t failed = 0;
  for (OperatorTime& time : time_operators(cases, plan)) {
    if (rows.empty()) standard = time.cost.macs;
    const double ratio = static_cast<double>(time.cost.macs) / static_cast<double>(standard);
    if (!time.reason.empty()) {
      ++failed;
      invocation.err << "convscope: " << time.bench_case.architecture.name << ", "
                     << time.bench_case.engine << ": " << time.reason << "\n";
    }
    rows.push_back({std::move(time), ratio, env});
  }
  const auto columns = operator_columns();
  const Table table = make_table(columns, rows);
  output.print(table);
  if (!folder.empty()) {
    const auto record = open_record(folder, "bench_operators.csv", column_names(columns),
                                    /*resume=*/false, invocation.err);
    for (const auto& row : table.rows) record->write(row);
    record_run(folder, invocation, started, "--operators");
  }
  return failed == 0 ? done : failed == rows.size() ? usage : some_failed;
}

}  // namespace convscope

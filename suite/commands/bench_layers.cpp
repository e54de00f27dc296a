#include "suite/commands/bench_layers.h"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>

#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/report/table.h"
#include "suite/timing/environment.h"

namespace convscope {
namespace {

constexpr double ms = 1e6;  // in ns

struct LayerRow {
  BenchCase bench_case;
  LayerTime layer;
  double share;  ///< of the plain pass
  std::optional<Roofline> roofline;
  std::string env;
};

Cell interval_end(const Summary& ns, double Interval::*end) {
  return ns.interval ? Cell((*ns.interval).*end / ms) : Cell();
}

/// Empty where nothing was done.
Cell rate(int64_t amount, const LayerRow& row) {
  return amount > 0 ? Cell(static_cast<double>(amount) / row.layer.ns.median) : Cell();
}

template <class Value>
std::function<Cell(const LayerRow&)> if_calibrated(Value value) {
  return [value](const LayerRow& r) -> Cell { return r.roofline ? value(r, *r.roofline) : Cell(); };
}

/// The columns of bench_layers.csv.
std::vector<Column<LayerRow>> layer_columns(bool several) {
  using R = LayerRow;
  const Human of_case = several ? Human::plain : Human::none;
  return {
      {"model", "Network", of_case,
       [](const R& r) { return Cell(r.bench_case.architecture.name); }},
      {"input", "Input", of_case,
       [](const R& r) { return Cell(to_string(r.bench_case.settings.image)); }},
      {"engine", "Engine", of_case, [](const R& r) { return Cell(r.bench_case.engine); }},
      {"threads", "Threads", of_case,
       [](const R& r) { return Cell(int64_t{r.bench_case.threads}); }},
      {"index", "", Human::plain, [](const R& r) { return Cell(r.layer.index); }},
      {"layer", "Layer", Human::plain, [](const R& r) { return Cell(r.layer.layer); }},
      {"op", "Operator", Human::plain, [](const R& r) { return Cell(r.layer.op); }},
      {"median_ms", "ms", Human::plain, [](const R& r) { return Cell(r.layer.ns.median / ms); }},
      {"ci_low_ms", "from", Human::plain,
       [](const R& r) { return interval_end(r.layer.ns, &Interval::low); }},
      {"ci_high_ms", "to", Human::plain,
       [](const R& r) { return interval_end(r.layer.ns, &Interval::high); }},
      {"macs", "MACs", Human::count, [](const R& r) { return Cell(r.layer.macs); }},
      {"flops", "", Human::none, [](const R& r) { return Cell(r.layer.flops); }},
      {"bytes", "Bytes", Human::bytes, [](const R& r) { return Cell(r.layer.work.bytes); }},
      {"gflop_per_s", "GFLOP/s", Human::plain,
       [](const R& r) { return rate(r.layer.work.flops, r); }},
      {"gb_per_s", "GB/s", Human::plain, [](const R& r) { return rate(r.layer.work.bytes, r); }},
      {"peak_share", "Of peak", Human::plain, if_calibrated([](const R& r, const Roofline& line) {
         return Cell(static_cast<double>(r.layer.work.flops) / r.layer.ns.median /
                     line.gflop_per_s);
       })},
      {"intensity", "FLOPs/byte", Human::plain,
       [](const R& r) { return r.layer.work.bytes > 0 ? Cell(intensity(r.layer.work)) : Cell(); }},
      {"bound", "Bound", Human::plain, if_calibrated([](const R& r, const Roofline& line) {
         return Cell(to_string(attainable(r.layer.work, line).bound));
       })},
      {"efficiency", "Efficiency", Human::plain,
       if_calibrated([](const R& r, const Roofline& line) {
         return Cell(attainable(r.layer.work, line).ns / r.layer.ns.median);
       })},
      {"time_share", "Of time", Human::plain, [](const R& r) { return Cell(r.share); }},
      {"batch", "", Human::none, [](const R& r) { return Cell(r.bench_case.batch); }},
      {"layout", "", Human::none, [](const R& r) { return Cell(r.bench_case.layout); }},
      {"implementation", "", Human::none, [](const R& r) { return Cell(r.layer.implementation); }},
      {"env", "", Human::none, [](const R& r) { return Cell(r.env); }},
  };
}

std::string coverage_line(const BenchCase& bench_case, const LayerTimes& times) {
  return fmt::format(
      "{}: these {} rows take {:.1f} % of a pass ({:.4g} ms); the clocks at each add {:.1f} % to "
      "it",
      name_of(bench_case), times.layers.size(), 100 * times.coverage(), times.plain_ns.median / ms,
      100 * times.watching());
}

}  // namespace

int print_layer_times(const Invocation& invocation, const std::vector<BenchCase>& cases,
                      const Rooflines& rooflines, const PassPlan& plan) {
  const std::string started = utc_now();
  const std::string& folder = invocation.text("results");
  const std::string env = environment_id(environment());
  const auto columns = layer_columns(cases.size() > 1);
  Output output(invocation);
  std::unique_ptr<CsvWriter> record;
  if (!folder.empty()) {
    record = open_record(folder, "bench_layers.csv", column_names(columns), /*resume=*/false,
                         invocation.err);
  }
  std::vector<LayerRow> rows;
  std::vector<std::string> lines;
  std::vector<std::pair<std::string, std::string>> facts;
  for (const BenchCase& bench_case : cases) {
    try {
      const std::string refusal = refusal_of(bench_case);
      if (!refusal.empty()) throw UsageError(refusal);
      const LayerTimes times = time_layers(bench_case, plan);
      const auto line = rooflines.find(bench_case.threads);
      for (const LayerTime& layer : times.layers) {
        rows.push_back({bench_case, layer, layer.ns.median / times.plain_ns.median,
                        line == rooflines.end() ? std::nullopt : std::optional(line->second), env});
        if (record) record->write(cells(columns, rows.back()));
      }
      lines.push_back(coverage_line(bench_case, times));
      facts.emplace_back("coverage of " + name_of(bench_case), std::to_string(times.coverage()));
    } catch (const std::exception& error) {
      const std::string reason = error.what();
      invocation.err << "convscope: " << name_of(bench_case) << ": "
                     << reason.substr(0, reason.find('\n')) << "\n";
    }
  }
  if (lines.empty()) return usage;
  const Table table = make_table(columns, rows);
  if (output.format() == Format::table) {
    std::ostringstream text;
    write(table, Format::table, text);
    text << "\n";
    for (const std::string& line : lines) text << line << "\n";
    output.print(text.str());
  } else {
    output.print(table);
    for (const std::string& line : lines) invocation.err << line << "\n";
  }
  if (record) record_run(folder, invocation, started, "--layers", facts);
  return lines.size() == cases.size() ? done : some_failed;
}

}  // namespace convscope

#include "suite/commands/bench_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>

#include "suite/commands/bench_rows.h"
#include "suite/commands/output.h"
#include "suite/report/table.h"
#include "suite/report/text.h"
#include "suite/timing/environment.h"

namespace convscope {
namespace {

constexpr double ms = 1e6;  // in ns

/// How far coverage may be from what a pass by itself shows.
constexpr double noisy = 0.05;

struct LayerRow {
  BenchCase bench_case;
  LayerTime layer;
  double share;  ///< of the plain pass
  std::optional<Roofline> roofline;
  std::string env;
};

/// Empty where nothing was done.
Cell rate(int64_t amount, const LayerRow& row) {
  return amount > 0 ? Cell(static_cast<double>(amount) / row.layer.ns.median) : Cell();
}

template <class Value>
std::function<Cell(const LayerRow&)> if_calibrated(Value value) {
  return [value](const LayerRow& r) -> Cell {
    return r.roofline && r.layer.calls > 0 ? value(r, *r.roofline) : Cell();
  };
}

/// Unknown where only the layout changes.
Cell bytes(const LayerRow& r) { return r.layer.calls > 0 ? Cell(r.layer.work.bytes) : Cell(); }

double gflop_per_s(const LayerRow& r) {
  return static_cast<double>(r.layer.work.flops) / r.layer.ns.median;
}

/// The columns of bench_layers.csv. macs and flops are of one image, bytes of the batch.
std::vector<Column<LayerRow>> record_columns() {
  using R = LayerRow;
  using I = Interval;
  constexpr Human no = Human::none;
  return {
      {"model", "", no, [](const R& r) { return Cell(r.bench_case.architecture.name); }},
      {"input", "", no, [](const R& r) { return Cell(to_string(r.bench_case.settings.image)); }},
      {"engine", "", no, [](const R& r) { return Cell(r.bench_case.engine); }},
      {"threads", "", no, [](const R& r) { return Cell(int64_t{r.bench_case.threads}); }},
      {"index", "", no, [](const R& r) { return Cell(r.layer.index); }},
      {"layer", "", no, [](const R& r) { return Cell(r.layer.layer); }},
      {"op", "", no, [](const R& r) { return Cell(r.layer.op); }},
      {"median_ms", "", no, [](const R& r) { return Cell(r.layer.ns.median / ms); }},
      {"ci_low_ms", "", no, [](const R& r) { return end_of(r.layer.ns.interval, &I::low, ms); }},
      {"ci_high_ms", "", no, [](const R& r) { return end_of(r.layer.ns.interval, &I::high, ms); }},
      {"macs", "", no, [](const R& r) { return Cell(r.layer.macs); }},
      {"flops", "", no, [](const R& r) { return Cell(r.layer.flops); }},
      {"bytes", "", no, bytes},
      {"gflop_per_s", "", no, [](const R& r) { return rate(r.layer.work.flops, r); }},
      {"gb_per_s", "", no, [](const R& r) { return rate(r.layer.work.bytes, r); }},
      {"peak_share", "", no, if_calibrated([](const R& r, const Roofline& line) {
         return Cell(gflop_per_s(r) / line.gflop_per_s);
       })},
      {"intensity", "", no,
       [](const R& r) { return r.layer.work.bytes > 0 ? Cell(intensity(r.layer.work)) : Cell(); }},
      {"bound", "", no, if_calibrated([](const R& r, const Roofline& line) {
         return Cell(to_string(attainable(r.layer.work, line).bound));
       })},
      {"efficiency", "", no, if_calibrated([](const R& r, const Roofline& line) {
         return Cell(attainable(r.layer.work, line).ns / r.layer.ns.median);
       })},
      {"time_share", "", no, [](const R& r) { return Cell(r.share); }},
      {"batch", "", no, [](const R& r) { return Cell(r.bench_case.batch); }},
      {"layout", "", no, [](const R& r) { return Cell(r.bench_case.layout); }},
      {"implementation", "", no, [](const R& r) { return Cell(r.layer.implementation); }},
      {"env", "", no, [](const R& r) { return Cell(r.env); }},
  };
}

Cell median_text(const Summary& ns) {
  if (!ns.interval) return ns.median / ms;
  return with_interval(ns.median / ms, ns.interval->low / ms, ns.interval->high / ms);
}

Cell percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// What people see: shares in per cent, and what needs a roofline only where there is one.
std::vector<Column<LayerRow>> columns_for_people(bool several, bool calibrated) {
  using R = LayerRow;
  const Human of_case = several ? Human::plain : Human::none;
  const Human of_machine = calibrated ? Human::plain : Human::none;
  return {
      {"model", "Network", of_case,
       [](const R& r) { return Cell(r.bench_case.architecture.name); }},
      {"input", "Input", of_case,
       [](const R& r) { return Cell(to_string(r.bench_case.settings.image)); }},
      {"engine", "Engine", of_case, [](const R& r) { return Cell(r.bench_case.engine); }},
      {"index", "", Human::plain, [](const R& r) { return Cell(r.layer.index); }},
      {"layer", "Layer", Human::plain, [](const R& r) { return Cell(r.layer.layer); }},
      {"op", "Operator", Human::plain, [](const R& r) { return Cell(r.layer.op); }},
      {"ms", "ms", Human::plain, [](const R& r) { return median_text(r.layer.ns); }, Align::right},
      {"time", "Of time", Human::plain, [](const R& r) { return percent(r.share); }, Align::right},
      {"macs", "MACs", Human::count, [](const R& r) { return Cell(r.layer.macs); }},
      {"bytes", "Moved", Human::bytes, bytes},
      {"gflop_per_s", "GFLOP/s", Human::plain,
       [](const R& r) { return rate(r.layer.work.flops, r); }},
      {"gb_per_s", "GB/s", Human::plain, [](const R& r) { return rate(r.layer.work.bytes, r); }},
      {"peak", "Of peak", of_machine, if_calibrated([](const R& r, const Roofline& line) {
         return percent(gflop_per_s(r) / line.gflop_per_s);
       }),
       Align::right},
      {"intensity", "FLOPs/byte", Human::plain,
       [](const R& r) { return r.layer.work.bytes > 0 ? Cell(intensity(r.layer.work)) : Cell(); }},
      {"bound", "Bound by", of_machine, if_calibrated([](const R& r, const Roofline& line) {
         return Cell(to_string(attainable(r.layer.work, line).bound));
       })},
      {"efficiency", "Of attainable", of_machine,
       if_calibrated([](const R& r, const Roofline& line) {
         return percent(attainable(r.layer.work, line).ns / r.layer.ns.median);
       }),
       Align::right},
  };
}

std::string coverage_line(const BenchCase& bench_case, const LayerTimes& times) {
  const double coverage = times.coverage();
  std::string line = fmt::format(
      "{}: these {} rows take {:.1f} % of a pass ({} ms); the clocks at each add {:.1f} % to it",
      name_of(bench_case), times.layers.size(), 100 * coverage,
      human_text(median_text(times.plain_ns), Human::plain), 100 * times.watching());
  if (std::abs(coverage - times.inside_calls) > noisy) {
    line += fmt::format(
        "; passes differ too much for medians to add up: of each pass by itself, {:.1f} % is in "
        "its operators",
        100 * times.inside_calls);
  }
  return line;
}

}  // namespace

int print_layer_times(const Invocation& invocation, std::vector<PlannedCase> cases,
                      const Rooflines& rooflines, const PassPlan& plan) {
  for (PlannedCase& planned : cases) {
    if (planned.refusal.empty()) planned.refusal = layers_refusal_of(planned.bench_case);
  }
  require_some_case(cases);
  const std::string started = utc_now();
  const std::string& folder = invocation.text("results");
  const std::string env = environment_id(environment());
  const auto columns = record_columns();
  Output output(invocation);
  std::unique_ptr<NewRecord> record;
  if (!folder.empty()) {
    record = std::make_unique<NewRecord>(folder, "bench_layers.csv", column_names(columns),
                                         invocation.err);
  }
  std::vector<LayerRow> rows;
  std::vector<std::string> lines;
  bool stopped = false;
  std::vector<std::pair<std::string, std::string>> facts;
  for (const PlannedCase& planned : cases) {
    const BenchCase& bench_case = planned.bench_case;
    try {
      if (!planned.refusal.empty()) throw UsageError(planned.refusal);
      const LayerTimes times = time_layers(bench_case, plan);
      const auto line = rooflines.find(bench_case.threads);
      for (const LayerTime& layer : times.layers) {
        rows.push_back({bench_case, layer, layer.ns.median / times.plain_ns.median,
                        line == rooflines.end() ? std::nullopt : std::optional(line->second), env});
        if (record) record->write(cells(columns, rows.back()));
      }
      lines.push_back(coverage_line(bench_case, times));
      facts.emplace_back("coverage of " + name_of(bench_case), std::to_string(times.coverage()));
    } catch (const Interrupted&) {
      stopped = true;
      break;
    } catch (const std::exception& error) {
      const std::string reason = first_line(error.what());
      invocation.err << "convscope: " << name_of(bench_case) << ": " << reason << "\n";
      facts.emplace_back("failed " + name_of(bench_case), reason);
    }
  }
  if (record) record_run(folder, invocation, started, "--layers", facts);
  if (!rows.empty() && output.for_people()) {
    const bool calibrated = std::any_of(
        rows.begin(), rows.end(), [](const LayerRow& row) { return row.roofline.has_value(); });
    output.print(make_table(columns_for_people(cases.size() > 1, calibrated), rows));
  } else if (!rows.empty()) {
    output.print(make_table(columns, rows));
  }
  for (const std::string& line : lines) invocation.err << line << "\n";
  if (stopped) throw Interrupted();
  return lines.size() == cases.size() ? done : some_failed;
}

}  // namespace convscope

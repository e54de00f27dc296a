// convscope calibrate: what this machine can do at most, and what difference is none.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <thread>

#include "architectures/catalogue.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/progress.h"
#include "suite/timing/calibration.h"
#include "suite/timing/environment.h"
#include "suite/timing/harness.h"
#include "suite/timing/machine_watch.h"
#include "suite/timing/peaks.h"
#include "suite/timing/torch_peaks.h"

namespace convscope {
namespace {

struct Quantity {
  std::string name, unit, meaning;
  std::function<Peak(int threads)> measure;
  bool is_time;  ///< the lowest is the best
};

/// In this order: the first tells how many cores do arithmetic at once, which the watch must know.
const std::vector<Quantity>& quantities() {
  static const std::vector<Quantity> all = {
      {"fma", "GFLOP/s", "float32 FMA, " + fma_instructions(), fma_peak, false},
      {"onednn", "GFLOP/s", "float32 GEMM, oneDNN", onednn_peak, false},
      {"blas", "GFLOP/s", "float32 GEMM, at::mm", blas_peak, false},
      {"triad", "GB/s", "stream triad", triad_bandwidth, false},
      {"operator_launch", "us", "launch of an operator", operator_launch, true},
      {"convolution_launch", "us", "launch of a convolution", convolution_launch, true},
  };
  return all;
}

std::string meaning_of(const std::string& quantity) {
  for (const Quantity& known : quantities()) {
    if (known.name == quantity) return known.meaning;
  }
  if (quantity == "aa_floor_in_turns") return "A/A floor, measured in turns";
  return quantity == "aa_floor_apart" ? "A/A floor, measured apart" : quantity;
}

/// The best of up to three attempts, until the machine was quiet during one.
Calibrated measured(const Quantity& quantity, int threads, const Cores& cores) {
  constexpr int attempts = 3;
  Calibrated found{quantity.name, threads, 0, quantity.unit, 0, ""};
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    MachineWatch watch(threads, cores);
    const Peak peak = quantity.measure(threads);
    found.disturbed = watch.stop().reason;
    const bool better = quantity.is_time ? peak.best < found.value : peak.best > found.value;
    if (attempt == 0 || better) {
      found.value = peak.best;
      found.spread_percent = peak.spread;
    }
    if (found.disturbed.empty()) break;
  }
  return found;
}

/// What the A/A floors are of: the medians of the repetitions of a case of about a millisecond, as
/// compare --paired measures two, each in a process of its own. What disturbed it is added to
/// `disturbed`.
std::pair<std::vector<double>, std::vector<double>> same_case_twice(std::string& disturbed) {
  BenchRule rule;
  rule.seconds = rule.timeout = 1;
  rule.interleave = 2;
  std::array<std::vector<double>, 2> medians;
  BenchEvents events;
  events.finished = [&](size_t place, const std::vector<BenchResult>& parts) {
    const BenchResult& result = parts.at(0);
    if (result.failed()) {
      throw std::runtime_error("the A/A floor cannot be measured: " + result.reason);
    }
    if (result.status == "disturbed") disturbed = result.reason;
    medians.at(place) = repetition_medians(result.counted().repetitions);
  };
  const BenchCase same = usual_case(find_architecture("resnet20"));
  measure({same, same}, rule, events);
  return {medians[0], medians[1]};
}

/// The quantities that are no peaks.
bool is_floor(const std::string& quantity) { return quantity.rfind("aa_floor", 0) == 0; }

Calibration calibrate(const Invocation& invocation, int pairs) {
  Calibration calibration;
  calibration.environment = machine_of(environment());
  calibration.machine = environment_id(calibration.environment);
  calibration.date = utc_now();

  Cores cores = cores_of_this_process();
  const std::set<int> thread_counts = {1, cores.usable()};
  const auto steps = static_cast<int64_t>(quantities().size() * thread_counts.size());
  Progress progress(invocation.err, "calibrate", steps, "measurements");
  int64_t step = 0;
  for (const Quantity& quantity : quantities()) {
    for (const int threads : thread_counts) {
      InterruptGuard::check();
      progress.update(step++);
      const Calibrated row = measured(quantity, threads, cores);
      if (row.value > 0) calibration.measured.push_back(row);
    }
    cores = measured_cores(cores, calibration);
  }
  progress.finish();

  if (pairs > 0) {
    Progress progress_of_pairs(invocation.err, "calibrate: A/A", pairs, "pairs");
    int64_t pair = 0;
    std::string disturbed;
    const AaFloors floors = aa_floors(
        [&] {
          progress_of_pairs.update(pair++);
          return same_case_twice(disturbed);
        },
        pairs);
    calibration.measured.push_back(
        {"aa_floor_in_turns", 1, floors.in_turns, "percent", 0, disturbed});
    calibration.measured.push_back({"aa_floor_apart", 1, floors.apart, "percent", 0, disturbed});
  } else {
    std::string unreadable;  // what cannot be kept is replaced
    const auto earlier = find_calibration(calibration.machine, unreadable);
    for (const Calibrated& row : earlier ? earlier->measured : std::vector<Calibrated>()) {
      if (is_floor(row.quantity)) calibration.measured.push_back(row);
    }
  }
  return calibration;
}

std::vector<Column<Calibrated>> columns(const Calibration& calibration) {
  using R = Calibrated;
  const std::string env = environment_id(environment());
  return {
      {"env", "Env", Human::none, [env](const R&) { return Cell(env); }},
      {"machine", "Machine", Human::none,
       [id = calibration.machine](const R&) { return Cell(id); }},
      {"date", "Date", Human::none, [date = calibration.date](const R&) { return Cell(date); }},
      {"quantity", "Quantity", Human::plain, [](const R& r) { return Cell(r.quantity); }},
      {"meaning", "Meaning", Human::plain, [](const R& r) { return Cell(meaning_of(r.quantity)); }},
      {"threads", "Threads", Human::plain, [](const R& r) { return Cell(int64_t{r.threads}); }},
      {"value", "Value", Human::plain, [](const R& r) { return Cell(r.value); }},
      {"unit", "Unit", Human::plain, [](const R& r) { return Cell(r.unit); }},
      {"spread_percent", "Spread (%)", Human::plain,
       [](const R& r) { return is_floor(r.quantity) ? Cell() : Cell(r.spread_percent); }},
      {"disturbed", "Disturbed", Human::plain,
       [](const R& r) { return Cell(!r.disturbed.empty()); }},
      {"reason", "Reason", Human::none, [](const R& r) { return Cell(r.disturbed); }},
  };
}

/// What a person must know beside the numbers.
void print_remarks(const Calibration& calibration, std::ostream& err) {
  const Cores told = cores_of_this_process(), found = measured_cores(told, calibration);
  if (found.physical < told.physical) {
    err << "calibrate: the " << told.physical << " cores together do the arithmetic of "
        << found.physical << ": hardware threads of the same "
        << (found.physical == 1 ? "core" : "cores")
        << ", and whatever runs on one slows the other down\n";
  }
  int64_t disturbed = 0;
  std::string last_reason;
  for (const Calibrated& row : calibration.measured) {
    if (row.disturbed.empty()) continue;
    ++disturbed;
    last_reason = row.disturbed;
  }
  if (disturbed > 0) {
    err << "calibrate: " << disturbed << " of " << calibration.measured.size()
        << " measurements were disturbed each time they were tried, at last because " << last_reason
        << "; these peaks may be too low: calibrate again when the machine is quiet\n";
  }
}

int run(const Invocation& invocation) {
  const std::string& folder = invocation.text("results");
  const int64_t pairs = invocation.text("pairs") == "0" ? 0 : positive_integer(invocation, "pairs");
  constexpr int64_t fewest_pairs = 5, most_pairs = 1000;
  if (pairs != 0 && (pairs < fewest_pairs || pairs > most_pairs)) {
    throw UsageError("--pairs '" + std::to_string(pairs) + "' is neither 0 nor from " +
                     std::to_string(fewest_pairs) + " to " + std::to_string(most_pairs));
  }
  const std::string started = utc_now();
  Output output(invocation);
  const std::string machine = environment_id(machine_of(environment()));
  const std::filesystem::path path = calibration_path(machine);
  std::optional<Calibration> calibration;
  if (invocation.flag("show")) {
    calibration = load_calibration(machine);
    if (!calibration) {
      throw UsageError("this machine is not calibrated: there is no " + path.string() +
                       "; run 'convscope calibrate'");
    }
  }
  const InterruptGuard interruptible;
  // Before the work, so that a folder which cannot be written is known in time.
  std::unique_ptr<CsvWriter> record;
  if (!folder.empty()) {
    record =
        open_record(folder, "calibration.csv", column_names(columns({})), false, invocation.err);
  }
  if (!calibration) {
    require_storable(path);
    calibration = calibrate(invocation, static_cast<int>(pairs));
    store_calibration(*calibration);
    invocation.err << "wrote " << path.string() << "\n";
  }
  print_remarks(*calibration, invocation.err);
  const auto all = columns(*calibration);
  if (record) {
    for (const Calibrated& row : calibration->measured) record->write(cells(all, row));
    record_run(folder, invocation, started);
  }
  output.print(make_table(all, calibration->measured));
  return done;
}

}  // namespace

Command calibrate_command() {
  Command command{"calibrate",
                  "what this machine can do at most, and what difference is none",
                  "convscope calibrate --results results/machine",
                  {},
                  {},
                  run};
  command.options.add_options()  //
      ("pairs", text_value("10"),
       "N: pairs of processes for the A/A floor; 0: keep the floor that is stored")(
          "show", po::bool_switch(), "print what is stored, measure nothing")(
          "results", text_value(), "DIR: write calibration.csv and the manifest there, too");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope

// convscope bench: how long networks take on this machine, and how sure that is.
#include <algorithm>
#include <map>

#include "suite/commands/bench_largest_batch.h"
#include "suite/commands/bench_layers.h"
#include "suite/commands/bench_operators.h"
#include "suite/commands/bench_options.h"
#include "suite/commands/bench_ranking.h"
#include "suite/commands/bench_rows.h"
#include "suite/commands/command.h"
#include "suite/commands/output.h"
#include "suite/timing/calibration.h"
#include "suite/timing/environment.h"

namespace convscope {
namespace {

constexpr PassPlan quick_passes = {10, 1, 0.3, 0.1};
constexpr RoundPlan quick_rounds = {10, 0.01, 3, 0};

int dry_run(const Invocation& invocation, const std::vector<PlannedCase>& cases) {
  for (const PlannedCase& planned : cases) {
    invocation.out << name_of(planned.bench_case);
    if (!planned.refusal.empty()) invocation.out << "  (refused: " << planned.refusal << ")";
    invocation.out << "\n";
  }
  return done;
}

/// What went wrong goes to stderr: a line for each case that failed, and for each status that rows
/// have beside "ok" one of them with how many they are.
int exit_code(const std::vector<BenchRow>& rows, std::ostream& err) {
  bool failed = false;
  std::map<std::string, std::vector<const BenchResult*>> noted;
  for (const BenchRow& row : rows) {
    const BenchResult& result = row.result;
    if (result.failed()) {
      err << "convscope: " << name_of(result.bench_case) << ": " << result.reason << "\n";
      failed = true;
    } else if (!result.reason.empty()) {
      noted[result.status].push_back(&result);
    }
  }
  for (const auto& [status, results] : noted) {
    const BenchResult& first = *results.front();
    err << "note: " << results.size() << " of " << rows.size() << " " << status
        << (results.size() > 1 ? ", as " : ": ") << name_of(first.bench_case) << ": "
        << first.reason << "\n";
  }
  return failed ? some_failed : done;
}

/// The peaks of this machine, and a word to people on where they are from.
std::optional<Calibration> quoted_calibration(std::ostream& err) {
  std::string problem;
  auto calibration = find_calibration(environment_id(machine_of(environment())), problem);
  if (!problem.empty()) err << "note: " << problem << "\n";
  if (!calibration) {
    err << "note: this machine is not calibrated, so there are no shares of its peak: 'convscope "
           "calibrate' takes two minutes\n";
    return std::nullopt;
  }
  const auto peak = calibration->value("fma", 1),
             floor = calibration->value("aa_floor_in_turns", 1);
  err << "calibrated " << calibration->date;
  if (peak) err << ": " << human_text(*peak, Human::plain) << " GFLOP/s on one core";
  if (floor) err << "; A/A floor " << human_text(*floor, Human::plain) << " %";
  if (calibration->disturbed("fma") || calibration->disturbed("aa_floor_in_turns")) {
    err << "; the machine was not quiet then";
  }
  err << "\n";
  return calibration;
}

Rooflines rooflines_of(const std::optional<Calibration>& calibration,
                       const std::vector<PlannedCase>& cases) {
  Rooflines rooflines;
  if (!calibration) return rooflines;
  for (const PlannedCase& planned : cases) {
    const int threads = planned.bench_case.threads;
    const auto arithmetic = calibration->value("fma", threads);
    const auto memory = calibration->value("triad", threads);
    const auto launch_us = calibration->value("operator_launch", threads);
    if (!arithmetic || !memory || !launch_us) continue;
    rooflines[threads] = {*arithmetic, *memory, 1000 * *launch_us};
  }
  return rooflines;
}

int measure_cases(const Invocation& invocation) {
  const std::string started = utc_now();
  const std::string folder = invocation.text("results");
  const bool resume = invocation.flag("resume");
  if (resume && folder.empty()) {
    throw UsageError("--resume needs --results: the folder to go on with");
  }
  const BenchRule rule = bench_rule(invocation);
  std::vector<PlannedCase> planned = planned_cases(invocation, network_cases(invocation));
  planned.erase(std::remove_if(planned.begin(), planned.end(),
                               [&](const PlannedCase& p) {
                                 return filtered({p.bench_case}, rule.benchmark_flags).empty();
                               }),
                planned.end());
  if (planned.empty()) throw UsageError("--benchmark_filter leaves no case");
  if (invocation.flag("dry-run")) return dry_run(invocation, planned);
  require_some_case(planned);

  Output output(invocation);
  const Environment where = environment_of(invocation.text("program"));
  const std::string env = environment_id(where);
  std::unique_ptr<BenchRecords> records;
  if (resume) {
    std::vector<BenchCase> cases;
    for (const PlannedCase& p : planned) cases.push_back(p.bench_case);
    records = std::make_unique<BenchRecords>(folder, env, rule.quick, cases, invocation.err);
    if (std::all_of(cases.begin(), cases.end(), [&](const auto& c) { return records->has(c); })) {
      invocation.err << records->kept() << " rows are there already\n";
      return done;
    }
    if (records->kept() + records->dropped() > 0) {
      invocation.err << records->kept() << " rows are kept";
      if (records->dropped() > 0) {
        invocation.err << "; " << records->dropped()
                       << " are not (failed, quick, or without their samples)";
      }
      invocation.err << "\n";
    }
  } else if (!folder.empty()) {
    records = std::make_unique<BenchRecords>(folder, invocation.err);
  }
  const auto calibration = quoted_calibration(invocation.err);

  std::vector<std::vector<BenchRow>> rows_of_cases(planned.size());
  const auto keep = [&](size_t place, const BenchResult& result) {
    const BenchCase& c = result.bench_case;
    const BenchRow row{
        env, result, planned[place].macs, c.predicted_peak_bytes,
        calibration && c.device == "cpu" ? calibration->value("fma", c.threads) : std::nullopt};
    rows_of_cases[place].push_back(row);
    if (records) records->write(row);
  };
  std::vector<BenchCase> to_measure;
  std::vector<size_t> places;  // of those, among the planned
  for (size_t place = 0; place < planned.size(); ++place) {
    const PlannedCase& p = planned[place];
    if (resume && records->has(p.bench_case)) continue;
    if (p.refusal.empty()) {
      to_measure.push_back(p.bench_case);
      places.push_back(place);
    } else {
      BenchResult refused;
      refused.bench_case = p.bench_case;
      refused.status = "failed";
      refused.reason = p.refusal;
      keep(place, refused);
    }
  }

  bool stopped = false;
  std::string broken;  // why no more was measured
  if (!to_measure.empty()) {
    BenchProgress progress(invocation.err, "bench", to_measure.size(), rule);
    BenchEvents events;
    events.doing = [&](const BenchCase&, const std::string&) { progress.step(); };
    events.finished = [&](size_t measured, const std::vector<BenchResult>& parts) {
      progress.case_finished();
      for (const BenchResult& part : parts) keep(places[measured], part);
    };
    try {
      measure(to_measure, rule, events);
    } catch (const Interrupted&) {
      stopped = true;
    } catch (const std::exception& error) {  // the disk is full
      broken = error.what();
    }
  }
  std::vector<BenchRow> rows;
  for (const auto& of_case : rows_of_cases) rows.insert(rows.end(), of_case.begin(), of_case.end());
  if (!rows.empty()) {
    output.print(output.for_people() ? bench_summary(rows) : bench_table(rows));
  }
  const int code = exit_code(rows, invocation.err);
  if (!broken.empty()) throw std::runtime_error(broken);
  if (records) record_run(folder, invocation, started, "", {}, where);
  if (!stopped) return code;
  invocation.err << "convscope: interrupted; " << rows.size() << " rows are kept"
                 << (folder.empty() ? "" : ", --resume goes on") << "\n";
  return interrupted;
}

using Options = std::vector<std::string>;

/// What is asked instead of how long cases take, and the options that mean something there.
const std::vector<std::pair<std::string, Options>> questions = {
    {"layers",
     {"model", "module", "input", "classes", "width", "auxiliary", "batch", "threads", "device",
      "precision", "layout", "engine", "mode", "scenario", "data", "quick", "results", "dry-run"}},
    {"operators",
     {"batch", "threads", "device", "precision", "layout", "engine", "mode", "scenario", "data",
      "quick", "results", "dry-run", "channels", "kernel", "size"}},
    {"largest-batch",
     {"model", "module", "input", "classes", "width", "auxiliary", "batch", "threads", "device",
      "precision", "layout", "engine", "mode", "scenario", "data", "program", "memory", "results",
      "dry-run"}},
    {"ranking", {}},
};

/// The question that is asked; "": how long the cases take. Throws UsageError for options that
/// would do nothing.
std::string question_of(const Invocation& invocation) {
  const auto asked = [&](const auto& question) { return given(invocation, question.first); };
  if (std::count_if(questions.begin(), questions.end(), asked) > 1) {
    throw UsageError(
        "--layers, --operators, --largest-batch and --ranking are four questions: ask one at a "
        "time");
  }
  for (const auto& option : invocation.command.options.options()) {
    const std::string& name = option->long_name();
    const po::variable_value& value = invocation.values[name];
    if (value.empty() || value.value().type() != typeid(std::vector<std::string>)) continue;
    for (const std::string& item : value.as<std::vector<std::string>>()) {
      if (item.find_first_not_of(" ,") == std::string::npos) {
        throw UsageError("--" + name + " '" + item + "' says nothing");
      }
    }
  }
  const auto modes = invocation.list("mode");
  if (given(invocation, "data") && !std::count(modes.begin(), modes.end(), "loader")) {
    throw UsageError("--data is of --mode loader");
  }
  const auto question = std::find_if(questions.begin(), questions.end(), asked);
  if (question == questions.end()) {
    if (given(invocation, "memory")) throw UsageError("--memory is the budget of --largest-batch");
    for (const std::string name : {"channels", "kernel", "size"}) {
      if (given(invocation, name)) throw UsageError("--" + name + " is of --operators");
    }
    return "";
  }
  for (const auto& option : invocation.command.options.options()) {
    const std::string& name = option->long_name();
    const bool of_all_questions = name == question->first || name == "format" || name == "out";
    if (of_all_questions || !given(invocation, name)) continue;
    if (std::count(question->second.begin(), question->second.end(), name)) continue;
    // `run` and its command line speak to all sections of an experiment.
    const bool of_run = name == "results" || name == "resume" || typed(invocation, name);
    if (of_run && !typed(invocation, question->first)) continue;
    throw UsageError((name == "model" ? "naming networks" : "--" + name) + " does nothing with --" +
                     question->first);
  }
  return question->first;
}

int run(const Invocation& invocation) {
  const std::string question = question_of(invocation);
  if (question == "ranking") return print_ranking(invocation, invocation.text("ranking"));
  const InterruptGuard interruptible;
  const bool quick = invocation.flag("quick");
  const bool dry = invocation.flag("dry-run");
  if (question == "layers") {
    const auto planned = planned_cases(invocation, network_cases(invocation));
    if (dry) return dry_run(invocation, planned);
    return print_layer_times(invocation, planned,
                             rooflines_of(quoted_calibration(invocation.err), planned),
                             quick ? quick_passes : PassPlan());
  }
  if (question == "largest-batch") return print_largest_batches(invocation);
  if (question == "operators") {
    std::vector<NetworkCase> variants;
    for (const Architecture& variant : variants_asked_for(invocation)) {
      variants.push_back({variant, variant.settings, ""});
    }
    const auto planned = planned_cases(invocation, variants);
    if (dry) return dry_run(invocation, planned);
    return print_operator_times(invocation, planned, quick ? quick_rounds : RoundPlan());
  }
  return measure_cases(invocation);
}

}  // namespace

Command bench_command() {
  Command command{"bench",
                  "measured time and memory",
                  "convscope bench resnet50 mobilenet_v2 --engine eager,frozen --threads 1,2",
                  {},
                  {"model"},
                  run,
                  "benchmark-flag"};
  add_bench_case_options(command.options);
  add_bench_rule_options(command.options);
  command.options.add_options()  //
      ("layers", po::bool_switch(), "where the time goes: a row for each operator call")(
          "operators", po::bool_switch(),
          "the textbook table: one layer's worth of work done in different ways, timed")(
          "largest-batch", po::bool_switch(),
          "the largest batch that fits into memory, by prediction and by trial")(
          "memory", text_value(),
          "of --largest-batch: 512MiB, 2GiB, 1e9 (default: what is available)")(
          "ranking", text_value(),
          "FILE: a bench.csv; how its times rank with MACs, and the pairs that MACs order wrongly")(
          "results", text_value(),
          "DIR: also write bench.csv, samples.csv (or bench_layers.csv, bench_operators.csv, "
          "largest_batch.csv) and manifest.json there")(
          "resume", po::bool_switch(),
          "keep what is finished in --results (quick rows only with --quick) and add the rest")(
          "dry-run", po::bool_switch(), "list the cases and what stands against them");
  add_variant_options(command.options, "--operators");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope

#include "suite/commands/compare_paired.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <sstream>

#include "suite/commands/bench_options.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/program.h"
#include "suite/commands/verdict_table.h"
#include "suite/records/case_parts.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/environment.h"

namespace convscope {
namespace {

/// The cases that the words of a bench command line mean.
std::vector<BenchCase> cases_of_line(const std::string& line) {
  const Command bench = bench_command();
  const po::variables_map values = gather(bench, {po::split_unix(line), {}, {}, nullptr});
  const std::vector<std::string> no_words;
  std::ostringstream nowhere;
  const Invocation invocation{bench, no_words, values, nowhere, nowhere};
  std::vector<BenchCase> cases;
  for (const PlannedCase& planned : planned_cases(invocation, network_cases(invocation))) {
    if (!planned.refusal.empty()) throw UsageError("'" + line + "': " + planned.refusal);
    cases.push_back(planned.bench_case);
  }
  return cases;
}

MeasuredCase measured_case(const BenchResult& result) {
  MeasuredCase measured{name_of(result.bench_case), environment_id(environment()), {}};
  measured.measurement = result.counted();
  for (std::vector<double>& repetition : measured.measurement.repetitions) {
    for (double& time : repetition) time /= 1e6;
  }
  return measured;
}

}  // namespace

int compare_paired(const Invocation& invocation, const std::vector<std::string>& lines) {
  if (lines.size() != 2) {
    throw UsageError(
        "compare --paired: expected what to measure for A and for B, as in --paired "
        "'resnet50 --engine eager' 'resnet50 --engine frozen'");
  }
  if (!invocation.text("by").empty()) throw UsageError("--by is not for --paired");
  const VerdictOptions options = verdict_options(invocation);
  const std::vector<BenchCase> of_a = cases_of_line(lines[0]), of_b = cases_of_line(lines[1]);
  if (of_a.size() != of_b.size()) {
    throw UsageError(
        fmt::format("compare --paired: A means {} cases and B {}: they are compared "
                    "one by one",
                    of_a.size(), of_b.size()));
  }
  Output output(invocation);
  std::vector<BenchCase> in_turn;
  for (size_t i = 0; i < of_a.size(); ++i) in_turn.insert(in_turn.end(), {of_a[i], of_b[i]});
  BenchRule rule;
  rule.interleave = 2;
  rule.precision = 0.005;  // of each, so that a difference of 2 % is not left open
  rule.timeout = positive_number(invocation, "timeout", 36000);
  rule.seconds = std::min(rule.seconds, rule.timeout);
  if (invocation.flag("quick")) rule = quick(rule);
  bool failed = false;
  // Each of a training step's parts is compared, too.
  std::vector<std::vector<MeasuredCase>> measured(in_turn.size());
  {
    const InterruptGuard interruptible;
    BenchProgress progress(invocation.err, "compare", in_turn.size(), rule);
    BenchEvents events;
    events.doing = [&](const BenchCase&, const std::string&) { progress.step(); };
    events.finished = [&](size_t place, const std::vector<BenchResult>& parts) {
      progress.case_finished();
      for (const BenchResult& part : parts) {
        if (part.failed()) {
          invocation.err << "convscope: " << name_of(part.bench_case) << ": " << part.reason
                         << "\n";
          failed = true;
        } else {
          measured[place].push_back(measured_case(part));
        }
      }
    };
    measure(in_turn, rule, events);
  }
  std::vector<CasePair> pairs;
  for (size_t i = 0; i + 1 < measured.size(); i += 2) {
    for (size_t part = 0; part < std::min(measured[i].size(), measured[i + 1].size()); ++part) {
      const MeasuredCase& a = measured[i][part];
      const MeasuredCase& b = measured[i + 1][part];
      pairs.push_back({name_of_both(a.name, b.name), &a, &b});
    }
  }
  if (pairs.empty()) return some_failed;
  Environments here;
  for (const auto& [name, value] : environment()) {
    here[environment_id(environment())][name] = value;
  }
  const int code = print_verdicts(invocation, output, pairs, options, here, Sides::in_turns);
  return code == done && failed ? some_failed : code;
}

}  // namespace convscope

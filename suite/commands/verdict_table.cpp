#include "suite/commands/verdict_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/timing/calibration.h"
#include "suite/timing/environment.h"
#include "suite/timing/verdict.h"

namespace convscope {
namespace {

std::optional<Floor> floor_asked_for(const Invocation& invocation) {
  const std::string& text = invocation.text("floor");
  if (text.empty()) return std::nullopt;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || end != text.data() + text.size() ||
      !(percent >= 0 && percent < 100)) {
    throw UsageError("--floor '" + text + "': expected per cent, from 0 to below 100");
  }
  return Floor{percent, fmt::format("{:g} %, by --floor", percent)};
}

}  // namespace

Floor calibrated_floor(const Environments& measured_in, Sides sides) {
  const std::string quantity = sides == Sides::in_turns ? "aa_floor_in_turns" : "aa_floor_apart";
  const Environment here = machine_of(environment());
  for (const auto& [id, facts] : measured_in) {
    for (const auto& [name, value] : here) {
      const auto found = facts.find(name);
      if (found == facts.end() || found->second != value) return {};
    }
  }
  std::string ignored;
  const auto calibration = find_calibration(environment_id(here), ignored);
  const auto percent = calibration ? calibration->value(quantity, 1) : std::nullopt;
  if (measured_in.empty() || !percent) return {};
  return {*percent, fmt::format("{:.2g} % between cases measured {}, calibrated {}{}", *percent,
                                sides == Sides::in_turns ? "in turns" : "apart", calibration->date,
                                calibration->disturbed(quantity)
                                    ? " while the machine was disturbed: calibrate again"
                                    : "")};
}

void add_verdict_options(po::options_description& options) {
  options.add_options()  //
      ("floor", text_value(),
       "PERCENT: how far apart this machine measures the same case; changes count from twice "
       "that, and from 2 %")("fail-on", list_value(),
                             "regression: exit code 3 if a case is SLOWER; undecided: 4 if a case "
                             "is UNDECIDED");
  add_output_options(options);
}

VerdictOptions verdict_options(const Invocation& invocation) {
  VerdictOptions options;
  options.floor = floor_asked_for(invocation);
  for (const std::string& word : invocation.list("fail-on")) {
    if (word == "regression") {
      options.fail_on_regression = true;
    } else if (word == "undecided") {
      options.fail_on_undecided = true;
    } else {
      throw UsageError("--fail-on '" + word + "'" +
                       did_you_mean(word, {"regression", "undecided"}) +
                       "; there are regression, undecided");
    }
  }
  return options;
}

int print_verdicts(const Invocation& invocation, Output& output, const std::vector<CasePair>& pairs,
                   const VerdictOptions& options, const Environments& measured_in, Sides sides) {
  const JudgedPairs judged =
      judge_pairs(pairs, options.floor ? *options.floor : calibrated_floor(measured_in, sides));
  output.print(verdict_table(judged));
  const auto few = std::count_if(
      judged.comparisons.begin(), judged.comparisons.end(), [](const Comparison& result) {
        return std::min(result.repetitions_a, result.repetitions_b) < advised_repetitions;
      });
  if (few > 0) {
    invocation.err << "note: " << few << " of " << pairs.size() << " have fewer than "
                   << advised_repetitions << " repetitions; small changes stay undecided\n";
  }
  invocation.err << judged.summary() << "\n";
  if (options.fail_on_regression && judged.count(Verdict::slower) > 0) return found_regression;
  if (options.fail_on_undecided && judged.count(Verdict::undecided) > 0) return found_undecided;
  return done;
}

}  // namespace convscope

// convscope compare: which cases of two measurements are faster, slower or the same, and of which
// nobody can say.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <set>

#include "architectures/nearest.h"
#include "suite/commands/bench_options.h"
#include "suite/commands/command.h"
#include "suite/commands/compare_paired.h"
#include "suite/commands/environment_check.h"
#include "suite/commands/output.h"
#include "suite/commands/verdict_table.h"
#include "suite/records/case_parts.h"
#include "suite/records/sample_file.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// Two files with nothing in common may be of two engines: then --by is what their user wants.
std::string by_that_would_match(const SampleFile& a, const SampleFile& b) {
  std::vector<std::string> found;
  for (size_t part = 0; part < case_parts().size(); ++part) {
    const auto values = [&](const SampleFile& file) {
      std::set<std::string> different;
      for (const MeasuredCase& one : file.cases) {
        const auto of_name = parts_of(one.name);
        if (!of_name.empty()) different.insert(of_name[part]);
      }
      return different;
    };
    const auto of_a = values(a), of_b = values(b);
    if (of_a.size() == 1 && of_b.size() == 1 && of_a != of_b) {
      found.push_back("--by " + case_parts()[part].name + "=" + *of_a.begin() + "," +
                      *of_b.begin());
    }
  }
  return found.size() == 1 ? "; did you mean " + printable(found[0]) + "?" : "";
}

/// Two environments are compared only by who says that this is the question.
void expect_same_environment(const std::vector<CasePair>& pairs, const Environments& known,
                             const std::vector<std::string>& across, std::ostream& err) {
  const EnvironmentCheck check = check_environments(pairs, known, across);
  if (check.different.empty()) return;
  if (check.named) {
    err << "note: across " << check.text << "\n";
    return;
  }
  throw UsageError(std::string(check.mixed
                                   ? "the cases of one side were measured in several environments"
                                   : "A and B were measured in different environments") +
                   ": " + check.text + "; say --across " + joined(check.different, ",") +
                   " if that is what you compare");
}

int run(const Invocation& invocation) {
  // As they were typed: a path may have a comma.
  const auto paths = invocation.values.count("of")
                         ? invocation.values["of"].as<std::vector<std::string>>()
                         : std::vector<std::string>();
  if (invocation.flag("paired")) return compare_paired(invocation, paths);
  for (const std::string option : {"quick", "timeout"}) {
    if (given(invocation, option)) throw UsageError("--" + option + " is of --paired");
  }
  std::optional<By> by;
  if (!invocation.text("by").empty()) by = parse_by(invocation.text("by"));
  if (paths.size() != 2 && !(by && paths.size() == 1)) {
    throw UsageError(fmt::format(
        "compare: expected two results (or one, with --by engine=eager,frozen), found {}",
        paths.size()));
  }
  const VerdictOptions options = verdict_options(invocation);
  Output output(invocation);
  const SampleFile a = read_samples(paths[0], invocation.err);
  std::optional<SampleFile> second;
  if (paths.size() == 2) second = read_samples(paths[1], invocation.err);
  const SampleFile& b = second ? *second : a;
  if (!by && fs::equivalent(a.path, b.path)) {
    throw UsageError("compare: A and B are both " + a.path.string() +
                     "; with --by engine=eager,frozen it is compared within itself");
  }
  const Matched both = matched(by ? cases_with(a, *by, by->a) : all_cases(a),
                               by ? cases_with(b, *by, by->b) : all_cases(b));
  for (const std::string& name : both.only_in_a) {
    invocation.err << "only in A: " << printable(name) << "\n";
  }
  for (const std::string& name : both.only_in_b) {
    invocation.err << "only in B: " << printable(name) << "\n";
  }
  const std::vector<CasePair>& pairs = both.pairs;
  if (pairs.empty()) {
    throw UsageError(by ? "compare: no case of A has one of B that differs in nothing else"
                        : "compare: no case is in both" + by_that_would_match(a, b));
  }
  Environments known = a.environments;
  known.insert(b.environments.begin(), b.environments.end());
  expect_same_environment(pairs, known, invocation.list("across"), invocation.err);
  if (by) {
    invocation.err << "A: " << case_parts()[by->part].name << " " << by->a << "; B: " << by->b
                   << "\n";
  }
  // A network's own cases were measured in turns; networks far apart in a long run were not.
  const std::string part = by ? case_parts()[by->part].name : "";
  const bool in_turns = by && !second && part != "model" && part != "input";
  return print_verdicts(invocation, output, pairs, options, known,
                        in_turns ? Sides::in_turns : Sides::apart);
}

}  // namespace

Command compare_command() {
  Command command{"compare",
                  "two measurements, case by case: faster, slower, same, undecided",
                  "convscope compare results/before results/after --fail-on regression",
                  {},
                  {"of"},
                  run};
  command.options.add_options()  //
      ("of", list_value(),
       "A and B: each a results folder, a bench.csv with samples.csv beside it, or a samples.csv; "
       "how is B against A? With --by, one may be enough")(
          "paired", po::bool_switch(),
          "A and B are what bench is to measure, in turn: 'resnet50 --engine eager' 'resnet50 "
          "--engine frozen'; --program FILE in one of them for another branch's convscope")(
          "quick", po::bool_switch(), "of --paired: a first look")(
          "timeout", text_value("30"), "of --paired: seconds of samples of each case, at most")(
          "by", text_value(),
          "COLUMN=A,B: compare cases that differ only in this: engine=eager,frozen, or "
          "model=resnet18,vgg11")("across", list_value(),
                                  "compare although this differs: commit, cpu, libtorch, ...");
  add_verdict_options(command.options);
  return command;
}

}  // namespace convscope

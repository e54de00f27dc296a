// convscope compare: which cases of two measurements are faster, slower or the same, and of which
// nobody can say.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ostream>
#include <set>
#include <sstream>
#include <unordered_map>

#include "architectures/nearest.h"
#include "suite/commands/bench_options.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/program.h"
#include "suite/commands/sample_file.h"
#include "suite/report/text.h"
#include "suite/timing/calibration.h"
#include "suite/timing/environment.h"
#include "suite/timing/verdict.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// What a case's name is made of, and the headings of its columns.
struct Part {
  std::string name, heading;
};
const std::vector<Part>& parts() {
  static const std::vector<Part> all = {{"model", "Network"}, {"input", "Input"},
                                        {"device", "Device"}, {"threads", "Threads"},
                                        {"batch", "Batch"},   {"precision", "Precision"},
                                        {"layout", "Layout"}, {"engine", "Engine"},
                                        {"mode", "Mode"},     {"scenario", "Scenario"}};
  return all;
}

/// The values of the parts, "t2" and "b8" without their letters; none of a name that is not made
/// so.
std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> values(1);
  for (const char c : name) {
    if (c == '/') {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  if (values.size() != parts().size()) return {};
  for (const auto& [place, letter] : {std::pair<size_t, char>{3, 't'}, {4, 'b'}}) {
    if (values[place].size() > 1 && values[place][0] == letter) values[place].erase(0, 1);
  }
  return values;
}

/// A case of both sides.
struct Pair {
  std::string name;
  std::vector<std::string> parts;
  const MeasuredCase* a;
  const MeasuredCase* b;
};

struct Row {
  std::string name;
  std::vector<std::string> parts;
  Comparison result;
};

/// --by engine=eager,frozen: which part of the names differs between the sides, and how.
struct By {
  size_t part;
  std::string a, b;
};

By parse_by(const std::string& text) {
  const size_t equals = std::min(text.find('='), text.size());
  const size_t comma = std::min(text.find(',', equals), text.size());
  const std::string column = text.substr(0, equals);
  std::vector<std::string> names;
  for (const Part& part : parts()) names.push_back(part.name);
  const auto found = std::find(names.begin(), names.end(), column);
  if (found == names.end()) {
    throw UsageError("--by '" + text + "': cases have no '" + column + "'" +
                     did_you_mean(column, names) + "; they have " + joined(names));
  }
  if (comma + 1 >= text.size() || comma <= equals + 1 ||
      text.find(',', comma + 1) != std::string::npos) {
    throw UsageError("--by '" + text + "': expected two values, as in --by engine=eager,frozen");
  }
  By by{static_cast<size_t>(found - names.begin()), text.substr(equals + 1, comma - equals - 1),
        text.substr(comma + 1)};
  if (by.a == by.b) throw UsageError("--by '" + text + "' compares '" + by.a + "' with itself");
  return by;
}

/// The cases of a file under the names by which they meet those of the other side.
using Named = std::vector<std::pair<std::string, const MeasuredCase*>>;

Named all_cases(const SampleFile& file) {
  Named named;
  for (const MeasuredCase& one : file.cases) named.emplace_back(one.name, &one);
  return named;
}

/// Those with this value, named as if it were that of both sides.
Named cases_with(const SampleFile& file, const By& by, const std::string& value) {
  Named named;
  std::vector<std::string> values;
  for (const MeasuredCase& one : file.cases) {
    std::vector<std::string> of_name = parts_of(one.name);
    if (of_name.empty()) continue;
    std::string& here = of_name[by.part];
    if (!std::count(values.begin(), values.end(), here)) values.push_back(here);
    if (here != value) continue;
    here = by.a + " vs " + by.b;
    named.emplace_back(joined(of_name, "/"), &one);
  }
  if (named.empty()) {
    const std::string& part = parts()[by.part].name;
    throw UsageError("--by: " + file.path.string() + " has no case with " + part + " '" + value +
                     "'" + did_you_mean(value, values) + "; there are " +
                     printable(joined(values)));
  }
  return named;
}

std::vector<Pair> matched(const Named& a, const Named& b, std::ostream& err) {
  std::unordered_map<std::string, const MeasuredCase*> of_b(b.begin(), b.end());
  std::vector<Pair> pairs;
  for (const auto& [name, one] : a) {
    const auto other = of_b.find(name);
    if (other == of_b.end()) {
      err << "only in A: " << printable(one->name) << "\n";
      continue;
    }
    pairs.push_back({name, parts_of(name), one, other->second});
    of_b.erase(other);
  }
  for (const auto& [name, one] : b) {
    if (of_b.count(name)) err << "only in B: " << printable(one->name) << "\n";
  }
  return pairs;
}

/// Two files with nothing in common may be of two engines: then --by is what their user wants.
std::string by_that_would_match(const SampleFile& a, const SampleFile& b) {
  std::vector<std::string> found;
  for (size_t part = 0; part < parts().size(); ++part) {
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
      found.push_back("--by " + parts()[part].name + "=" + *of_a.begin() + "," + *of_b.begin());
    }
  }
  return found.size() == 1 ? "; did you mean " + printable(found[0]) + "?" : "";
}

/// Two environments are compared only by who says that this is the question.
void check_environments(const std::vector<Pair>& pairs, const Environments& known,
                        const std::vector<std::string>& across, std::ostream& err) {
  std::set<std::string> ids, ids_of_a, ids_of_b;
  for (const Pair& pair : pairs) {
    ids_of_a.insert(pair.a->env);
    ids_of_b.insert(pair.b->env);
  }
  ids.insert(ids_of_a.begin(), ids_of_a.end());
  ids.insert(ids_of_b.begin(), ids_of_b.end());
  std::vector<std::string> names = {"env"};
  for (const auto& [id, facts] : known) {
    for (const auto& [name, value] : facts) {
      if (!std::count(names.begin(), names.end(), name)) names.push_back(name);
    }
  }
  for (const std::string& name : across) {
    if (!std::count(names.begin(), names.end(), name)) {
      throw UsageError("--across: an environment has no '" + name + "'" +
                       did_you_mean(name, names) + "; there are " + joined(names));
    }
  }
  if (ids.size() < 2) return;
  const auto different = differences(known, ids);
  std::vector<std::string> said;
  bool named = true;
  for (const std::string& name : different) {
    named = named && std::count(across.begin(), across.end(), name);
    std::set<std::string> values;
    for (const std::string& id : ids) {
      const auto facts = known.find(id);
      if (facts != known.end() && facts->second.count(name)) values.insert(facts->second.at(name));
    }
    said.push_back(name == "env" && values.empty()
                       ? "env (" + joined({ids.begin(), ids.end()}) +
                             "; no manifest.json says what they are)"
                       : name + " (" + joined({values.begin(), values.end()}, " / ") + ")");
  }
  const std::string text = printable(joined(said));
  if (named) {
    err << "note: across " << text << "\n";
    return;
  }
  const bool mixed = ids_of_a.size() > 1 || ids_of_b.size() > 1;
  throw UsageError(std::string(mixed ? "the cases of one side were measured in several environments"
                                     : "A and B were measured in different environments") +
                   ": " + text + "; say --across " + joined(different, ",") +
                   " if that is what you compare");
}

/// The A/A floor, in percent, and where it is from.
struct Floor {
  double percent = 0;
  std::string source = "none is known; 'convscope calibrate' measures it, or --floor says one";
};

/// This machine's own floor, if the samples were taken on it.
Floor calibrated_floor(const Environments& measured_in) {
  const Environment here = machine_of(environment());
  for (const auto& [id, facts] : measured_in) {
    for (const auto& [name, value] : here) {
      const auto found = facts.find(name);
      if (found == facts.end() || found->second != value) return {};
    }
  }
  std::string ignored;
  const auto calibration = find_calibration(environment_id(here), ignored);
  const auto percent = calibration ? calibration->value("aa_floor", 1) : std::nullopt;
  if (measured_in.empty() || !percent) return {};
  return {*percent, fmt::format("{:.2g} %, calibrated {}{}", *percent, calibration->date,
                                calibration->disturbed("aa_floor")
                                    ? " while the machine was disturbed: calibrate again"
                                    : "")};
}

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

Cell number(const std::optional<double>& value) { return value ? Cell(*value) : Cell(); }

/// Integers as such, so that they stand at the right.
Cell part_cell(const std::string& value) {
  int64_t integer = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), integer);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  return whole ? Cell(integer) : Cell(value);
}

/// People see of a case's name only what varies among the rows.
std::vector<Column<Row>> compare_columns(const std::vector<Row>& rows) {
  const bool split =
      std::all_of(rows.begin(), rows.end(), [](const Row& row) { return !row.parts.empty(); });
  std::vector<Column<Row>> columns = {{"case", "Case", split ? Human::none : Human::plain,
                                       [](const Row& row) { return Cell(row.name); }}};
  for (size_t part = 0; part < parts().size(); ++part) {
    const bool varies = split && std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
                          return row.parts[part] != rows[0].parts[part];
                        });
    columns.push_back({parts()[part].name, parts()[part].heading,
                       varies || (split && part == 0) ? Human::plain : Human::none,
                       [part](const Row& row) {
                         return row.parts.empty() ? Cell() : part_cell(row.parts[part]);
                       }});
  }
  const auto interval = [](double Interval::*end) {
    return [end](const Row& row) {
      const auto& shift = row.result.shift;
      return shift && shift->interval ? Cell((*shift->interval).*end) : Cell();
    };
  };
  const bool any_reason = std::any_of(rows.begin(), rows.end(),
                                      [](const Row& row) { return !row.result.reason.empty(); });
  const std::vector<Column<Row>> results = {
      {"median_a_ms", "A (ms)", Human::plain,
       [](const Row& row) { return number(row.result.median_a); }},
      {"median_b_ms", "B (ms)", Human::plain,
       [](const Row& row) { return number(row.result.median_b); }},
      {"ratio", "B/A", Human::plain,
       [](const Row& row) { return row.result.shift ? Cell(row.result.shift->ratio) : Cell(); }},
      {"ratio_low", "from", Human::plain, interval(&Interval::low)},
      {"ratio_high", "to", Human::plain, interval(&Interval::high)},
      {"p", "p", Human::plain, [](const Row& row) { return number(row.result.p); }},
      {"verdict", "B is", Human::plain,
       [](const Row& row) { return Cell(to_string(row.result.verdict)); }},
      {"reason", "Why", any_reason ? Human::plain : Human::none,
       [](const Row& row) { return row.result.reason.empty() ? Cell() : Cell(row.result.reason); }},
      {"repetitions_a", "", Human::none,
       [](const Row& row) { return Cell(static_cast<int64_t>(row.result.repetitions_a)); }},
      {"repetitions_b", "", Human::none,
       [](const Row& row) { return Cell(static_cast<int64_t>(row.result.repetitions_b)); }},
  };
  columns.insert(columns.end(), results.begin(), results.end());
  return columns;
}

/// What --fail-on asks for, known before the work.
struct FailOn {
  bool regression = false, undecided = false;
};

FailOn parse_fail_on(const std::vector<std::string>& words) {
  FailOn fail;
  for (const std::string& word : words) {
    if (word == "regression") {
      fail.regression = true;
    } else if (word == "undecided") {
      fail.undecided = true;
    } else {
      throw UsageError("--fail-on '" + word + "'" +
                       did_you_mean(word, {"regression", "undecided"}) +
                       "; there are regression, undecided");
    }
  }
  return fail;
}

/// Judges the pairs, prints them, and returns the exit code.
int report(const Invocation& invocation, Output& output, const std::vector<Pair>& pairs,
           const Floor& floor, const FailOn& fail_on) {
  std::vector<std::pair<Measurement, Measurement>> table;
  for (const Pair& pair : pairs) table.emplace_back(pair.a->measurement, pair.b->measurement);
  const double threshold = practical_threshold(floor.percent);
  const std::vector<Comparison> comparisons = judge(table, threshold);
  std::vector<Row> rows;
  for (size_t i = 0; i < pairs.size(); ++i) {
    rows.push_back({pairs[i].name, pairs[i].parts, comparisons[i]});
  }
  output.print(make_table(compare_columns(rows), rows));

  const auto count = [&](Verdict verdict) {
    return std::count_if(rows.begin(), rows.end(),
                         [&](const Row& row) { return row.result.verdict == verdict; });
  };
  const auto few = std::count_if(rows.begin(), rows.end(), [](const Row& row) {
    return std::min(row.result.repetitions_a, row.result.repetitions_b) < advised_repetitions;
  });
  if (few > 0) {
    invocation.err << "note: " << few << " of " << rows.size() << " have fewer than "
                   << advised_repetitions << " repetitions; small changes stay undecided\n";
  }
  invocation.err << fmt::format(
      "{} compared: {} FASTER, {} SLOWER, {} SAME, {} UNDECIDED; a change counts from {:.3g} % "
      "(A/A "
      "floor: {})\n",
      rows.size(), count(Verdict::faster), count(Verdict::slower), count(Verdict::same),
      count(Verdict::undecided), threshold, floor.source);
  if (fail_on.regression && count(Verdict::slower) > 0) return found_regression;
  if (fail_on.undecided && count(Verdict::undecided) > 0) return found_undecided;
  return done;
}

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

/// What the two names have in common, and "a vs b" where they differ.
std::string name_of_both(const std::string& a, const std::string& b) {
  std::vector<std::string> of_a = parts_of(a);
  const std::vector<std::string> of_b = parts_of(b);
  if (of_a.size() != of_b.size() || of_a.empty()) return a + " vs " + b;
  for (size_t part = 0; part < of_a.size(); ++part) {
    if (of_a[part] != of_b[part]) of_a[part] += " vs " + of_b[part];
  }
  return joined(of_a, "/");
}

MeasuredCase measured_case(const BenchResult& result) {
  MeasuredCase measured{name_of(result.bench_case), environment_id(environment()), {}};
  measured.measurement = result.counted();
  for (std::vector<double>& repetition : measured.measurement.repetitions) {
    for (double& time : repetition) time /= 1e6;
  }
  return measured;
}

/// A and B are the words of two bench command lines, measured in turn.
int run_paired(const Invocation& invocation, const std::vector<std::string>& lines) {
  if (lines.size() != 2) {
    throw UsageError(
        "compare --paired: expected what to measure for A and for B, as in --paired "
        "'resnet50 --engine eager' 'resnet50 --engine frozen'");
  }
  if (!invocation.text("by").empty()) throw UsageError("--by is not for --paired");
  const FailOn fail_on = parse_fail_on(invocation.list("fail-on"));
  const std::optional<Floor> asked = floor_asked_for(invocation);
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
  std::vector<Pair> pairs;
  for (size_t i = 0; i + 1 < measured.size(); i += 2) {
    for (size_t part = 0; part < std::min(measured[i].size(), measured[i + 1].size()); ++part) {
      const MeasuredCase& a = measured[i][part];
      const MeasuredCase& b = measured[i + 1][part];
      const std::string name = name_of_both(a.name, b.name);
      pairs.push_back({name, parts_of(name), &a, &b});
    }
  }
  if (pairs.empty()) return some_failed;
  Environments here;
  for (const auto& [name, value] : environment()) {
    here[environment_id(environment())][name] = value;
  }
  const int code =
      report(invocation, output, pairs, asked ? *asked : calibrated_floor(here), fail_on);
  return code == done && failed ? some_failed : code;
}

int run(const Invocation& invocation) {
  // As they were typed: a path may have a comma.
  const auto paths = invocation.values.count("of")
                         ? invocation.values["of"].as<std::vector<std::string>>()
                         : std::vector<std::string>();
  if (invocation.flag("paired")) return run_paired(invocation, paths);
  std::optional<By> by;
  if (!invocation.text("by").empty()) by = parse_by(invocation.text("by"));
  if (paths.size() != 2 && !(by && paths.size() == 1)) {
    throw UsageError(fmt::format(
        "compare: expected two results (or one, with --by engine=eager,frozen), found {}",
        paths.size()));
  }
  const FailOn fail_on = parse_fail_on(invocation.list("fail-on"));
  const std::optional<Floor> asked = floor_asked_for(invocation);
  Output output(invocation);
  const SampleFile a = read_samples(paths[0], invocation.err);
  std::optional<SampleFile> second;
  if (paths.size() == 2) second = read_samples(paths[1], invocation.err);
  const SampleFile& b = second ? *second : a;
  if (!by && fs::equivalent(a.path, b.path)) {
    throw UsageError("compare: A and B are both " + a.path.string() +
                     "; with --by engine=eager,frozen it is compared within itself");
  }
  const auto pairs = matched(by ? cases_with(a, *by, by->a) : all_cases(a),
                             by ? cases_with(b, *by, by->b) : all_cases(b), invocation.err);
  if (pairs.empty()) {
    throw UsageError(by ? "compare: no case of A has one of B that differs in nothing else"
                        : "compare: no case is in both" + by_that_would_match(a, b));
  }
  Environments known = a.environments;
  known.insert(b.environments.begin(), b.environments.end());
  check_environments(pairs, known, invocation.list("across"), invocation.err);
  if (by) {
    invocation.err << "A: " << parts()[by->part].name << " " << by->a << "; B: " << by->b << "\n";
  }
  return report(invocation, output, pairs, asked ? *asked : calibrated_floor(known), fail_on);
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
          "by", text_value(),
          "COLUMN=A,B: compare cases that differ only in this: engine=eager,frozen, or "
          "model=resnet18,vgg11")("across", list_value(),
                                  "compare although this differs: commit, cpu, libtorch, ...")(
          "floor", text_value(),
          "PERCENT: how far apart this machine measures the same case; changes count from twice "
          "that, and from 2 %")("fail-on", list_value(),
                                "regression: exit code 3 if a case is SLOWER; undecided: 4 if a "
                                "case is UNDECIDED");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope

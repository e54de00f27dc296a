#include "suite/commands/verdict_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/commands/case_parts.h"
#include "suite/report/table.h"
#include "suite/timing/calibration.h"
#include "suite/timing/environment.h"
#include "suite/timing/verdict.h"

namespace convscope {
namespace {

struct Row {
  std::string name;
  std::vector<std::string> parts;
  Comparison result;
};

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
  for (size_t part = 0; part < case_parts().size(); ++part) {
    const bool varies = split && std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
                          return row.parts[part] != rows[0].parts[part];
                        });
    columns.push_back({case_parts()[part].name, case_parts()[part].heading,
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

/// This machine's own floor, if the samples were taken on it.
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

}  // namespace

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
  const Floor floor = options.floor ? *options.floor : calibrated_floor(measured_in, sides);
  std::vector<std::pair<Measurement, Measurement>> table;
  for (const CasePair& pair : pairs) table.emplace_back(pair.a->measurement, pair.b->measurement);
  const double threshold = practical_threshold(floor.percent);
  const std::vector<Comparison> comparisons = judge(table, threshold);
  std::vector<Row> rows;
  for (size_t i = 0; i < pairs.size(); ++i) {
    rows.push_back({pairs[i].name, parts_of(pairs[i].name), comparisons[i]});
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
      "(A/A floor: {})\n",
      rows.size(), count(Verdict::faster), count(Verdict::slower), count(Verdict::same),
      count(Verdict::undecided), threshold, floor.source);
  if (options.fail_on_regression && count(Verdict::slower) > 0) return found_regression;
  if (options.fail_on_undecided && count(Verdict::undecided) > 0) return found_undecided;
  return done;
}

}  // namespace convscope

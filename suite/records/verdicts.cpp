#include "suite/records/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <unordered_map>

#include "architectures/nearest.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

struct Row {
  std::string name;
  std::vector<std::string> parts;
  const Comparison& result;
};

Cell number(const std::optional<double>& value) { return value ? Cell(*value) : Cell(); }

/// Integers as such, so that they stand at the right.
Cell part_cell(const std::string& value) {
  int64_t integer = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), integer);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  return whole ? Cell(integer) : Cell(value);
}

/// People see of a case's name only what varies among the rows.
std::vector<Column<Row>> columns_of(const std::vector<Row>& rows) {
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

}  // namespace

NamedCases all_cases(const SampleFile& file) {
  NamedCases named;
  for (const MeasuredCase& one : file.cases) named.emplace_back(one.name, &one);
  return named;
}

/// Those with this value, named as if it were that of both sides.
NamedCases cases_with(const SampleFile& file, const By& by, const std::string& value) {
  NamedCases named;
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
    const std::string& part = case_parts()[by.part].name;
    throw std::invalid_argument("--by: " + file.path.string() + " has no case with " + part + " '" +
                                value + "'" + did_you_mean(value, values) + "; there are " +
                                printable(joined(values)));
  }
  return named;
}

Matched matched(const NamedCases& a, const NamedCases& b) {
  std::unordered_map<std::string, const MeasuredCase*> of_b(b.begin(), b.end());
  Matched result;
  for (const auto& [name, one] : a) {
    const auto other = of_b.find(name);
    if (other == of_b.end()) {
      result.only_in_a.push_back(one->name);
      continue;
    }
    result.pairs.push_back({name, one, other->second});
    of_b.erase(other);
  }
  for (const auto& [name, one] : b) {
    if (of_b.count(name)) result.only_in_b.push_back(one->name);
  }
  return result;
}

size_t JudgedPairs::count(Verdict verdict) const {
  return static_cast<size_t>(
      std::count_if(comparisons.begin(), comparisons.end(),
                    [&](const Comparison& one) { return one.verdict == verdict; }));
}

std::string JudgedPairs::summary() const {
  return fmt::format(
      "{} compared: {} FASTER, {} SLOWER, {} SAME, {} UNDECIDED; a change counts from {:.3g} % "
      "(A/A floor: {})",
      pairs.size(), count(Verdict::faster), count(Verdict::slower), count(Verdict::same),
      count(Verdict::undecided), threshold_percent, floor.source);
}

JudgedPairs judge_pairs(std::vector<CasePair> pairs, const Floor& floor) {
  std::vector<std::pair<Measurement, Measurement>> table;
  for (const CasePair& pair : pairs) table.emplace_back(pair.a->measurement, pair.b->measurement);
  const double threshold = practical_threshold(floor.percent);
  std::vector<Comparison> comparisons = judge(table, threshold);
  return {std::move(pairs), std::move(comparisons), threshold, floor};
}

Figure verdict_figure(const JudgedPairs& judged, const std::string& a, const std::string& b) {
  constexpr size_t most_rows = 100;
  std::vector<std::string> names, models;
  for (const CasePair& pair : judged.pairs) {
    names.push_back(pair.name);
    models.push_back(model_of(pair.name));
  }
  names = short_names(names);
  Dots dots;
  dots.x = {"Time of B over that of A", Scale::log};
  dots.reference = Dots::Reference{1, "equal"};
  for (const Verdict verdict :
       {Verdict::faster, Verdict::slower, Verdict::same, Verdict::undecided}) {
    dots.series.push_back(to_string(verdict));
  }
  size_t shown = 0;
  for (const size_t i : by_family(models)) {
    const Comparison& one = judged.comparisons[i];
    if (!one.shift || ++shown > most_rows) continue;
    std::optional<Spread> spread;
    if (one.shift->interval) spread = Spread{one.shift->interval->low, one.shift->interval->high};
    dots.rows.push_back(
        {names[i], family(models[i]), {{to_string(one.verdict), one.shift->ratio, spread, {}}}});
  }
  std::string caption =
      "A is " + a + ", B is " + b +
      ": Hodges and Lehmann's shift of the times of each case with its 95 % interval, on a "
      "logarithmic axis. Left of the line B is the faster one.";
  if (shown > most_rows) {
    caption +=
        fmt::format(" The first {} of {} cases; the others are in the table.", most_rows, shown);
  }
  return {"compared-" + file_name(a) + "-" + file_name(b), b + " against " + a, dots, caption};
}

Table verdict_table(const JudgedPairs& judged) {
  std::vector<Row> rows;
  for (size_t i = 0; i < judged.pairs.size(); ++i) {
    rows.push_back({judged.pairs[i].name, parts_of(judged.pairs[i].name), judged.comparisons[i]});
  }
  return make_table(columns_of(rows), rows);
}

}  // namespace convscope

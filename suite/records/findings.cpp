#include "suite/records/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <set>

#include "suite/records/training_runs.h"
#include "suite/report/text.h"
#include "suite/timing/ranking.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

std::string count(int64_t value) { return human_text(Cell(value), Human::count); }

std::string plural(size_t number, const std::string& one) {
  return fmt::format("{} {}{}", number, one, number == 1 ? "" : "s");
}

/// "8.2 to 9.1"; a single value where both are the same.
std::string range(double low, double high, const char* format = "{:.3g}") {
  const std::string from = fmt::format(fmt::runtime(format), low),
                    to = fmt::format(fmt::runtime(format), high);
  return from == to ? from : from + " to " + to;
}

/// Both sides of "224x224" or "427", or of an input, "3x224x224".
std::pair<double, double> sides_of(const std::string& text) {
  const size_t last = text.rfind('x');
  if (last == std::string::npos) return {std::atof(text.c_str()), std::atof(text.c_str())};
  const size_t before = text.rfind('x', last - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return {std::atof(text.c_str() + begin), std::atof(text.c_str() + last + 1)};
}

/// The networks whose last features' receptive field is smaller than the image.
std::vector<std::string> that_see_less(const CsvFile& csv, const std::vector<std::string>& names) {
  const auto fields = texts_if_there(csv, "rf"), inputs = texts(csv, "input");
  std::vector<std::string> found;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto [height, width] = sides_of(fields[i]);
    const auto [rows, columns] = sides_of(inputs[i]);
    if (height < rows || width < columns) found.push_back(names[i]);
  }
  return found;
}

std::vector<RecordFinding> of_costs(const Records& records) {
  CsvFile csv = records.read_models("cost.csv");
  const size_t status = column_index(csv, "status");
  const size_t macs_column = column_index(csv, "macs"), params_column = column_index(csv, "params");
  keep_rows(csv, [&](const CsvRow& row) {
    return row.fields[status] == "ok" && !row.fields[macs_column].empty() &&
           !row.fields[params_column].empty();
  });
  auto models = texts(csv, "model");
  const auto inputs = texts(csv, "input");
  const auto macs = integers(csv, "macs"), params = integers(csv, "params");
  if (models.empty()) return {};
  const size_t networks = std::set<std::string>(models.begin(), models.end()).size();
  // A network at several inputs, or in several widths, is one network.
  const bool several = networks < models.size();
  if (models.size() == 1) {
    return {{fmt::format("{} has {} parameters and {} multiply-accumulates.", models[0],
                         count(params[0]), count(macs[0])),
             "Exact counts, for one image."}};
  }
  for (size_t i = 0; several && i < models.size(); ++i) models[i] += " " + inputs[i];
  const auto extremes = [&](const std::vector<int64_t>& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return fmt::format("from {} ({}) to {} ({})", count(*low),
                       models[static_cast<size_t>(low - values.begin())], count(*high),
                       models[static_cast<size_t>(high - values.begin())]);
  };
  const std::string who =
      plural(networks, "network") +
      (several ? fmt::format(" in {} variants or at as many inputs", models.size()) : "");
  std::vector<RecordFinding> found = {
      {fmt::format("{} need{} {} multiply-accumulates for one image, and hold{} {} parameters.",
                   who, networks == 1 ? "s" : "", extremes(macs), networks == 1 ? "s" : "",
                   extremes(params)),
       "Exact counts, read from each network's own forward pass."}};
  const std::vector<std::string> blind = that_see_less(csv, models);
  if (blind.size() == models.size()) return found;
  found.push_back({fmt::format("In {} of {} the features before the head can see the whole image.",
                               models.size() - blind.size(), models.size()),
                   std::string("The receptive field, over the longest path, against the image") +
                       (blind.empty() ? "." : "; the others: " + joined(blind) + ".")});
  return found;
}

/// The quickest and the slowest of the cases that were measured alike.
std::vector<RecordFinding> of_times(const Records& records) {
  CsvFile csv = records.read_models("bench.csv");
  const auto median = numbers(csv, "median_ms"), low = numbers(csv, "ci_low_ms"),
             high = numbers(csv, "ci_high_ms");
  const auto models = texts(csv, "model"), threads = texts(csv, "threads"),
             batches = texts(csv, "batch"), engines = texts(csv, "engine"),
             scenarios = texts(csv, "scenario"), status = texts(csv, "status");
  std::vector<std::vector<std::string>> settings;
  for (const char* name : {"env", "device", "threads", "batch", "precision", "layout", "mode"}) {
    settings.push_back(texts(csv, name));
  }
  const auto alike = [&](size_t a, size_t b) {
    return std::all_of(settings.begin(), settings.end(),
                       [&](const auto& values) { return values[a] == values[b]; });
  };
  std::vector<size_t> rows;
  size_t noisy = 0, measured = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    if (!(median[i] > 0) || !std::isfinite(median[i])) continue;
    ++measured;
    if (status[i] == "noisy" || status[i] == "disturbed") ++noisy;
    if (scenarios[i] == "latency" && (rows.empty() || alike(i, rows[0]))) rows.push_back(i);
  }
  if (rows.empty()) return {};
  const auto time = [&](size_t i) {
    const bool known = std::isfinite(low[i]) && std::isfinite(high[i]);
    return (known ? with_interval(median[i], low[i], high[i])
                  : fmt::format("about {:.2g}", median[i])) +
           " ms";
  };
  const auto [quick, slow] = std::minmax_element(
      rows.begin(), rows.end(), [&](size_t a, size_t b) { return median[a] < median[b]; });
  const std::string statement =
      *quick == *slow
          ? fmt::format("{} takes {} ({}).", models[*quick], time(*quick), engines[*quick])
          : fmt::format("The quickest is {} ({}) with {}, the slowest {} ({}) with {}.",
                        models[*quick], engines[*quick], time(*quick), models[*slow],
                        engines[*slow], time(*slow));
  const bool sure = std::isfinite(low[*quick]) && std::isfinite(low[*slow]);
  std::string detail = fmt::format("Medians of a batch of {}, {} thread{}{}", batches[rows[0]],
                                   threads[rows[0]], threads[rows[0]] == "1" ? "" : "s",
                                   sure ? ", with the longer side of their 95 % intervals"
                                        : "; too few repetitions for intervals");
  detail += noisy == 0 ? "."
                       : fmt::format(
                             "; {} of {} cases are marked noisy or disturbed: the "
                             "interval asked for was not reached.",
                             noisy, measured);
  return {{statement, detail}};
}

/// Whether counting tells the order of the times, for the engine that comes first.
std::vector<RecordFinding> of_ranking(const Records& records) {
  CsvFile csv = records.read_models("bench.csv");
  const auto median = numbers(csv, "median_ms"), low = numbers(csv, "ci_low_ms"),
             high = numbers(csv, "ci_high_ms"), rates = numbers(csv, "gflop_per_s");
  const std::vector<std::string> same = {"env",    "device", "threads", "batch",   "precision",
                                         "layout", "engine", "mode",    "scenario"};
  std::map<std::string, std::vector<std::string>> of;
  for (const std::string& column : same) of[column] = texts(csv, column);
  const auto models = texts(csv, "model");
  std::vector<RankedNetwork> networks;
  std::optional<size_t> first;
  for (size_t i = 0; i < models.size(); ++i) {
    const double operations = rates[i] * median[i] * 1e6;
    if (!(median[i] > 0) || !(rates[i] > 0) || !(operations < 1e18)) continue;
    if (!first) first = i;
    const bool alike = std::all_of(same.begin(), same.end(), [&](const std::string& column) {
      return of[column][i] == of[column][*first];
    });
    if (!alike) continue;
    const auto macs = static_cast<int64_t>(std::llround(operations / 2));
    RankedNetwork network{models[i], macs, 0, 0, median[i], std::nullopt};
    if (std::isfinite(low[i]) && std::isfinite(high[i])) {
      network.interval = Interval{low[i], high[i]};
    }
    networks.push_back(network);
  }
  if (networks.size() < 3) return {};
  const Ranking ranking = rank(networks);
  return {{fmt::format("Multiply-accumulates order {} of {} pairs of networks wrongly by time.",
                       ranking.misranked.size(), ranking.pairs),
           fmt::format("{} engine, {} networks; a pair counts as wrong where the 95 % intervals do "
                       "not overlap. Spearman's rank correlation is {:.2f}.",
                       of["engine"][*first], networks.size(), ranking.by_macs)}};
}

std::vector<RecordFinding> of_evaluations(const Records& records) {
  const CsvFile csv = records.read_models("evaluation.csv");
  const auto models = texts(csv, "model"), data = texts(csv, "data"), images = texts(csv, "images");
  const auto top1 = numbers(csv, "top1"), low = numbers(csv, "top1_low"),
             high = numbers(csv, "top1_high");
  std::vector<RecordFinding> found;
  for (size_t i = 0; i < models.size() && found.size() < 6; ++i) {
    if (!std::isfinite(top1[i])) continue;
    const bool known = std::isfinite(low[i]) && std::isfinite(high[i]);
    found.push_back(
        {fmt::format("{} is right on {:.1f} % of the images{}.", models[i], top1[i],
                     known ? fmt::format(" ({} %)", range(low[i], high[i], "{:.1f}")) : ""),
         fmt::format("{} images of {}{}.", images[i], dataset_name(data[i]),
                     known ? "; Wilson's 95 % interval" : "")});
  }
  return found;
}

/// A group's accuracy and how far its seeds reach, or, of a single one, Wilson's interval.
struct Reached {
  const TrainingGroup* group;
  double middle, low, high;

  explicit Reached(const TrainingGroup& of)
      : group(&of), middle(median(of.top1)), low(of.low), high(of.high) {
    if (of.top1.size() < 2) return;
    const auto [least, most] = std::minmax_element(of.top1.begin(), of.top1.end());
    low = *least;
    high = *most;
  }

  std::string text() const {
    const std::string reached = fmt::format("{} {:.1f} %", group->name, middle);
    return known() ? fmt::format("{} ({})", reached, range(low, high, "{:.1f}")) : reached;
  }

  bool known() const { return std::isfinite(low) && std::isfinite(high); }
};

std::string intervals_of(const std::vector<Reached>& all) {
  size_t least = all[0].group->top1.size(), most = least;
  for (const Reached& one : all) {
    least = std::min(least, one.group->top1.size());
    most = std::max(most, one.group->top1.size());
  }
  if (most == 1) return "one seed each; in brackets Wilson's 95 % interval for the test images";
  const std::string seeds =
      least == most ? std::to_string(most) : fmt::format("{} to {}", least, most);
  return "median and range of " + seeds + " seeds" +
         (least == 1 ? ", of one Wilson's 95 % interval" : "");
}

/// Each way of training on one dataset, the best first.
RecordFinding finding_of(std::vector<Reached> all) {
  constexpr size_t most_named = 5;
  std::stable_sort(all.begin(), all.end(),
                   [](const Reached& a, const Reached& b) { return a.middle > b.middle; });
  std::vector<std::string> parts;
  for (size_t i = 0; i < std::min(all.size(), most_named); ++i) parts.push_back(all[i].text());
  std::string detail = "Top-1 on " + all[0].group->dataset + ", " + intervals_of(all);
  if (all.size() > 1) {
    detail +=
        fmt::format("; the first is {:.1f} points above the second", all[0].middle - all[1].middle);
    if (all[0].known() && all[1].known()) {
      detail += std::string(", and their ranges ") +
                (all[0].low > all[1].high ? "do not overlap" : "overlap");
    }
  }
  if (all.size() > most_named) {
    detail += fmt::format("; {} more are in the table", all.size() - most_named);
  }
  return {joined(parts) + ".", detail + "."};
}

std::vector<RecordFinding> of_training(const Records& records) {
  const auto groups = training_groups(records.read_models("runs.csv"));
  std::vector<std::string> datasets;
  std::map<std::string, std::vector<Reached>> by_dataset;
  for (const TrainingGroup& group : groups) {
    if (!by_dataset.count(group.dataset)) datasets.push_back(group.dataset);
    by_dataset[group.dataset].emplace_back(group);
  }
  // What was learned last is what was asked: bases come before.
  std::vector<RecordFinding> found;
  for (auto dataset = datasets.rbegin(); dataset != datasets.rend(); ++dataset) {
    found.push_back(finding_of(by_dataset[*dataset]));
  }
  return found;
}

std::string agreement(int64_t agrees, int64_t trials) {
  if (agrees == trials) return "as published in all trials";
  if (agrees == 0) return "not as published in any trial";
  return fmt::format("as published in {} of {} trials", agrees, trials);
}

std::vector<RecordFinding> of_transfer(const Records& records) {
  const CsvFile csv = records.read("transfer_findings.csv");
  const auto names = texts(csv, "name"), claims = texts(csv, "claim");
  const auto trials = integers(csv, "trials"), agrees = integers(csv, "agrees");
  const auto points = numbers(csv, "points"), low = numbers(csv, "low"),
             high = numbers(csv, "high");
  std::vector<RecordFinding> found;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!std::isfinite(points[i])) continue;
    found.push_back({fmt::format("{}, {}: {:+.1f} points ({:+.1f} to {:+.1f}).", names[i],
                                 agreement(agrees[i], trials[i]), points[i], low[i], high[i]),
                     fmt::format("Published: \"{}\". The median of {} trials and their range.",
                                 claims[i], trials[i])});
  }
  return found;
}

std::vector<RecordFinding> of_engines(const Records& records, const Floor& floor) {
  if (!has_rows(records.folder / "samples.csv")) return {};
  const SampleFile& samples = records.samples();
  std::string a, b;
  const auto judged = judged_engines(samples, floor, a, b);
  if (!judged) return {};
  return {finding_of(*judged, a, b)};
}

}  // namespace

std::optional<JudgedPairs> judged_engines(const SampleFile& samples, const Floor& floor,
                                          std::string& a, std::string& b) {
  size_t part = 0;
  while (case_parts()[part].name != "engine") ++part;
  std::vector<std::string> engines;
  for (const MeasuredCase& one : samples.cases) {
    const auto parts = parts_of(one.name);
    if (parts.empty()) continue;
    if (!std::count(engines.begin(), engines.end(), parts[part])) engines.push_back(parts[part]);
  }
  if (engines.size() < 2) return std::nullopt;
  const By by{part, engines[0], engines[1]};
  auto pairs = matched(cases_with(samples, by, by.a), cases_with(samples, by, by.b)).pairs;
  if (pairs.empty()) return std::nullopt;
  a = by.a;
  b = by.b;
  return judge_pairs(std::move(pairs), floor);
}

RecordFinding finding_of(const JudgedPairs& judged, const std::string& a, const std::string& b) {
  // The shift is of times: below 1, B is the faster one.
  double sum = 0, variance = 0, least = HUGE_VAL, most = 0;
  size_t shifts = 0;
  bool all_intervals = true;
  for (const Comparison& one : judged.comparisons) {
    if (!one.shift) continue;
    const double speed = 1 / one.shift->ratio;
    sum += std::log(speed);
    least = std::min(least, speed);
    most = std::max(most, speed);
    ++shifts;
    if (one.shift->interval) {
      const double width = std::log(one.shift->interval->high / one.shift->interval->low);
      variance += std::pow(width / (2 * 1.959964), 2);
    } else {
      all_intervals = false;
    }
  }
  if (shifts == 0) return {fmt::format("{} and {} have no case in common.", a, b), ""};
  const auto n = static_cast<double>(shifts);
  const double mean = std::exp(sum / n), factor = std::exp(1.959964 * std::sqrt(variance) / n);
  std::string statement = fmt::format("{} is {:.3g} times as fast as {}", b, mean, a);
  if (all_intervals) statement += fmt::format(" ({})", range(mean / factor, mean * factor));
  statement += shifts == 1 ? "."
                           : fmt::format(": the geometric mean of {} cases, which range from {}.",
                                         shifts, range(least, most));
  if (judged.count(Verdict::undecided) == judged.pairs.size()) {
    statement = "Undecided so far: " + statement;
  } else if (judged.count(Verdict::same) == judged.pairs.size()) {
    statement = fmt::format("No difference that counts between {} and {} in {}.", a, b,
                            plural(judged.pairs.size(), "case"));
  }
  return {statement, judged.summary() +
                         ". Hodges and Lehmann's shift of the repetitions' medians; verdicts by "
                         "the U test with Holm's correction."};
}

std::vector<RecordFinding> findings(const Records& records, const Floor& floor) {
  std::vector<RecordFinding> all;
  const auto add = [&](const std::string& file, const auto& make) {
    if (!records.has(file)) return;
    for (RecordFinding& finding : make()) all.push_back(std::move(finding));
  };
  add("runs.csv", [&] { return of_training(records); });
  add("transfer_findings.csv", [&] { return of_transfer(records); });
  add("evaluation.csv", [&] { return of_evaluations(records); });
  add("samples.csv", [&] { return of_engines(records, floor); });
  add("bench.csv", [&] { return of_times(records); });
  add("bench.csv", [&] { return of_ranking(records); });
  add("cost.csv", [&] { return of_costs(records); });
  return all;
}

}  // namespace convscope

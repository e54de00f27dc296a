#include "suite/records/bench_times.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "suite/report/text.h"

namespace convscope {
namespace {

const std::vector<std::string> settings = {"env",       "device", "threads", "batch", "input",
                                           "precision", "layout", "engine",  "mode",  "scenario"};

}  // namespace

bool positive(double value) { return value > 0 && std::isfinite(value); }

BenchTimes::BenchTimes(const Records& records) : csv(records.read_models("bench.csv")) {
  const auto all = numbers(csv, "median_ms");
  std::set<int64_t> measured;
  for (size_t i = 0; i < all.size(); ++i) {
    if (positive(all[i])) measured.insert(csv.rows[i].line);
  }
  keep_rows(csv, [&](const CsvRow& row) { return measured.count(row.line) > 0; });
  of["model"] = texts(csv, "model");
  for (const std::string& setting : settings) of[setting] = texts(csv, setting);
  median = numbers(csv, "median_ms");
  low = numbers(csv, "ci_low_ms");
  high = numbers(csv, "ci_high_ms");
  images_per_s = numbers(csv, "images_per_s");
  gflop_per_s = numbers(csv, "gflop_per_s");
  peak_share = numbers(csv, "peak_share");
  batch = numbers(csv, "batch");
  threads = numbers(csv, "threads");
  std::map<std::string, std::set<std::string>> inputs;
  for (size_t i = 0; i < size(); ++i) inputs[of["model"][i]].insert(of["input"][i]);
  names = of["model"];
  for (size_t i = 0; i < size(); ++i) {
    if (inputs[names[i]].size() > 1) names[i] += " " + of["input"][i];
  }
}

std::optional<Interval> BenchTimes::interval(size_t row) const {
  const bool known = positive(low[row]) && positive(high[row]);
  return known ? std::optional(Interval{low[row], high[row]}) : std::nullopt;
}

std::vector<size_t> BenchTimes::like_the_first(const std::set<std::string>& but,
                                               const std::function<bool(size_t)>& fits,
                                               size_t& others) const {
  std::vector<size_t> rows;
  others = 0;
  for (size_t i = 0; i < size(); ++i) {
    if (!fits(i)) continue;
    const size_t first = rows.empty() ? i : rows[0];
    const bool same = std::all_of(settings.begin(), settings.end(), [&](const auto& setting) {
      return but.count(setting) > 0 || of.at(setting)[i] == of.at(setting)[first];
    });
    if (same) {
      rows.push_back(i);
    } else {
      ++others;
    }
  }
  return rows;
}

std::string BenchTimes::how(size_t row, const std::set<std::string>& but) const {
  std::vector<std::string> parts;
  const auto value = [&](const char* name) {
    return of.at(name)[row];
  }  // namespace convscope

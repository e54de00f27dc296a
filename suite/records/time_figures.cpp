// Times: what they are against MACs and against the machine, and how they are spread.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <stdexcept>

#include "suite/records/case_parts.h"
#include "suite/records/figures.h"
#include "suite/records/sample_file.h"
#include "suite/report/text.h"
#include "suite/timing/calibration.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

/// What a logarithmic axis can show.
bool positive(double value) { return value > 0 && std::isfinite(value); }

/// What a case was measured with, beside its network.
const std::vector<std::string> settings = {"env",       "device", "threads", "batch", "input",
                                           "precision", "layout", "engine",  "mode",  "scenario"};

/// The rows of bench.csv that have a time.
struct Times {
  CsvFile csv;
  std::map<std::string, std::vector<std::string>> of;  ///< "model", and each of the settings
  std::vector<std::string> names;  ///< the model, with its input where it was measured at several
  std::vector<double> median, low, high, images_per_s, gflop_per_s, peak_share, batch, threads;

  explicit Times(const Records& records) : csv(records.read_models("bench.csv")) {
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

  size_t size() const { return median.size(); }

  std::optional<Spread> interval(size_t i) const {
    const bool known = positive(low[i]) && positive(high[i]);
    return known ? std::optional(Spread{low[i], high[i]}) : std::nullopt;
  }

  /// The rows whose settings, but for those named, are those of the first row that `fits`; how
  /// many of those that fit are not among them goes to `others`.
  template <class Fits>
  std::vector<size_t> like_the_first(const std::set<std::string>& but, Fits fits,
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

  /// "1 thread, batch 1, float32": of a row, without those named.
  std::string how(size_t row, const std::set<std::string>& but) const {
    std::vector<std::string> parts;
    const auto value = [&](const char* name) { return of.at(name)[row]; };
    if (!but.count("device")) parts.push_back(value("device"));
    if (!but.count("threads"))
      parts.push_back(value("threads") + (value("threads") == "1" ? " thread" : " threads"));
    if (!but.count("batch")) parts.push_back("batch " + value("batch"));
    for (const char* name : {"precision", "layout", "engine"}) {
      if (!but.count(name)) parts.push_back(value(name));
    }
    if (value("mode") != "inference") parts.push_back(value("mode"));
    return joined(parts);
  }
};

void say_left_out(const Records& records, const std::string& figure, size_t rows) {
  if (rows == 0) return;
  records.err << figure << ": " << rows << (rows == 1 ? " row" : " rows")
              << " of bench.csv measured otherwise left out\n";
}

/// What a caption says of the bars of these rows.
std::string bars_of(const Times& times, const std::vector<size_t>& rows) {
  const auto known = std::count_if(rows.begin(), rows.end(),
                                   [&](size_t i) { return times.interval(i).has_value(); });
  if (known == 0) return " Too few repetitions for intervals.";
  return " Bars: 95 % intervals of the medians" +
         std::string(known < static_cast<long>(rows.size()) ? ", where there are any." : ".");
}

std::vector<Figure> latency_macs(const Records& records) {
  const Times times(records);
  size_t others = 0;
  const std::set<std::string> but = {"engine", "input"};
  const auto rows = times.like_the_first(
      but,
      [&](size_t i) {
        return positive(times.gflop_per_s[i]) && positive(times.batch[i]) &&
               times.of.at("scenario")[i] == "latency" && times.of.at("mode")[i] == "inference";
      },
      others);
  if (rows.empty()) {
    records.err << "latency_macs: bench.csv has no latency of a network with MACs\n";
    return {};
  }
  say_left_out(records, "latency_macs", others);
  const double batch = times.batch[rows[0]];
  Bubbles bubbles;
  bubbles.x = {"Multiply-accumulates", Scale::log, TickText::si};
  bubbles.y = {"Median latency (ms)", Scale::log};
  double peak = 0;
  for (const size_t i : rows) {
    // Rates count two operations for each multiply-accumulate.
    const double macs = times.gflop_per_s[i] * times.median[i] * 1e6 / 2 / batch;
    const std::string& engine = times.of.at("engine")[i];
    // The engines of a network lie above each other: one name is enough.
    bubbles.bubbles.push_back({times.names[i], engine, std::round(macs * batch), times.median[i], 0,
                               times.interval(i), engine == times.of.at("engine")[rows[0]]});
    if (positive(times.peak_share[i])) peak = times.gflop_per_s[i] / times.peak_share[i];
  }
  if (peak > 0) {
    for (const double share : {1.0, 0.1}) {
      bubbles.guides.push_back({2 / (share * peak * 1e9) * 1e3,
                                share == 1 ? fmt::format("peak: {:.0f} GFLOP/s", peak)
                                           : fmt::format("{:.0f} % of it", 100 * share)});
    }
  }
  return {
      {"latency_macs", "What a multiply-accumulate takes: latency against MACs", bubbles,
       fmt::format("Median latency of a batch of {:g} against its multiply-accumulates ({}), "
                   "on logarithmic axes; names stand at the {} engine.{}{}",
                   batch, times.how(rows[0], {"engine", "batch"}), times.of.at("engine")[rows[0]],
                   peak > 0 ? " On the lines, arithmetic runs at the float32 peak that the "
                              "machine was calibrated to when the times were taken, and at a "
                              "tenth of it; an algorithm with fewer "
                              "multiplications than are counted can be below."
                            : "",
                   bars_of(times, rows))}};
}

/// Networks in rows, and beside each other what differs: engines, layouts or precisions.
std::vector<Figure> engines(const Records& records) {
  const Times times(records);
  for (const std::string varies : {"engine", "layout", "precision"}) {
    size_t others = 0;
    const auto rows = times.like_the_first(
        {varies, "input"}, [&](size_t i) { return times.of.at("scenario")[i] == "latency"; },
        others);
    Dots dots;
    dots.x = {"Median latency (ms)", Scale::log};
    dots.joined = true;
    for (const size_t i : rows) {
      const std::string& model = times.names[i];
      const std::string& value = times.of.at(varies)[i];
      if (!std::count(dots.series.begin(), dots.series.end(), value)) dots.series.push_back(value);
      auto row = std::find_if(dots.rows.begin(), dots.rows.end(),
                              [&](const Dots::Row& one) { return one.label == model; });
      if (row == dots.rows.end()) row = dots.rows.insert(row, {model, "", {}});
      row->dots.push_back({value, times.median[i], times.interval(i), {}});
    }
    if (dots.series.size() < 2) continue;
    say_left_out(records, "engines", others);
    const auto slowest = [](const Dots::Row& row) {
      double most = 0;
      for (const Dots::Dot& dot : row.dots) most = std::max(most, dot.x);
      return most;
    };
    std::stable_sort(
        dots.rows.begin(), dots.rows.end(),
        [&](const Dots::Row& a, const Dots::Row& b) { return slowest(a) > slowest(b); });
    keep_page(records, "engines", dots.rows);
    return {{"engines", "Latency: " + joined(dots.series, " against "), dots,
             fmt::format("Median latency of each network, {}, on a logarithmic axis: equal "
                         "distances are equal ratios.{}",
                         times.how(rows[0], {varies}), bars_of(times, rows))}};
  }
  records.err << "engines: bench.csv has no two engines, layouts or precisions to compare\n";
  return {};
}

/// Images per second as one setting grows.
std::vector<Figure> throughput(const Records& records, const std::string& grows,
                               const std::string& name, const std::string& label,
                               const std::string& title) {
  const Times times(records);
  const std::vector<double>& along = grows == "batch" ? times.batch : times.threads;
  size_t others = 0;
  const auto rows = times.like_the_first(
      {grows, "engine", "input", "scenario"},
      [&](size_t i) { return positive(times.images_per_s[i]) && positive(along[i]); }, others);
  std::map<std::string, std::map<double, size_t>> lines_of;
  std::vector<std::string> order;
  std::set<std::string> different;
  for (const size_t i : rows) different.insert(times.of.at("engine")[i]);
  for (const size_t i : rows) {
    const std::string line =
        times.names[i] + (different.size() > 1 ? " " + times.of.at("engine")[i] : "");
    if (!lines_of.count(line)) order.push_back(line);
    lines_of[line].emplace(along[i], i);
  }
  Lines lines;
  lines.x = {label, Scale::log};
  std::set<double> values;
  for (const size_t i : rows) values.insert(along[i]);
  lines.x.at.assign(values.begin(), values.end());
  lines.y = {"Images per second", Scale::log, TickText::si};
  bool known = false;
  for (const size_t i : rows) known = known || times.interval(i).has_value();
  for (const std::string& line : order) {
    if (lines_of[line].size() < 2) continue;
    Lines::Series& series = lines.series.emplace_back();
    series.label = line;
    series.group = times.of.at("model")[lines_of[line].begin()->second];
    for (const auto& [x, i] : lines_of[line]) {
      series.points.push_back({x, times.images_per_s[i]});
      if (!known) continue;
      const auto interval = times.interval(i).value_or(Spread{times.median[i], times.median[i]});
      const double images = times.images_per_s[i] * times.median[i];
      series.spread.push_back({images / interval.high, images / interval.low});
    }
  }
  if (lines.series.empty()) {
    records.err << name << ": bench.csv has no network measured with two values of " << grows
                << "\n";
    return {};
  }
  say_left_out(records, name, others);
  return {{name, title, lines,
           fmt::format("Images per second, {}, both axes logarithmic.{}",
                       times.how(rows[0], {grows, "engine"}),
                       known ? " Bands: 95 % intervals from those of the median times." : "")}};
}

std::vector<Figure> batch_throughput(const Records& records) {
  return throughput(records, "batch", "batch_throughput", "Batch (images)",
                    "What a larger batch gives");
}

std::vector<Figure> thread_throughput(const Records& records) {
  return throughput(records, "threads", "thread_throughput", "Threads", "What more threads give");
}

constexpr size_t most_distributions = 60;

/// The cases of samples.csv that are asked for, as many as a page has room for.
std::vector<MeasuredCase> shown_cases(const Records& records) {
  std::vector<MeasuredCase> cases = records.samples().cases;
  cases.erase(std::remove_if(cases.begin(), cases.end(),
                             [&](const MeasuredCase& one) {
                               return one.measurement.repetitions.empty() ||
                                      (!records.models.empty() &&
                                       !records.models.count(model_of(one.name)));
                             }),
              cases.end());
  if (cases.size() > most_distributions) {
    records.err << "samples: shows the first " << most_distributions << " of " << cases.size()
                << " cases; --model chooses\n";
    cases.resize(most_distributions);
  }
  return cases;
}

size_t most_samples(const std::vector<MeasuredCase>& cases) {
  size_t most = 0;
  for (const MeasuredCase& one : cases) {
    size_t count = 0;
    for (const auto& repetition : one.measurement.repetitions) count += repetition.size();
    most = std::max(most, count);
  }
  return most;
}

/// The samples in percent of their median, between `low` and `high` in equal bins.
Distributions::Row histogram(const Repetitions& repetitions, double low, double high, size_t bins) {
  const Summary summary = summarize(repetitions);
  Distributions::Row row;
  row.median = 100;
  if (summary.interval) {
    row.interval = Spread{100 * summary.interval->low / summary.median,
                          100 * summary.interval->high / summary.median};
  }
  row.note = fmt::format("{:.3g} ms, n = {}", summary.median, summary.samples);
  row.shares.assign(bins, 0);
  const double one = 1.0 / static_cast<double>(summary.samples);
  for (const auto& repetition : repetitions) {
    for (const double sample : repetition) {
      const double place =
          (100 * sample / summary.median - low) / (high - low) * static_cast<double>(bins);
      if (place < 0) {
        row.below += one;
      } else if (place >= static_cast<double>(bins)) {
        row.above += one;
      } else {
        row.shares[static_cast<size_t>(place)] += one;
      }
    }
  }
  return row;
}

/// What a caption calls them: a record may have been thinned to a value for each repetition.
bool one_each(const std::vector<MeasuredCase>& cases) {
  return std::all_of(cases.begin(), cases.end(), [](const MeasuredCase& one) {
    return std::all_of(one.measurement.repetitions.begin(), one.measurement.repetitions.end(),
                       [](const auto& repetition) { return repetition.size() == 1; });
  });
}

std::vector<Figure> samples(const Records& records) {
  if (!has_rows(records.folder / "samples.csv")) {
    records.err << "samples: samples.csv has no sample\n";
    return {};
  }
  const std::vector<MeasuredCase> cases = shown_cases(records);
  if (cases.empty()) {
    records.err << "samples: samples.csv has no sample after the warm-up of these networks\n";
    return {};
  }
  Distributions all;
  all.x = {"Time (% of the case's median)"};
  all.low = 60;
  all.high = 180;
  std::vector<std::string> long_names, models;
  for (const MeasuredCase& one : cases) {
    long_names.push_back(one.name);
    models.push_back(model_of(one.name));
  }
  const auto names = short_names(long_names);
  // Few samples in narrow bins are a comb.
  const size_t bins = most_samples(cases) < 200 ? 30 : 80;
  bool intervals = false;
  for (const size_t i : by_family(models)) {
    Distributions::Row& row =
        all.rows.emplace_back(histogram(cases[i].measurement.repetitions, all.low, all.high, bins));
    row.label = names[i];
    row.group = family(models[i]);
    intervals = intervals || row.interval.has_value();
  }
  return {{"samples", "How the times of each case are spread", all,
           std::string(one_each(cases)
                           ? "The times that samples.csv holds, one for each repetition, in "
                             "percent of their case's median, as a histogram. "
                           : "Every sample after the warm-up, in percent of its case's median, as "
                             "a histogram. ") +
               (intervals ? "The tick is the median with its 95 % interval, which is from the "
                            "medians of the repetitions"
                          : "The tick is the median; there are too few repetitions for intervals") +
               "; at the right the median and how many times there are."}};
}

/// What fewer multiply-accumulates promise, and what they keep.
std::vector<Figure> operators(const Records& records) {
  const CsvFile csv = records.read("bench_operators.csv");
  const auto names = texts(csv, "operator"), inputs = texts(csv, "input");
  const auto predicted = numbers(csv, "macs_ratio"), measured = numbers(csv, "time_ratio"),
             low = numbers(csv, "ratio_low"), high = numbers(csv, "ratio_high");
  const auto engine_of = texts(csv, "engine");
  Bubbles bubbles;
  bubbles.x = {"MACs, of those of the standard convolution", Scale::log};
  bubbles.y = {"Time, of that of the standard convolution", Scale::log};
  const bool one_input = std::set<std::string>(inputs.begin(), inputs.end()).size() == 1;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!positive(predicted[i]) || !positive(measured[i])) continue;
    Bubbles::Bubble bubble{one_input ? names[i] : names[i] + " " + inputs[i],
                           engine_of[i],
                           predicted[i],
                           measured[i],
                           0,
                           {}};
    if (positive(low[i]) && positive(high[i])) bubble.spread = Spread{low[i], high[i]};
    bubbles.bubbles.push_back(bubble);
  }
  if (bubbles.bubbles.empty()) {
    records.err << "operators: bench_operators.csv has no time\n";
    return {};
  }
  bubbles.guides.push_back({1, "time as MACs"});
  return {
      {"operators", "What fewer multiply-accumulates promise, and what they keep", bubbles,
       "The same layer's work done by other operators, against a standard convolution: on the "
       "line the time falls as the multiply-accumulates do. Bars: 95 % intervals of the ratio."}};
}

Calibration calibration_of(const CsvFile& csv) {
  const auto quantities = texts(csv, "quantity");
  const auto threads = integers(csv, "threads");
  const auto values = numbers(csv, "value");
  Calibration calibration;
  for (size_t i = 0; i < quantities.size(); ++i) {
    Calibrated row;
    row.quantity = quantities[i];
    row.threads = static_cast<int>(threads[i]);
    row.value = values[i];
    calibration.measured.push_back(row);
  }
  return calibration;
}

std::string three_digits(double value) {
  return value >= 99.95 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

/// Nothing where the peak or the bandwidth is not known.
std::optional<Bubbles::Roof> roof_of(const Calibration& calibration, int threads) {
  const auto peak = calibration.value("fma", threads),
             product = calibration.value("onednn", threads),
             bandwidth = calibration.value("triad", threads);
  if (!peak || !bandwidth || !positive(*peak) || !positive(*bandwidth)) return std::nullopt;
  Bubbles::Roof roof{*bandwidth,
                     "memory: " + three_digits(*bandwidth) + " GB/s",
                     {{*peak, "FMA: " + three_digits(*peak) + " GFLOP/s"}}};
  if (product && positive(*product) && *product < *peak) {
    roof.ceilings.push_back({*product, "matrix product: " + three_digits(*product) + " GFLOP/s"});
  }
  return roof;
}

/// Each layer's rate against its arithmetic intensity, under what the machine can do. Of the engine
/// and the number of threads that come first, since others have another roof.
std::vector<Figure> roofline(const Records& records) {
  const CsvFile csv = records.read_models("bench_layers.csv");
  const auto models = texts(csv, "model"), engine_of = texts(csv, "engine"),
             layers = texts(csv, "layer"), ops = texts(csv, "op");
  const auto threads = integers(csv, "threads");
  const auto times = numbers(csv, "median_ms"), rates = numbers(csv, "gflop_per_s"),
             intensities = numbers(csv, "intensity");
  Bubbles bubbles;
  bubbles.x = {"Arithmetic intensity (FLOP per byte)", Scale::log};
  bubbles.y = {"GFLOP/s", Scale::log};
  bubbles.size_label = "milliseconds";
  bubbles.named = 8;
  const bool one_model = std::set<std::string>(models.begin(), models.end()).size() == 1;
  size_t others = 0;
  for (size_t i = 0; i < models.size(); ++i) {
    if (engine_of[i] != engine_of[0] || threads[i] != threads[0]) {
      ++others;
      continue;
    }
    // What only moves data does no operations, and a logarithmic axis has no zero.
    if (!positive(rates[i]) || !positive(intensities[i]) || !positive(times[i])) continue;
    bubbles.bubbles.push_back({one_model ? layers[i] : models[i] + " " + layers[i],
                               one_model ? ops[i] : models[i], intensities[i], rates[i], times[i]});
  }
  if (bubbles.bubbles.empty()) {
    records.err << "roofline: bench_layers.csv has no layer whose rate and intensity are known\n";
    return {};
  }
  if (others > 0) {
    records.err << "roofline: shows " << engine_of[0] << " with " << threads[0]
                << (threads[0] == 1 ? " thread; " : " threads; ") << others
                << (others == 1 ? " row" : " rows") << " of other engines or threads left out\n";
  }
  bubbles.roof =
      roof_of(calibration_of(records.read("calibration.csv")), static_cast<int>(threads[0]));
  if (!bubbles.roof) {
    records.err << "roofline: calibration.csv has not both fma and triad\n";
    return {};
  }
  const std::string with = fmt::format("{} thread{}", threads[0], threads[0] == 1 ? "" : "s");
  return {{"roofline",
           "What bounds the layers" + (one_model ? " of " + models[0] : "") + ": " + engine_of[0] +
               ", " + with,
           bubbles,
           "Each layer's rate against its operations per byte that it must move, under the "
           "machine's calibrated ceilings: left of the corner memory bounds a layer, right of it "
           "arithmetic. What lies above the slope finds its data in the caches. Area: time; the "
           "layers that take the most have their names."}};
}

}  // namespace

std::vector<RecordFigure> time_figures() {
  return {{"latency_macs", {"bench.csv"}, latency_macs},
          {"engines", {"bench.csv"}, engines},
          {"batch_throughput", {"bench.csv"}, batch_throughput},
          {"thread_throughput", {"bench.csv"}, thread_throughput},
          {"samples", {"samples.csv"}, samples},
          {"operators", {"bench_operators.csv"}, operators},
          {"roofline", {"calibration.csv", "bench_layers.csv"}, roofline}};
}

}  // namespace convscope

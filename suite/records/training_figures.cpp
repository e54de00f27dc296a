// What training reached: curves, protocols side by side, transfer, confusion, learning rates.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>
#include <set>

#include "suite/records/figures.h"
#include "suite/records/training_runs.h"
#include "suite/timing/statistics.h"

namespace convscope {
namespace {

/// The middle of some values, and how far they reach.
struct Middle {
  double median;
  Spread spread;
};

Middle middle_of(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {median(values), {*low, *high}};
}

/// The top-1 of each run after each epoch, for the runs that differ only in their seed.
struct Repeats {
  using Run = std::map<int64_t, double>;
  std::string name;
  std::map<std::string, Run> validation, training;

  bool validated() const { return !validation.empty(); }
  const std::map<std::string, Run>& runs() const { return validated() ? validation : training; }
};

std::vector<Repeats> repeats_of(const CsvFile& csv) {
  const auto runs = texts(csv, "run"), protocols = texts(csv, "protocol"),
             seeds = texts(csv, "seed");
  const auto epochs = integers(csv, "epoch");
  const auto training = numbers(csv, "train_top1"), validation = numbers(csv, "val_top1");
  std::vector<Repeats> all;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (is_of_transfer(protocols[i])) continue;
    const std::string name = without_seed(runs[i], seeds[i]);
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Repeats& repeats) { return repeats.name == name; });
    if (found == all.end()) found = all.insert(all.end(), {name, {}, {}});
    if (std::isfinite(training[i])) found->training[runs[i]][epochs[i]] = training[i];
    if (std::isfinite(validation[i])) found->validation[runs[i]][epochs[i]] = validation[i];
  }
  all.erase(std::remove_if(all.begin(), all.end(),
                           [](const Repeats& repeats) { return repeats.runs().empty(); }),
            all.end());
  return all;
}

/// The median of the runs as far as half of them went: the few that stop late, or the one that is
/// still training, are no middle.
Lines::Series median_curve(const Repeats& repeats) {
  std::map<int64_t, std::vector<double>> by_epoch;
  for (const auto& [run, values] : repeats.runs()) {
    for (const auto& [epoch, value] : values) by_epoch[epoch].push_back(value);
  }
  Lines::Series series{repeats.name, repeats.name, {}};
  for (const auto& [epoch, values] : by_epoch) {
    if (2 * values.size() < repeats.runs().size()) continue;
    const Middle middle = middle_of(values);
    series.points.push_back({static_cast<double>(epoch), middle.median});
    if (repeats.runs().size() > 1) series.spread.push_back(middle.spread);
  }
  return series;
}

std::vector<Figure> training_curves(const Records& records) {
  const std::vector<Repeats> all = repeats_of(records.read_models("epochs.csv"));
  if (all.empty()) {
    records.err << "training_curves: epochs.csv has no epoch but those of transfer\n";
    return {};
  }
  const auto validated = static_cast<size_t>(
      std::count_if(all.begin(), all.end(), [](const Repeats& r) { return r.validated(); }));
  Lines lines;
  lines.x.label = "Epoch";
  lines.x.whole = true;
  lines.x.from_zero = false;
  lines.y.label = validated == all.size() ? "Validation top-1 (%)"
                  : validated == 0        ? "Training top-1 (%)"
                                          : "Top-1 (%)";
  lines.y.from_zero = false;
  bool spread = false;
  for (const Repeats& repeats : all) {
    Lines::Series series = median_curve(repeats);
    if (validated > 0 && !repeats.validated()) series.label += " (training)";
    spread = spread || !series.spread.empty();
    lines.series.push_back(series);
  }
  if (spread) lines.y.label += ", median and range of the seeds";
  return {
      {"training_curves", "What training reached after each epoch", lines,
       std::string("Top-1 accuracy after each epoch of the runs that differ in nothing but their "
                   "seed: the median of the seeds") +
           (spread ? ", and as a band the range of all." : ".")}};
}

/// The loss at a rate within the curve, which is drawn with straight lines over log(rate).
double loss_at(const std::vector<Lines::Point>& curve, double rate) {
  const auto after = std::find_if(curve.begin(), curve.end(),
                                  [rate](const Lines::Point& point) { return point.x >= rate; });
  if (after == curve.begin()) return curve.front().y;
  if (after == curve.end()) return curve.back().y;
  const auto before = after - 1;
  const double share = std::log(rate / before->x) / std::log(after->x / before->x);
  return before->y + share * (after->y - before->y);
}

/// The highest loss that is drawn. Where the rate is too high, the loss explodes, and would leave
/// no height for what came before.
double highest_shown(const std::vector<Lines::Point>& curve) {
  const auto less = [](const Lines::Point& a, const Lines::Point& b) { return a.y < b.y; };
  const auto lowest = std::min_element(curve.begin(), curve.end(), less);
  return 1.25 * std::max_element(curve.begin(), lowest + 1, less)->y;
}

/// The curve to where it leaves the figure through its top.
std::vector<Lines::Point> below(double top, const std::vector<Lines::Point>& curve) {
  const auto out = std::find_if(curve.begin(), curve.end(),
                                [top](const Lines::Point& point) { return point.y > top; });
  std::vector<Lines::Point> result(curve.begin(), out);
  if (out == curve.begin() || out == curve.end()) return result;
  const Lines::Point& last = result.back();
  const double share = (top - last.y) / (out->y - last.y);
  result.push_back({last.x * std::pow(out->x / last.x, share), top});
  return result;
}

/// The smoothed loss, with that of each batch as a dot.
Lines::Series loss_curve(const Records& records) {
  const CsvFile csv = records.read("lr_range.csv");
  const auto rates = numbers(csv, "lr"), losses = numbers(csv, "loss"),
             smoothed = numbers(csv, "smoothed_loss");
  Lines::Series series{"smoothed", "loss", {}};
  for (size_t i = 0; i < rates.size(); ++i) {
    if (std::isfinite(smoothed[i])) series.points.push_back({rates[i], smoothed[i]});
  }
  if (series.points.empty()) return series;
  const double top = highest_shown(series.points);
  series.points = below(top, series.points);
  size_t left_out = 0;
  for (size_t i = 0; i < rates.size(); ++i) {
    if (losses[i] <= top) {
      series.dots.push_back({rates[i], losses[i]});
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) {
    records.err << "learning_rate: " << left_out << (left_out == 1 ? " batch" : " batches")
                << " with a loss above the figure left out\n";
  }
  return series;
}

std::vector<Figure> learning_rate(const Records& records) {
  const CsvFile suggested = records.read("lr_suggestions.csv");
  const Lines::Series series = loss_curve(records);
  if (series.points.empty()) {
    records.err << "learning_rate: lr_range.csv has no loss\n";
    return {};
  }
  Lines lines;
  lines.x = {"Learning rate", Scale::log};
  lines.y.label = "Training loss (dots: of each batch)";
  lines.y.from_zero = false;
  const auto rules = texts(suggested, "rule");
  const auto rates = numbers(suggested, "lr");
  for (size_t i = 0; i < rules.size(); ++i) {
    lines.marks.push_back({rates[i], loss_at(series.points, rates[i]),
                           fmt::format("{}: {:.2g}", rules[i], rates[i])});
  }
  lines.series.push_back(series);
  return {{"learning_rate", "Loss at growing learning rates, and what it suggests", lines,
           "The range test of Smith (2017): the loss while the rate grows from batch to batch, and "
           "the rates that four rules suggest from it."}};
}

/// The top-1 of one experiment's networks.
struct Transfer {
  using Kind = std::pair<std::string, bool>;  ///< source, tuned
  std::string name, model;
  std::map<Kind, std::map<double, std::vector<double>>> by_cut;
  std::map<double, std::string> stages;  ///< the last that is taken, by cut
  std::map<std::string, double> bases;   ///< by trial
};

std::vector<Transfer> transfers_of(const CsvFile& csv) {
  const auto names = texts(csv, "name"), splits = texts(csv, "split"), seeds = texts(csv, "seed"),
             models = texts(csv, "model"), sources = texts(csv, "source"),
             stages = texts(csv, "stage");
  const auto tuned = integers(csv, "tuned");
  const auto cuts = numbers(csv, "cut"), top1 = numbers(csv, "top1"),
             bases = numbers(csv, "base_top1");
  std::vector<Transfer> all;
  for (size_t i = 0; i < names.size(); ++i) {
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Transfer& one) { return one.name == names[i]; });
    if (found == all.end()) {
      Transfer transfer;
      transfer.name = names[i];
      transfer.model = models[i];
      found = all.insert(all.end(), transfer);
    }
    found->by_cut[{sources[i], tuned[i] != 0}][cuts[i]].push_back(top1[i]);
    found->stages[cuts[i]] = stages[i];
    found->bases[splits[i] + "-" + seeds[i]] = bases[i];
  }
  return all;
}

Lines::Series transfer_line(const std::string& label, const std::string& source,
                            const std::map<double, std::vector<double>>& by_cut) {
  Lines::Series series{label, source, {}};
  for (const auto& [cut, values] : by_cut) {
    const Middle middle = middle_of(values);
    series.points.push_back({cut, middle.median});
    series.spread.push_back(middle.spread);
  }
  return series;
}

Lines::Reference base_line(const Transfer& transfer) {
  std::vector<double> bases;
  for (const auto& [trial, top1] : transfer.bases) bases.push_back(top1);
  const Middle middle = middle_of(bases);
  Lines::Reference base{middle.median, fmt::format("baseB: {:.1f} %", middle.median)};
  if (bases.size() > 1) base.spread = middle.spread;
  return base;
}

/// As in figure 2 of Yosinski et al.
Figure transfer_figure(const Transfer& transfer) {
  Lines lines;
  lines.x.label = "Stages that are taken, and the last of them";
  lines.x.whole = true;
  lines.x.from_zero = false;
  lines.x.names = transfer.stages;
  const size_t trials = transfer.bases.size();
  lines.y.label = "Top-1 on the classes of B (%)";
  if (trials > 1) lines.y.label += fmt::format(", median and range of {} trials", trials);
  lines.y.from_zero = false;
  lines.bars = true;
  const std::pair<const char*, Transfer::Kind> kinds[] = {{"BnB", {"B", false}},
                                                          {"BnB+", {"B", true}},
                                                          {"AnB", {"A", false}},
                                                          {"AnB+", {"A", true}},
                                                          {"random", {"random", false}}};
  for (const auto& [label, kind] : kinds) {
    const auto found = transfer.by_cut.find(kind);
    if (found == transfer.by_cut.end()) continue;
    lines.series.push_back(transfer_line(label, kind.first, found->second));
  }
  lines.groups = {"B", "A", "random"};
  lines.reference = base_line(transfer);
  return {
      "transfer_" + file_name(transfer.name),
      "How well the stages of " + transfer.model + " transfer" +
          (transfer.name == transfer.model ? "" : ": " + transfer.name),
      lines,
      "As figure 2 of Yosinski et al. (2014): top-1 on the classes B of a network whose first "
      "stages are taken from a base trained on B or on other classes A, or are random, and "
      "are frozen, or trained on (+). The dashed line is the base of B itself" +
          std::string(trials > 1 ? "; bars and the grey band are the range of all trials." : ".")};
}

std::vector<Figure> transfer(const Records& records) {
  std::vector<Figure> figures;
  for (const Transfer& one : transfers_of(records.read_models("transfer.csv"))) {
    figures.push_back(transfer_figure(one));
  }
  if (figures.empty()) records.err << "transfer: transfer.csv has no network\n";
  return figures;
}

/// How often the images of each class were taken for each class, in the order of the file.
struct Confusion {
  std::vector<std::string> classes;
  std::map<std::pair<size_t, size_t>, double> images;

  size_t index(const std::string& name) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    const auto place = static_cast<size_t>(found - classes.begin());
    if (found == classes.end()) classes.push_back(name);
    return place;
  }
};

Confusion confusion_of(const CsvFile& csv, const std::string& run) {
  const auto runs = texts(csv, "run"), classes = texts(csv, "class"),
             predicted = texts(csv, "predicted");
  const auto images = numbers(csv, "images");
  Confusion confusion;
  // First those that have images: a class without any comes last.
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i] == run) confusion.index(classes[i]);
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i] != run) continue;
    const size_t row = confusion.index(classes[i]), column = confusion.index(predicted[i]);
    confusion.images[{row, column}] += images[i];
  }
  return confusion;
}

HeatMap heat_map(const Confusion& confusion) {
  const size_t count = confusion.classes.size();
  HeatMap map{confusion.classes, {}, "Class", "Taken for class (percent of the row)"};
  map.shares.assign(count, std::vector<double>(count, 0));
  std::vector<double> totals(count, 0);
  for (const auto& [cell, images] : confusion.images) totals[cell.first] += images;
  for (const auto& [cell, images] : confusion.images) {
    if (totals[cell.first] > 0) map.shares[cell.first][cell.second] = images / totals[cell.first];
  }
  return map;
}

std::vector<Figure> confusion(const Records& records) {
  const CsvFile csv = records.read("confusion.csv");
  const auto runs = texts(csv, "run");
  if (runs.empty()) {
    records.err << "confusion: confusion.csv has no run\n";
    return {};
  }
  const Confusion first = confusion_of(csv, runs[0]);
  if (first.classes.size() > HeatMap::most_labels) {
    records.err << "confusion: " << runs[0] << " tells " << first.classes.size()
                << " classes apart, and a figure shows at most " << HeatMap::most_labels << "\n";
    return {};
  }
  return {
      {"confusion", "What " + runs[0] + " takes each class for", heat_map(first),
       "Percent of the images of each class, by what they were taken for. A row is a class, a "
       "column of the same number what was answered; less than half a percent is only a shade."}};
}

std::vector<Figure> protocols(const Records& records) {
  const auto all = training_groups(records.read_models("runs.csv"));
  if (all.empty()) {
    records.err << "protocols: runs.csv has no run but those of transfer\n";
    return {};
  }
  Dots dots;
  bool seeds = false, alone = false;
  std::set<std::string> datasets;
  for (const TrainingGroup& one : all) datasets.insert(one.dataset);
  for (const TrainingGroup& one : all) {
    const Middle middle = middle_of(one.top1);
    const bool several = one.top1.size() > 1;
    seeds = seeds || several;
    alone = alone || !several;
    const bool finite = std::isfinite(one.low) && std::isfinite(one.high);
    std::optional<Spread> spread;
    if (several) {
      spread = middle.spread;
    } else if (finite) {
      spread = Spread{one.low, one.high};
    }
    if (!std::count(dots.series.begin(), dots.series.end(), one.protocol)) {
      dots.series.push_back(one.protocol);
    }
    dots.rows.push_back(
        {datasets.size() > 1 ? one.name + ", " + one.dataset : one.name,
         one.dataset + " " + one.model,
         {{one.protocol, middle.median, spread, several ? one.top1 : std::vector<double>()}}});
  }
  keep_page(records, "protocols", dots.rows);
  dots.x.label = "Top-1 (%)" + (datasets.size() == 1 ? ", " + *datasets.begin() : "");
  dots.x.from_zero = false;
  return {{"protocols", "What each way of training reached", dots,
           std::string("Top-1 accuracy at the end of training.") +
               (seeds ? " Of several seeds, the median, the range as a bar, and each seed as a "
                        "light dot."
                      : "") +
               (alone ? " Of a single run, the bar is Wilson's 95 % interval for the images that "
                        "were tested: it knows nothing of other seeds."
                      : "")}};
}

}  // namespace

std::vector<RecordFigure> training_figures() {
  return {{"protocols", {"runs.csv"}, protocols},
          {"training_curves", {"epochs.csv"}, training_curves},
          {"learning_rate", {"lr_range.csv", "lr_suggestions.csv"}, learning_rate},
          {"transfer", {"transfer.csv"}, transfer},
          {"confusion", {"confusion.csv"}, confusion}};
}

}  // namespace convscope

#include "suite/records/record_tables.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace convscope {
namespace {

struct Described {
  const char* heading;
  Human human = Human::plain;
};

constexpr Human hidden = Human::none;

/// How people read a column, whichever record has it. One that is not here is shown as it is.
const std::map<std::string, Described>& described() {
  static const std::map<std::string, Described> all = {
      {"activations", {"Activations", Human::count}},
      {"agrees", {"Trials that agree"}},
      {"base_top1", {"Base's top-1 (%)"}},
      {"batch", {"Batch"}},
      {"best_epoch", {"Best epoch"}},
      {"best_val_top1", {"Its validation top-1 (%)"}},
      {"blocks", {"Blocks", hidden}},
      {"bound", {"Bound by"}},
      {"buffers", {"Buffers", hidden}},
      {"bytes", {"Moved", Human::bytes}},
      {"case", {"Case", hidden}},
      {"chance", {"Chance (%)"}},
      {"ci_high_ms", {"to"}},
      {"ci_low_ms", {"from"}},
      {"claim", {"Published finding"}},
      {"class", {"Class"}},
      {"class_name", {"Name"}},
      {"clipped", {"Beyond the image"}},
      {"conv_layers", {"Convolutions", hidden}},
      {"conv_params", {"in convolutions", hidden}},
      {"cut", {"Cut"}},
      {"data", {"Data"}},
      {"data_wait_s", {"Waited for data (s)", hidden}},
      {"dataset", {"Dataset"}},
      {"date", {"Date"}},
      {"deletion", {"Deletion"}},
      {"depth", {"Depth"}},
      {"device", {"Device"}},
      {"device_ms", {"On the device (ms)", hidden}},
      {"dilation", {"Dilation", hidden}},
      {"distance", {"Distance"}},
      {"distance_high", {"to"}},
      {"distance_low", {"from"}},
      {"disturbed", {"Disturbed"}},
      {"disturbed_blocks", {"Disturbed blocks", hidden}},
      {"downsampling", {"Downsampling"}},
      {"efficiency", {"Of attainable"}},
      {"engine", {"Engine"}},
      {"enqueue_share", {"Share enqueueing", hidden}},
      {"env", {"Environment", hidden}},
      {"epoch", {"Epoch"}},
      {"epochs", {"Epochs"}},
      {"erf_share", {"Share of RF's area"}},
      {"erf_side", {"95 % within (pixels)"}},
      {"erf_side_high", {"to"}},
      {"erf_side_low", {"from"}},
      {"first_ms", {"First (ms)", hidden}},
      {"flops", {"FLOPs", Human::count}},
      {"gap", {"Gap"}},
      {"gaussian", {"Gaussian"}},
      {"gb_per_s", {"GB/s"}},
      {"gflop_per_s", {"GFLOP/s"}},
      {"groups", {"Groups"}},
      {"high", {"to"}},
      {"image", {"Image"}},
      {"images", {"Images"}},
      {"images_per_s", {"Images/s"}},
      {"implementation", {"Implementation", hidden}},
      {"in_shape", {"In"}},
      {"index", {"Index"}},
      {"inner_distance", {"Without borders"}},
      {"inner_high", {"to"}},
      {"inner_low", {"from"}},
      {"input", {"Input"}},
      {"intensity", {"FLOPs/byte"}},
      {"iqr_ms", {"IQR (ms)", hidden}},
      {"k", {"Neighbours"}},
      {"kept", {"Kept"}},
      {"kernel", {"Kernel"}},
      {"kind", {"Kind", hidden}},
      {"layer", {"Layer"}},
      {"layout", {"Layout"}},
      {"linear_layers", {"Linear layers", hidden}},
      {"linear_params", {"in linear layers", hidden}},
      {"logit_difference", {"Difference of logits", hidden}},
      {"loss", {"Loss"}},
      {"low", {"from"}},
      {"lr", {"Learning rate"}},
      {"machine", {"Machine", hidden}},
      {"macs", {"MACs", Human::count}},
      {"macs_ratio", {"MACs/standard"}},
      {"meaning", {"Meaning"}},
      {"median_ms", {"Median (ms)"}},
      {"method", {"Method"}},
      {"min_ms", {"Min (ms)"}},
      {"mode", {"Mode"}},
      {"model", {"Network"}},
      {"name", {"Name"}},
      {"network", {"Transferred"}},
      {"norm_layers", {"Normalisations", hidden}},
      {"norm_params", {"in normalisation", hidden}},
      {"notes", {"Notes", hidden}},
      {"op", {"Operator"}},
      {"operator", {"Operator"}},
      {"out_shape", {"Out"}},
      {"output", {"Output", hidden}},
      {"p90_ms", {"p90 (ms)", hidden}},
      {"p95_ms", {"p95 (ms)"}},
      {"p99_ms", {"p99 (ms)"}},
      {"padding", {"Padding"}},
      {"params", {"Params", Human::count}},
      {"peak_activation_bytes", {"Peak", Human::bytes}},
      {"peak_bytes", {"Memory", Human::bytes}},
      {"peak_error_percent", {"Prediction off (%)", hidden}},
      {"peak_share", {"Of peak"}},
      {"points", {"Points"}},
      {"precision", {"Precision"}},
      {"predicted", {"Taken for"}},
      {"predicted_peak_bytes", {"Predicted", Human::bytes}},
      {"probability", {"Probability"}},
      {"probability_change", {"Probability moves by"}},
      {"protocol", {"Protocol"}},
      {"quantity", {"Quantity"}},
      {"query", {"Query"}},
      {"query_class", {"Its class"}},
      {"rank", {"Rank"}},
      {"ratio_high", {"to"}},
      {"ratio_low", {"from"}},
      {"reason", {"Reason", hidden}},
      {"rf", {"RF"}},
      {"rf_aligned", {"Aligned", hidden}},
      {"rf_padding", {"RF padding", hidden}},
      {"rf_stride", {"Stride"}},
      {"right", {"Right"}},
      {"rule", {"Rule"}},
      {"run", {"Run"}},
      {"same_as_built", {"Same class as built (%)"}},
      {"samples", {"Samples"}},
      {"scenario", {"Scenario"}},
      {"second_ms", {"Second (ms)", hidden}},
      {"seconds", {"Seconds"}},
      {"seed", {"Seed"}},
      {"settings", {"Settings", hidden}},
      {"shift", {"Shift"}},
      {"shown", {"Shown"}},
      {"similarity", {"Similarity"}},
      {"skipped", {"Skipped"}},
      {"source", {"From"}},
      {"split", {"Split"}},
      {"spread_percent", {"Spread (%)"}},
      {"stage", {"Last stage"}},
      {"status", {"Status"}},
      {"stride", {"Stride"}},
      {"threads", {"Threads"}},
      {"time_ratio", {"Time/standard"}},
      {"time_share", {"Of time"}},
      {"top1", {"Top-1 (%)"}},
      {"top1_high", {"to"}},
      {"top1_low", {"from"}},
      {"top1_same", {"Same class (%)"}},
      {"top5", {"Top-5 (%)"}},
      {"train_loss", {"Training loss"}},
      {"train_top1", {"Training top-1 (%)"}},
      {"trials", {"Trials"}},
      {"tuned", {"Tuned"}},
      {"unit", {"Unit"}},
      {"val_loss", {"Validation loss"}},
      {"val_top1", {"Validation top-1 (%)"}},
      {"val_top5", {"Validation top-5 (%)", hidden}},
      {"value", {"Value"}},
      {"variant", {"Variant", hidden}},
      {"warmup_samples", {"Warm-up samples", hidden}},
      {"weight_bytes", {"Weights", Human::bytes}},
      {"weights", {"Weights"}},
      {"width", {"Width (pixels)"}},
      {"width_high", {"to"}},
      {"width_low", {"from"}},
      {"workers", {"Workers", hidden}},
  };
  return all;
}

template <size_t n>
bool is_one_of(const char* const (&names)[n], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

/// What tells cases apart, and is worth a sentence where it is the same in all of them.
bool is_setting(const std::string& column) {
  static const char* const settings[] = {
      "batch", "data", "dataset",   "device",   "engine",   "input", "layout", "mode",
      "model", "name", "precision", "protocol", "scenario", "seed",  "split",  "threads"};
  return is_one_of(settings, column);
}

template <class Number>
std::optional<Number> parsed(const std::string& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

enum class Kind { integer, number, text };

Kind kind_of(const CsvFile& csv, size_t column) {
  Kind kind = Kind::integer;
  for (const CsvRow& row : csv.rows) {
    const std::string& text = row.fields[column];
    if (text.empty()) continue;
    if (kind == Kind::integer && !parsed<int64_t>(text)) kind = Kind::number;
    if (kind == Kind::number && !parsed<double>(text)) return Kind::text;
  }
  return kind;
}

Cell cell_of(const std::string& text, Kind kind) {
  if (text.empty()) return {};
  if (kind == Kind::integer) return *parsed<int64_t>(text);
  if (kind == Kind::number) return *parsed<double>(text);
  return text;
}

bool all_same(const CsvFile& csv, size_t column) {
  return std::all_of(csv.rows.begin(), csv.rows.end(), [&](const CsvRow& row) {
    return row.fields[column] == csv.rows[0].fields[column];
  });
}

/// Whether people need the column: not where it is empty, nor "ok" or "false" in each row.
bool says_something(const CsvFile& csv, size_t column) {
  if (csv.rows.empty()) return true;
  const std::string& first = csv.rows[0].fields[column];
  const bool dull = first.empty() || ((csv.columns[column] == "status" && first == "ok") ||
                                      (csv.columns[column] == "disturbed" && first == "false"));
  return !dull || !all_same(csv, column);
}

}  // namespace

RecordTable record_table(const CsvFile& csv) {
  RecordTable result;
  for (size_t c = 0; c < csv.columns.size(); ++c) {
    const std::string& name = csv.columns[c];
    const auto known = described().find(name);
    TableColumn column{name, name};
    if (known != described().end()) {
      column.heading = known->second.heading;
      column.human = known->second.human;
    }
    if (!says_something(csv, c)) column.human = Human::none;
    // The first column names the row.
    const bool common = csv.rows.size() > 1 && c > 0 && is_setting(name) && all_same(csv, c);
    if (common && column.human != Human::none) {
      column.human = Human::none;
      result.common += (result.common.empty() ? "" : ", ") + name + " " + csv.rows[0].fields[c];
    }
    result.table.columns.push_back(column);
  }
  result.table.rows.resize(csv.rows.size());
  for (size_t c = 0; c < csv.columns.size(); ++c) {
    const Kind kind = kind_of(csv, c);
    for (size_t r = 0; r < csv.rows.size(); ++r) {
      result.table.rows[r].push_back(cell_of(csv.rows[r].fields[c], kind));
    }
  }
  return result;
}

/// Whether each network has one input, so that its name says it.
bool inputs_are_of_models(const Table& table) {
  const auto place = [&](const char* name) {
    return std::find_if(table.columns.begin(), table.columns.end(),
                        [&](const TableColumn& column) { return column.name == name; }) -
           table.columns.begin();
  };
  const auto model = static_cast<size_t>(place("model")),
             input = static_cast<size_t>(place("input"));
  if (model >= table.columns.size() || input >= table.columns.size()) return false;
  std::map<std::string, std::string> inputs;
  return std::all_of(table.rows.begin(), table.rows.end(), [&](const std::vector<Cell>& row) {
    return inputs.emplace(raw_text(row[model]), raw_text(row[input])).first->second ==
           raw_text(row[input]);
  });
}

Table for_paper(const Table& table) {
  static const char* const left_out[] = {"best_epoch",  "best_val_top1",
                                         "dataset",     "date",
                                         "depth",       "disturbed",
                                         "epochs",      "flops",
                                         "gflop_per_s", "kept",
                                         "loss",        "meaning",
                                         "min_ms",      "notes",
                                         "p",           "p95_ms",
                                         "p99_ms",      "peak_activation_bytes",
                                         "peak_bytes",  "predicted_peak_bytes",
                                         "protocol",    "reason",
                                         "rf_stride",   "samples",
                                         "seconds",     "settings",
                                         "status",      "top5",
                                         "weight_bytes"};
  static const std::map<std::string, std::pair<std::string, std::string>> intervals = {
      {"median_ms", {"ci_low_ms", "ci_high_ms"}},
      {"top1", {"top1_low", "top1_high"}},
      {"top1_same", {"top1_low", "top1_high"}},
      {"distance", {"distance_low", "distance_high"}},
      {"inner_distance", {"inner_low", "inner_high"}},
      {"ratio", {"ratio_low", "ratio_high"}},
      {"time_ratio", {"ratio_low", "ratio_high"}},
      {"points", {"low", "high"}}};
  std::map<std::string, size_t> places;
  for (size_t c = 0; c < table.columns.size(); ++c) places[table.columns[c].name] = c;
  const bool one_input = inputs_are_of_models(table);
  Table paper;
  paper.rows.resize(table.rows.size());
  std::set<std::string> joined_up;
  for (const auto& [name, ends] : intervals) {
    if (!places.count(name) || !places.count(ends.first)) continue;
    joined_up.insert(ends.first);
    joined_up.insert(ends.second);
  }
  for (const TableColumn& column : table.columns) {
    if (column.name == "input" && one_input) continue;
    if (column.human == Human::none || is_one_of(left_out, column.name) ||
        joined_up.count(column.name)) {
      continue;
    }
    const size_t at = places[column.name];
    const auto ends = intervals.find(column.name);
    const bool with_interval = ends != intervals.end() && joined_up.count(ends->second.first) > 0;
    paper.columns.push_back(column);
    if (with_interval) paper.columns.back().align = Align::right;
    for (size_t r = 0; r < table.rows.size(); ++r) {
      const std::vector<Cell>& row = table.rows[r];
      Cell cell = row[at];
      const auto end = [&](const std::string& name) {
        return human_text(row[places.at(name)], Human::plain);
      };
      if (with_interval && !end(ends->second.first).empty()) {
        cell = human_text(cell, column.human) + " (" + end(ends->second.first) + " to " +
               end(ends->second.second) + ")";
      }
      paper.rows[r].push_back(cell);
    }
  }
  return paper;
}

const std::vector<ReportedRecord>& reported_records() {
  static const std::vector<ReportedRecord> all = {
      {"cost.csv", "What each network costs for one image: exact counts."},
      {"bench.csv",
       "What each case takes: the median of all samples with its 95 % interval, from the medians "
       "of the repetitions."},
      {"bench_operators.csv",
       "One layer's work done by different operators, against a standard convolution."},
      {"evaluation.csv", "Accuracy of networks with weights, with Wilson's 95 % intervals."},
      {"runs.csv", "Where each training run ended, with Wilson's 95 % interval of its top-1."},
      {"transfer_findings.csv",
       "What was published of transfer, and whether these trials agree: the median difference of "
       "the trials, and its range."},
      {"transfer.csv", "Top-1 of every transferred network."},
      {"classes.csv", "Accuracy by class."},
      {"neighbours_accuracy.csv",
       "How often the class that most of an image's nearest neighbours are of is its own, with "
       "Wilson's 95 % intervals; chance is to guess the largest class always."},
      {"erf.csv",
       "How much of its receptive field the unit in the middle of each layer uses: medians over "
       "the images with their 95 % intervals."},
      {"saliency.csv",
       "The area below the deletion curve of each method, image and class: less is more "
       "faithful."},
      {"shift.csv",
       "How far feature maps and answers move when the image does: means over images with 95 % "
       "intervals."},
      {"lr_suggestions.csv", "Learning rates that the range test suggests."},
      {"calibration.csv", "What the machine can do."},
      {"bench_layers.csv", "Where the time goes, layer by layer."},
      {"neighbours.csv", "The nearest images by the cosine of their features, for each query."},
      {"epochs.csv", "Each epoch of each run."},
      {"layers.csv", "Each operation of each network, in the order of execution."},
  };
  return all;
}

}  // namespace convscope

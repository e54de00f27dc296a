#include "suite/commands/training_data.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "architectures/nearest.h"
#include "suite/commands/network_options.h"
#include "suite/data/subset.h"

namespace convscope {
namespace {

/// The place of a class that is called by its name or its number.
std::optional<int64_t> place_of(const std::string& word, const std::vector<std::string>& classes) {
  const auto found = std::find(classes.begin(), classes.end(), word);
  if (found != classes.end()) return found - classes.begin();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  if (!whole || number < 0 || number >= static_cast<int64_t>(classes.size())) return std::nullopt;
  return number;
}

}  // namespace

void add_training_data_options(po::options_description& options) {
  options.add_options()  //
      ("only-classes", list_value(),
       "train and judge on these classes of the data, by name or number: cat,dog or 0-4")(
          "per-class", text_value(),
          "no more than so many training images of each class, chosen by --seed");
}

std::vector<int64_t> classes_named(const Invocation& invocation, const std::string& option,
                                   const std::vector<std::string>& classes) {
  std::vector<int64_t> labels;
  if (invocation.list(option).empty()) {
    for (size_t i = 0; i < classes.size(); ++i) labels.push_back(static_cast<int64_t>(i));
  }
  for (const std::string& word : invocation.list(option)) {
    const size_t dash = word.find('-', 1);
    const auto one = place_of(word, classes);
    if (one) {
      labels.push_back(*one);
      continue;
    }
    const auto first =
        dash == std::string::npos ? std::nullopt : place_of(word.substr(0, dash), classes);
    const auto last = first ? place_of(word.substr(dash + 1), classes) : std::nullopt;
    if (!last || *last < *first) {
      throw UsageError("--" + option + ": the data have no class '" + word + "'" +
                       did_you_mean(word, classes));
    }
    for (int64_t label = *first; label <= *last; ++label) labels.push_back(label);
  }
  std::vector<int64_t> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    throw UsageError("--" + option + " names a class twice");
  }
  return labels;
}

TrainingData training_data(const Invocation& invocation, const WeightedNetwork& network) {
  const auto splits = splits_of_data(invocation, network);
  const auto open = [&](const std::string& split) -> std::shared_ptr<const Dataset> {
    if (!std::count(splits.begin(), splits.end(), split)) return nullptr;
    std::shared_ptr<const Dataset> dataset =
        open_split(invocation, network, split, /*same_classes=*/false);
    if (invocation.flag("skip-broken")) {
      for (const Skipped& one : dataset->skipped()) {
        invocation.err << "skipped " << one.name << ": " << one.reason << "\n";
      }
    }
    return kept_decoded(dataset);
  };
  TrainingData data;
  data.train = open("train");
  if (!data.train) throw UsageError(invocation.text("data") + " has no training images");
  data.validation = open("val");
  data.test = open("test");
  data.name = std::filesystem::path(invocation.text("data")).filename().string();
  if (data.name.empty()) data.name = invocation.text("data");
  data.fingerprint = fingerprint_of_split(invocation, network, "train");
  return data;
}

TrainingData part_of(const TrainingData& whole, const std::vector<int64_t>& classes,
                     std::optional<int64_t> per_class, uint64_t seed) {
  TrainingData part = whole;
  part.train = subset(whole.train, classes, per_class, seed);
  const auto judged = [&](const std::shared_ptr<const Dataset>& of) {
    if (!of) return of;
    std::shared_ptr<const Dataset> some = subset(of, classes);
    if (some->size() > 0) return some;
    throw UsageError("the validation or test images have none of these classes");
  };
  part.validation = judged(whole.validation);
  part.test = judged(whole.test);
  std::ostringstream text;
  text << whole.fingerprint << " classes";
  for (const int64_t label : classes) text << ' ' << label;
  text << " per class " << per_class.value_or(0) << ' ' << seed;
  part.fingerprint = text.str();
  return part;
}

std::optional<int64_t> per_class(const Invocation& invocation) {
  if (invocation.text("per-class").empty()) return std::nullopt;
  return positive_integer(invocation, "per-class");
}

Speed training_speed(const Invocation& invocation, const WeightedNetwork& network) {
  Speed chosen = speed(invocation, network);
  if (invocation.text("batch").empty()) chosen.batch = 32;
  // A worker beside as many threads as there are cores: it has little to do, and a step that waits
  // for its images waits on all cores (measured on two: 46 images/s against 37).
  if (invocation.text("workers").empty() && chosen.workers == 0) chosen.workers = 1;
  return chosen;
}

}  // namespace convscope

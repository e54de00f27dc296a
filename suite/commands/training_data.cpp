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

/// Images of this size and below are kept decoded.
constexpr int64_t small_side = 64;

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
  for (const std::string& word : invocation.list(option)) {
    const size_t dash = word.find('-', 1);
    const auto one = place_of(word, classes);
    if (one) {
      labels.push_back(*one);
      continue;
    }
    const auto first = dash == std::string::npos ? std::nullopt
                                                 : place_of(word.substr(0, dash), classes);
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

TrainingData training_data(const Invocation& invocation, const WeightedNetwork& network,
                           const WantedImages& wanted) {
  const auto splits = splits_of_data(invocation, network);
  const ImageShape& shape = network.fit.settings.image;
  const auto open = [&](const std::string& split) -> std::shared_ptr<const Dataset> {
    if (!std::count(splits.begin(), splits.end(), split)) return nullptr;
    std::shared_ptr<const Dataset> dataset =
        open_split(invocation, network, split, /*same_classes=*/false);
    std::vector<int64_t> classes = wanted.classes;
    const bool limited = split == "train" && wanted.per_class;
    if (!classes.empty() || limited) {
      for (size_t i = 0; classes.size() < dataset->classes().size() && wanted.classes.empty(); ++i) {
        classes.push_back(static_cast<int64_t>(i));
      }
      dataset = subset(dataset, classes, limited ? wanted.per_class : std::nullopt, wanted.seed);
    }
    if (std::max(shape.height, shape.width) <= small_side) dataset = kept_decoded(dataset);
    return dataset;
  };
  TrainingData data;
  data.train = open("train");
  if (!data.train) throw UsageError(invocation.text("data") + " has no training images");
  data.validation = open("val");
  data.test = open("test");
  data.name = std::filesystem::path(invocation.text("data")).filename().string();
  if (data.name.empty()) data.name = invocation.text("data");
  std::ostringstream text;
  text << fingerprint_of_split(invocation, network, "train") << " classes";
  for (const int64_t label : wanted.classes) text << ' ' << label;
  text << " per class " << wanted.per_class.value_or(0) << ' ' << wanted.seed;
  data.fingerprint = text.str();
  return data;
}

Speed training_speed(const Invocation& invocation, const WeightedNetwork& network) {
  Speed chosen = speed(invocation, network);
  if (invocation.text("batch").empty()) chosen.batch = 32;
  return chosen;
}

}  // namespace convscope

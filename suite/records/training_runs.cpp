#include "suite/records/training_runs.h"

#include <algorithm>
#include <cmath>
#include <regex>

namespace convscope {

bool is_of_transfer(const std::string& protocol) {
  static const std::regex network(R"(base[AB]|[ABR][0-9]+B\+?)");
  return std::regex_match(protocol, network);
}

std::string without_seed(const std::string& run, const std::string& seed) {
  const std::string end = "-" + seed;
  const bool ends =
      run.size() > end.size() && run.compare(run.size() - end.size(), std::string::npos, end) == 0;
  return ends ? run.substr(0, run.size() - end.size()) : run;
}

std::vector<TrainingGroup> training_groups(const CsvFile& csv) {
  const auto runs = texts(csv, "run"), models = texts(csv, "model"),
             datasets = texts(csv, "dataset"), protocols = texts(csv, "protocol"),
             seeds = texts(csv, "seed");
  const auto top1 = numbers(csv, "top1"), low = numbers(csv, "top1_low"),
             high = numbers(csv, "top1_high");
  std::vector<TrainingGroup> all;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (is_of_transfer(protocols[i]) || !std::isfinite(top1[i])) continue;
    const std::string name = without_seed(runs[i], seeds[i]);
    auto found = std::find_if(all.begin(), all.end(), [&](const TrainingGroup& one) {
      return one.name == name && one.dataset == datasets[i];
    });
    if (found == all.end()) {
      found = all.insert(all.end(), {name, protocols[i], models[i], datasets[i], {}, 0, 0});
    }
    found->top1.push_back(top1[i]);
    found->low = low[i];
    found->high = high[i];
  }
  return all;
}

}  // namespace convscope

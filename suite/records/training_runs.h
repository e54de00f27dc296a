// The runs of runs.csv that differ only in their seed, together.
#pragma once

#include <string>
#include <vector>

#include "suite/report/csv_file.h"

namespace convscope {

struct TrainingGroup {
  std::string name, protocol, model, dataset;
  std::vector<double> top1;  ///< percent, of each seed
  double low, high;          ///< Wilson's 95 % interval of the last run
};

/// In the order of the file, without those of `transfer`.
std::vector<TrainingGroup> training_groups(const CsvFile& runs);

/// Whether a protocol is one of `transfer`'s networks: "baseA", "B3B+".
bool is_of_transfer(const std::string& protocol);

/// "lenet5-scratch" of "lenet5-scratch-2": what the runs of several seeds share.
std::string without_seed(const std::string& run, const std::string& seed);

}  // namespace convscope

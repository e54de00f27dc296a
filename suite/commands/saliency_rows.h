// What `saliency` found: its records, and the table that people read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/commands/subject.h"
#include "suite/interpretation/saliency.h"
#include "suite/report/csv_file.h"
#include "suite/report/table.h"

namespace convscope {

/// What one method says of one image for one class; without a method, why nothing is said.
struct SaliencyRow {
  std::string image;  ///< its path
  int64_t class_index = 0;
  std::string class_name;
  double probability = 0;  ///< of the class
  const SaliencyMethod* method = nullptr;
  std::vector<double> deletion;
  double gap = 0;  ///< NaN where the method has none
  std::string reason;
};

/// saliency.csv and deletion.csv: a row for each image, class and method, and one for each point of
/// its curve. Rows of other networks, weights, sizes and images stay.
class SaliencyRecords {
 public:
  SaliencyRecords(const Invocation& invocation, const Subject& subject,
                  const std::vector<std::filesystem::path>& images);
  void add(const SaliencyRow& row);

 private:
  void write(CsvWriter& writer, std::vector<Cell> row) const;

  std::vector<std::string> network_;
  std::unique_ptr<CsvWriter> maps_, curves_;
};

/// A row for each method: medians over the images, of which each has the mean of its classes.
Table saliency_summary(const std::vector<SaliencyRow>& rows,
                       const std::vector<const SaliencyMethod*>& methods);

}  // namespace convscope

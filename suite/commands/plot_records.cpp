#include "suite/commands/plot_records.h"

#include <algorithm>
#include <ostream>

namespace convscope {

CsvFile Records::read(const std::string& file) const {
  CsvFile csv = read_csv(folder / file);
  if (csv.dropped_bytes > 0) err << csv.path.string() << ": left out a torn last row\n";
  return csv;
}

CsvFile Records::read(const std::string& file, const std::set<std::string>& only) const {
  CsvFile csv = read(file);
  const size_t model = column_index(csv, "model");
  csv.rows.erase(std::remove_if(csv.rows.begin(), csv.rows.end(),
                                [&](const CsvRow& row) {
                                  return !only.empty() && !only.count(row.fields[model]);
                                }),
                 csv.rows.end());
  return csv;
}

}  // namespace convscope

// A CSV record as a table for people: headings with units, numbers as they are read, and of the
// columns that say the same in each row only a sentence.
#pragma once

#include <string>
#include <vector>

#include "suite/report/csv_file.h"
#include "suite/report/table.h"

namespace convscope {

struct RecordTable {
  Table table;         ///< all columns of the record, in its order
  std::string common;  ///< "device cpu, threads 1": of each row, and so not among those shown
};

/// Numbers are numbers where the whole column is, so that they sort as such.
RecordTable record_table(const CsvFile& csv);

/// The table as a page of a paper has room for it: without what explains or can be worked out, and
/// intervals behind their values: "44.5 (43.9 to 45.4)".
Table for_paper(const Table& table);

/// A record that a report shows, and what it holds.
struct ReportedRecord {
  std::string file, caption;
};
const std::vector<ReportedRecord>& reported_records();

}  // namespace convscope

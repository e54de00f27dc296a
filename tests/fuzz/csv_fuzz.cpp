// CSV files of any bytes: rows, each as long as the header, or one sentence that names the file;
// and a column is numbers or one such sentence. Here rows are read as read_csv() does it: twice
// would take twice the time, most of which is the line reader's large buffer under the sanitizers.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "suite/report/csv_file.h"
#include "tests/report/temporary_folder.h"

namespace {

template <class Function>
std::string sentence_of(const std::string& path, Function function) {
  std::string said = convscope::message_of<std::runtime_error>(function);
  if (said.empty()) return said;
  if (said.find(path) == std::string::npos || said.find('\n') != std::string::npos) std::abort();
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convscope;
  static const TemporaryFolder folder;
  const std::filesystem::path path = folder.path / "x.csv";
  put(path, {data, data + size});

  CsvFile file;
  const std::string wrong = sentence_of(path, [&] {
    CsvReader reader(path);
    file = reader.file();
    for (CsvRow row; reader.next(row);) file.rows.push_back(row);
  });
  if (!wrong.empty()) return 0;

  int64_t line = 1;
  for (const CsvRow& row : file.rows) {
    if (row.fields.size() != file.columns.size() || row.line <= line) std::abort();
    line = row.line;
  }
  for (const std::string& column : {file.columns.front(), file.columns.back()}) {
    sentence_of(path, [&] {
      if (numbers(file, column).size() != file.rows.size()) std::abort();
    });
    sentence_of(path, [&] {
      if (integers(file, column).size() != file.rows.size()) std::abort();
    });
  }
  return 0;
}

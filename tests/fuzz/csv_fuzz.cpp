// CSV files of any bytes: both readers give the same rows, each as long as the header, or the same
// sentence, which names the file; and a column is numbers or one sentence.
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
  const std::string said = convscope::message_of<std::runtime_error>(function);
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

  CsvFile whole;
  std::vector<CsvRow> rows;
  const std::string wrong = sentence_of(path, [&] { whole = read_csv(path); });
  const std::string wrong_row = sentence_of(path, [&] {
    CsvReader reader(path);
    for (CsvRow row; reader.next(row);) rows.push_back(row);
  });
  if (wrong != wrong_row) std::abort();
  if (!wrong.empty()) return 0;

  if (rows.size() != whole.rows.size()) std::abort();
  int64_t line = 1;
  for (size_t r = 0; r < rows.size(); ++r) {
    const CsvRow& row = whole.rows[r];
    if (row.fields != rows[r].fields || row.fields.size() != whole.columns.size()) std::abort();
    if (row.line <= line) std::abort();
    line = row.line;
  }
  for (const std::string& column : {whole.columns.front(), whole.columns.back()}) {
    sentence_of(path, [&] {
      if (numbers(whole, column).size() != rows.size()) std::abort();
    });
    sentence_of(path, [&] {
      if (integers(whole, column).size() != rows.size()) std::abort();
    });
  }
  return 0;
}

// The master record of every measurement: CSV files that lose nothing finished when a run is
// killed, and that say where they are wrong when they are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "suite/report/table.h"

namespace io {
class LineReader;
}

namespace convscope {

/// What to do with a file that is there already.
enum class Existing { replace, append };

/// Appends rows to a CSV file, each in one write, so that another process or a later run sees a row
/// whole or not at all. What was written survives the end of this process; there is no fsync, so a
/// power cut may take the last rows.
class CsvWriter {
 public:
  /// Creates the folders and writes the header. With Existing::append, a file that has rows is
  /// continued: its header must be `columns`, and a last row that a killed run left torn (no line
  /// feed, or another number of fields) is removed; see dropped_bytes().
  /// Throws std::runtime_error, with the path and the reason, if the file cannot be written or its
  /// header differs, and std::invalid_argument for a header with an empty or repeated name.
  CsvWriter(const std::filesystem::path& path, std::vector<std::string> columns, Existing existing);
  ~CsvWriter();
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  /// Writes one row. Throws std::invalid_argument if the number of cells differs from the header's
  /// or a text contains a line break, and std::runtime_error if the disk is full or fails; the file
  /// then ends with the row before.
  void write(const std::vector<Cell>& row);

  /// The size of the torn last row that opening the file removed; 0 if there was none.
  int64_t dropped_bytes() const { return dropped_bytes_; }

  const std::filesystem::path& path() const { return path_; }

 private:
  void continue_file();
  void write_line(std::string line);

  std::filesystem::path path_;
  std::vector<std::string> columns_;
  int file_ = -1;
  int64_t dropped_bytes_ = 0;
};

struct CsvRow {
  int64_t line;                     ///< in the file, from 1
  std::vector<std::string> fields;  ///< without their quotes
};

/// A CSV file as it was read. Rows may be erased or sorted: each knows its line.
struct CsvFile {
  std::filesystem::path path;
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;   ///< each as long as `columns`
  int64_t dropped_bytes = 0;  ///< the torn last row, left out of `rows`
};

/// Reads a CSV file with a header row by row: a file of any size takes the memory of one row and
/// of a fixed buffer. A byte order mark and CRLF, as spreadsheets write them, are read; empty
/// lines are skipped. A last line without its line feed is a row that was being written: it is left
/// out and counted in `dropped_bytes`, which is known from the start.
class CsvReader {
 public:
  /// Reads the header. Both this and next() throw std::runtime_error that names the file, and the
  /// line where there is one: if the file cannot be read, is empty, has a zero byte (as what is no
  /// text has), a column twice, a row with another number of fields, a quote that does not end
  /// within its line, or a line of 16 MiB or more.
  explicit CsvReader(const std::filesystem::path& path);
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  /// The file without its rows.
  const CsvFile& file() const { return file_; }

  /// Puts the next row in the place of `row`; false after the last.
  bool next(CsvRow& row);

 private:
  CsvFile file_;
  std::unique_ptr<io::LineReader> lines_;
};

/// Reads all rows of a CSV file, as CsvReader does.
CsvFile read_csv(const std::filesystem::path& path);

/// The place of a column. Throws std::runtime_error that names the file and lists its columns.
size_t column_index(const CsvFile& file, const std::string& column);

/// A column's values. `integers` wants an integer in each row; `numbers` gives NaN for an empty
/// field, and takes "nan", "inf" and "-inf"; the decimal point is a point in every locale. Both
/// throw std::runtime_error that names file, line, column, and the text found.
std::vector<std::string> texts(const CsvFile& file, const std::string& column);
std::vector<int64_t> integers(const CsvFile& file, const std::string& column);
std::vector<double> numbers(const CsvFile& file, const std::string& column);

}  // namespace convscope

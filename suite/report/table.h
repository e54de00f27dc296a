// The table that every command prints. A column is declared once, as a row of names and a getter,
// and serves the five output formats and the CSV file; so no two lists have to agree.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace convscope {

/// One value of a result. std::monostate: there is none (a failed case, or it does not apply).
using Cell = std::variant<std::monostate, std::string, int64_t, double, bool>;

/// How people read a column. Files always hold the raw value.
enum class Human {
  none,   ///< not among the columns shown to people
  plain,  ///< text as it is; integers in full; other numbers with 4 significant digits
  count,  ///< 456, 62.0 k, 25.56 M: in full below 10,000, 3 digits for thousands and 4 above
  bytes,  ///< 97.5 MiB: 3 digits, powers of 1024
};

enum class Align { by_type, left, right };  ///< by_type: columns of numbers to the right

struct TableColumn {
  std::string name;     ///< as in the CSV contract, with the unit: "latency_ms"
  std::string heading;  ///< for people: "Latency (ms)"
  Human human = Human::plain;
  Align align = Align::by_type;
};

struct Table {
  std::vector<TableColumn> columns;
  std::vector<std::vector<Cell>> rows;  ///< each as long as `columns`
};

/// A column of a table whose rows are `Row`s:
/// `{"params", "Params", Human::count, [](const CostRow& r) { return Cell(r.params); }}`.
template <class Row>
struct Column {
  std::string name;
  std::string heading;
  Human human;
  std::function<Cell(const Row&)> get;
  Align align = Align::by_type;
};

/// The names, as the header of a CSV file.
template <class Row>
std::vector<std::string> column_names(const std::vector<Column<Row>>& columns) {
  std::vector<std::string> names;
  for (const Column<Row>& column : columns) names.push_back(column.name);
  return names;
}

inline std::vector<std::string> column_names(const Table& table) {
  std::vector<std::string> names;
  for (const TableColumn& column : table.columns) names.push_back(column.name);
  return names;
}

/// One row's cells, as a line of a CSV file or of a table.
template <class Row>
std::vector<Cell> cells(const std::vector<Column<Row>>& columns, const Row& row) {
  std::vector<Cell> values;
  values.reserve(columns.size());
  for (const Column<Row>& column : columns) values.push_back(column.get(row));
  return values;
}

template <class Row>
Table make_table(const std::vector<Column<Row>>& columns, const std::vector<Row>& rows) {
  Table table;
  for (const Column<Row>& c : columns)
    table.columns.push_back({c.name, c.heading, c.human, c.align});
  for (const Row& row : rows) table.rows.push_back(cells(columns, row));
  return table;
}

/// Whether people see the column aligned to the right: as it says, or if all it holds is numbers.
bool to_right(const Table& table, size_t column);

/// What a person reads: "25.56 M", "97.5 MiB", "yes"; nothing for an empty cell. Text is made
/// printable. `human` none is treated as plain.
std::string human_text(const Cell& cell, Human human);

/// What a file holds: integers in full, doubles in the shortest form that reads back to the same
/// value ("nan", "inf" where they are that), true and false, nothing for an empty cell.
std::string raw_text(const Cell& cell);

/// The cells as one line of CSV without its end: RFC 4180, quoted only where needed.
std::string csv_line(const std::vector<Cell>& cells);
std::string csv_line(const std::vector<std::string>& fields);

enum class Format { table, csv, json, md, latex };

/// "table", "csv", "json", "md" or "latex". Throws std::invalid_argument that lists these.
Format parse_format(const std::string& text);

/// Prints a table.
/// - table: the columns for people, aligned, "-" for an empty cell; `bold_header` when a terminal
///   is known to read it.
/// - csv: all columns, raw values. Lines end in a line feed alone, which RFC 4180's readers accept
///   and line-based tools expect.
/// - json: all columns, an array of objects, null for an empty cell and for nan and inf.
/// - md: the columns for people, GitHub's flavour.
/// - latex: the columns for people, a tabular that needs the package booktabs. pdflatex prints what
///   its fonts lack as [U+4E2D]; lualatex and xelatex only what the document's font lacks.
///
/// Throws std::invalid_argument if a row is not as long as `columns`, std::runtime_error if `out`
/// fails.
void write(const Table& table, Format format, std::ostream& out, bool bold_header = false);

}  // namespace convscope

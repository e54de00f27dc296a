#include "suite/report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <string_view>

#include "suite/report/text.h"

namespace convscope {
namespace {

// `digits` significant digits, the zeros kept ("62.0"), never an exponent. `value` is in [1, 1e4).
std::string with_digits(double value, int digits) {
  const int before_point = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : 4;
  return fmt::format("{:.{}f}", value, std::max(0, digits - before_point));
}

struct Prefix {
  const char* unit;
  int digits;
};

// Published tables tell the ResNets apart by the fourth digit of their millions; below a million
// three digits are as many as anybody compares.
constexpr Prefix count_prefixes[] = {{" k", 3}, {" M", 4}, {" G", 4}, {" T", 4}, {" P", 4}};
constexpr Prefix byte_prefixes[] = {
    {" KiB", 3}, {" MiB", 3}, {" GiB", 3}, {" TiB", 3}, {" PiB", 3}};

template <size_t n>
std::string with_prefix(double magnitude, double base, const Prefix (&prefixes)[n]) {
  for (size_t i = 0; i < n; ++i) {
    magnitude /= base;
    const std::string text = with_digits(magnitude, prefixes[i].digits);
    double printed = 0;
    std::from_chars(text.data(), text.data() + text.size(), printed);
    // Rounding can carry into the next unit: 999,999 is 1.000 M, not 1000 k.
    if (i + 1 == n || printed < base) return text + prefixes[i].unit;
  }
  return {};
}

std::string plain_number(double value) {
  if (std::abs(value) >= 1000 && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string human_number(double value, bool is_integer, Human human) {
  const double magnitude = std::abs(value);
  const std::string sign = value < 0 ? "-" : "";
  if (human == Human::count && magnitude >= 1e4 && std::isfinite(value))
    return sign + with_prefix(magnitude, 1000, count_prefixes);
  if (human == Human::bytes && std::isfinite(value)) {
    if (magnitude >= 1024) return sign + with_prefix(magnitude, 1024, byte_prefixes);
    return fmt::format("{:.0f} B", value);
  }
  return is_integer ? fmt::format("{:.0f}", value) : plain_number(value);
}

bool is_number(const Cell& cell) {
  return std::holds_alternative<int64_t>(cell) || std::holds_alternative<double>(cell);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

template <class Field, class ToText>
std::string joined_csv(const std::vector<Field>& fields, ToText to_text) {
  std::string line;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    line += csv_field(to_text(fields[i]));
  }
  // One empty field would be an empty line, which readers skip.
  return fields.size() == 1 && line.empty() ? "\"\"" : line;
}

/// The part of a table that people see, as text.
struct Shown {
  std::vector<std::string> headings;
  std::vector<bool> to_right;
  std::vector<std::vector<std::string>> rows;
};

// `text` escapes a heading or a cell for the format; its second argument says that it is a number.
template <class ToText>
Shown shown(const Table& table, const ToText& text) {
  Shown result;
  result.rows.resize(table.rows.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const TableColumn& column = table.columns[c];
    if (column.human == Human::none) continue;
    for (size_t r = 0; r < table.rows.size(); ++r) {
      const Cell& cell = table.rows[r][c];
      result.rows[r].push_back(std::holds_alternative<std::monostate>(cell)
                                   ? "-"
                                   : text(human_text(cell, column.human), is_number(cell)));
    }
    result.headings.push_back(text(printable(column.heading), false));
    result.to_right.push_back(to_right(table, c));
  }
  return result;
}

std::vector<size_t> column_widths(const Shown& table) {
  std::vector<size_t> widths;
  for (size_t c = 0; c < table.headings.size(); ++c) {
    size_t width = display_width(table.headings[c]);
    for (const auto& row : table.rows) width = std::max(width, display_width(row[c]));
    widths.push_back(width);
  }
  return widths;
}

std::string padded(const std::string& text, size_t width, bool to_right) {
  const std::string space(width - std::min(width, display_width(text)), ' ');
  return to_right ? space + text : text + space;
}

void write_plain(const Table& table, std::ostream& out, bool bold_header) {
  const Shown text = shown(table, [](const std::string& t, bool) { return t; });
  const std::vector<size_t> widths = column_widths(text);
  const auto line = [&](const std::vector<std::string>& fields) {
    std::string joined;
    for (size_t c = 0; c < fields.size(); ++c)
      joined += (c > 0 ? "  " : "") + padded(fields[c], widths[c], text.to_right[c]);
    return joined.substr(0, joined.find_last_not_of(' ') + 1);
  };
  std::vector<std::string> rule;
  for (const size_t width : widths) rule.emplace_back(width, '-');
  const std::string header = line(text.headings);
  out << (bold_header ? "\x1b[1m" + header + "\x1b[0m" : header) << '\n' << line(rule) << '\n';
  for (const auto& row : text.rows) out << line(row) << '\n';
}

void write_csv(const Table& table, std::ostream& out) {
  std::vector<std::string> names;
  for (const TableColumn& column : table.columns) names.push_back(column.name);
  out << csv_line(names) << '\n';
  for (const auto& row : table.rows) out << csv_line(row) << '\n';
}

void write_json(const Table& table, std::ostream& out) {
  using Json = nlohmann::ordered_json;
  const auto value = [](const Cell& cell) {
    return std::visit(
        [](const auto& v) -> Json {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::monostate>)
            return nullptr;
          else
            return v;
        },
        cell);
  };
  out << '[';
  for (size_t r = 0; r < table.rows.size(); ++r) {
    Json object = Json::object();
    for (size_t c = 0; c < table.columns.size(); ++c)
      object[table.columns[c].name] = value(table.rows[r][c]);
    // One row on one line: a difference between two files is then a difference between rows.
    out << (r > 0 ? ",\n " : "\n ") << object.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  out << (table.rows.empty() ? "]\n" : "\n]\n");
}

void write_markdown(const Table& table, std::ostream& out) {
  const Shown text = shown(table, [](const std::string& t, bool) { return markdown_escaped(t); });
  std::vector<size_t> widths = column_widths(text);
  for (size_t& width : widths) width = std::max<size_t>(width, 3);
  const auto line = [&](const std::vector<std::string>& fields) {
    for (size_t c = 0; c < fields.size(); ++c)
      out << "| " << padded(fields[c], widths[c], text.to_right[c]) << ' ';
    out << "|\n";
  };
  line(text.headings);
  for (size_t c = 0; c < widths.size(); ++c)
    out << (text.to_right[c] ? "| " + std::string(widths[c] - 1, '-') + ": "
                             : "| " + std::string(widths[c], '-') + " ");
  out << "|\n";
  for (const auto& row : text.rows) line(row);
}

// pdflatex stops at a character that its encoding lacks. The accented letters of Latin scripts are
// in each of LaTeX's encodings but for these.
constexpr std::u32string_view not_in_ot1 = U"ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ";

constexpr std::pair<char32_t, const char*> latex_symbols[] = {
    {U'\u00A0', "~"},     {U'°', "$^\\circ$"}, {U'±', "$\\pm$"}, {U'²', "$^2$"},
    {U'³', "$^3$"},       {U'µ', "$\\mu$"},    {U'μ', "$\\mu$"}, {U'·', "$\\cdot$"},
    {U'×', "$\\times$"},  {U'÷', "$\\div$"},   {U'–', "--"},     {U'—', "---"},
    {U'‘', "`"},          {U'’', "'"},         {U'“', "``"},     {U'”', "''"},
    {U'…', "\\ldots{}"},  {U'→', "$\\to$"},    {U'−', "$-$"},    {U'∞', "$\\infty$"},
    {U'≈', "$\\approx$"}, {U'≠', "$\\ne$"},    {U'≤', "$\\le$"}, {U'≥', "$\\ge$"}};

// One character beyond ASCII, for every engine.
std::string latex_character(char32_t c) {
  for (const auto& [symbol, command] : latex_symbols)
    if (c == symbol) return command;
  const bool is_latin = c >= U'À' && c <= U'ž' && not_in_ot1.find(c) == std::u32string_view::npos;
  if (is_latin) return utf8({c});
  // LuaTeX takes these for invalid UTF-8.
  if (c == 0xFFFD || (c & 0xFFFE) == 0xFFFE)
    return fmt::format("{{[}}U+{:04X}]", static_cast<uint32_t>(c));
  return fmt::format("\\convscopechar{{{:04X}}}{{{}}}", static_cast<uint32_t>(c), utf8({c}));
}

std::string latex_escaped(std::string_view text) {
  std::string out;
  const std::u32string points = code_points(text);
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i] >= 0x80) {
      out += latex_character(points[i]);
      continue;
    }
    const char c = static_cast<char>(points[i]);
    // At the start of a row a star or a bracket would belong to the \\ before it.
    out += escaped(std::string_view(&c, 1), {{'&', "\\&"},
                                             {'%', "\\%"},
                                             {'$', "\\$"},
                                             {'#', "\\#"},
                                             {'_', "\\_"},
                                             {'{', "\\{"},
                                             {'}', "\\}"},
                                             {'\\', "\\textbackslash{}"},
                                             {'~', "\\textasciitilde{}"},
                                             {'^', "\\textasciicircum{}"},
                                             {'<', "\\textless{}"},
                                             {'>', "\\textgreater{}"},
                                             {'|', "\\textbar{}"},
                                             {'"', "''"},
                                             {'`', "\\`{}"},
                                             {'[', "{[}"},
                                             {'*', "{*}"}});
    // Two would become a dash or a quotation mark.
    const bool doubled = i + 1 < points.size() && points[i + 1] == points[i];
    if (doubled && (c == '-' || c == '\'' || c == ',')) out += "\\kern0pt";
  }
  return out;
}

// Shows a character where the font has it, which only the engines whose fonts are Unicode can tell,
// and its code elsewhere.
constexpr const char* latex_fallback =
    "\\providecommand{\\convscopechar}[2]{\\ifdefined\\Umathchar\\iffontchar\\font`#2 "
    "#2\\else[U+#1]\\fi\\else[U+#1]\\fi}%\n";

void write_latex(const Table& table, std::ostream& out) {
  const Shown text = shown(table, [](const std::string& t, bool number) {
    std::string cell = latex_escaped(t);
    if (!number) return cell;
    if (const size_t space = cell.find(' '); space != std::string::npos)
      cell.replace(space, 1, "\\,");
    return cell[0] == '-' ? "$-$" + cell.substr(1) : cell;
  });
  std::string tabular = "\\begin{tabular}{";
  const auto line = [&](const std::vector<std::string>& fields) {
    for (size_t c = 0; c < fields.size(); ++c)
      tabular += (c > 0 ? " & " : "") + (fields[c] == "-" ? "--" : fields[c]);
    tabular += " \\\\\n";
  };
  for (const bool to_right : text.to_right) tabular += to_right ? 'r' : 'l';
  tabular += "}\n\\toprule\n";
  line(text.headings);
  tabular += "\\midrule\n";
  for (const auto& row : text.rows) line(row);
  tabular += "\\bottomrule\n\\end{tabular}\n";
  const bool has_fallback = tabular.find("\\convscopechar{") != std::string::npos;
  out << "% needs \\usepackage{booktabs}\n" << (has_fallback ? latex_fallback : "") << tabular;
}

}  // namespace

bool to_right(const Table& table, size_t column) {
  const Align align = table.columns[column].align;
  if (align != Align::by_type) return align == Align::right;
  bool any_number = false;
  for (const auto& row : table.rows) {
    any_number = any_number || is_number(row[column]);
    if (!is_number(row[column]) && !std::holds_alternative<std::monostate>(row[column]))
      return false;
  }
  return any_number;
}

std::string human_text(const Cell& cell, Human human) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) {
    if (human == Human::none || human == Human::plain) return std::to_string(*integer);
    return human_number(static_cast<double>(*integer), true, human);
  }
  if (const auto* number = std::get_if<double>(&cell)) return human_number(*number, false, human);
  if (const auto* yes = std::get_if<bool>(&cell)) return *yes ? "yes" : "no";
  return printable(raw_text(cell));
}

std::string raw_text(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* integer = std::get_if<int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{}", *number);
  if (const auto* yes = std::get_if<bool>(&cell)) return *yes ? "true" : "false";
  return {};
}

std::string csv_line(const std::vector<Cell>& cells) { return joined_csv(cells, raw_text); }

std::string csv_line(const std::vector<std::string>& fields) {
  return joined_csv(fields, [](const std::string& text) { return text; });
}

Format parse_format(const std::string& text) {
  constexpr std::pair<const char*, Format> formats[] = {{"table", Format::table},
                                                        {"csv", Format::csv},
                                                        {"json", Format::json},
                                                        {"md", Format::md},
                                                        {"latex", Format::latex}};
  for (const auto& [name, format] : formats)
    if (text == name) return format;
  throw std::invalid_argument(
      fmt::format("unknown format '{}': use table, csv, json, md or latex", printable(text)));
}

void write(const Table& table, Format format, std::ostream& out, bool bold_header) {
  for (size_t r = 0; r < table.rows.size(); ++r)
    if (table.rows[r].size() != table.columns.size())
      throw std::invalid_argument(fmt::format("row {} of the table has {} cells for {} columns", r,
                                              table.rows[r].size(), table.columns.size()));
  switch (format) {
    case Format::table:
      write_plain(table, out, bold_header);
      break;
    case Format::csv:
      write_csv(table, out);
      break;
    case Format::json:
      write_json(table, out);
      break;
    case Format::md:
      write_markdown(table, out);
      break;
    case Format::latex:
      write_latex(table, out);
      break;
  }
  if (!out.flush()) throw std::runtime_error("the table could not be written: its output failed");
}

}  // namespace convscope

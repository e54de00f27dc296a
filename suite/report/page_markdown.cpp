// A page as GitHub's Markdown.
#include <algorithm>
#include <cctype>
#include <sstream>

#include "suite/report/page.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

constexpr size_t most_rows = 60;

// One line that begins with no heading, list, quotation or block of code.
std::string plain_line(const std::string& text) {
  std::string line = markdown_escaped(printable(text));
  line.erase(0, line.find_first_not_of(' '));
  size_t digits = 0;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits]))) ++digits;
  if (digits < line.size() &&
      std::string(digits > 0 ? ".)" : "#-+>=").find(line[digits]) != std::string::npos)
    line.insert(digits, "\\");
  return line;
}

void write_block(const Page::Paragraph& paragraph, std::ostream& out) {
  out << plain_line(paragraph.text) << '\n';
}

void write_block(const Page::Findings& findings, std::ostream& out) {
  for (const auto& [statement, detail] : findings.findings) {
    out << "- **" << plain_line(statement) << "**\n";
    if (!detail.empty()) out << "  <br>" << markdown_escaped(printable(detail)) << '\n';
  }
}

void write_block(const Page::Commands& commands, std::ostream& out) {
  std::string text;
  for (const std::string& line : commands.lines) text += printable(line) + '\n';
  size_t longest = 2;
  for (size_t i = 0, run = 0; i < text.size(); ++i) {
    run = text[i] == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  out << fence << "sh\n" << text << fence << '\n';
}

void write_block(const Page::Facts& facts, std::ostream& out) {
  Table table = {{{"name", "Name"}, {"value", "Value"}}, {}};
  for (const auto& [name, value] : facts.facts) table.rows.push_back({Cell(name), Cell(value)});
  write(table, Format::md, out);
}

void write_block(const Page::Data& data, std::ostream& out) {
  Table first = data.table;
  first.rows.resize(std::min(first.rows.size(), most_rows));
  if (!data.caption.empty()) out << plain_line(data.caption) << "\n\n";
  write(first, Format::md, out);
  if (data.table.rows.size() > most_rows)
    out << "\nThe first " << most_rows << " of " << data.table.rows.size() << " rows; all are in "
        << markdown_escaped(printable(data.name)) << ".\n";
}

void write_block(const Page::Picture& picture, std::ostream& out) {
  const Figure& figure = picture.figure;
  const std::string path = "figures/" + percent_encoded(figure.name);
  out << "<picture>\n<source media=\"(prefers-color-scheme: dark)\" srcset=\"" << path
      << "-dark.svg\">\n<img alt=\"" << xml_escaped(printable(figure.title)) << "\" src=\"" << path
      << ".svg\">\n</picture>\n";
  // A star inside is escaped, but one beside a space would not end the italics.
  std::string caption = plain_line(figure.caption);
  caption.erase(caption.find_last_not_of(' ') + 1);
  if (!caption.empty()) out << "\n*" << caption << "*\n";
}

void write_block(const Page::Warning& warning, std::ostream& out) {
  out << "> [!WARNING]\n> " << plain_line(warning.text) << '\n';
}

}  // namespace

std::string markdown(const Page& page) {
  std::ostringstream out;
  out << "# " << plain_line(page.title) << '\n';
  if (!page.subtitle.empty()) out << '\n' << plain_line(page.subtitle) << '\n';
  for (const Page::Section& section : page.sections) {
    out << "\n## " << plain_line(section.heading) << '\n';
    for (const Page::Block& block : section.blocks) {
      out << '\n';
      std::visit([&out](const auto& content) { write_block(content, out); }, block);
    }
  }
  return out.str();
}

}  // namespace convscope

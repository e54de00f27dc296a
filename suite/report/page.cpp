// A page as one HTML file. All that comes from data goes through text() or an encoding of its own,
// and the page's policy lets run nothing but the style and the script that are written here.
#include "suite/report/page.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "suite/report/page_files.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

constexpr size_t filter_from = 7;             // rows: fewer are seen at a glance
constexpr size_t long_from = 61;              // rows: more scroll within the page
constexpr size_t most_picture_rows = 300;     // of the data behind a figure
constexpr size_t largest_download = 300'000;  // bytes of CSV that the page holds a second time

std::string text(const std::string& plain) { return xml_escaped(printable(plain)); }

/// The hash by which a Content Security Policy knows a style or a script.
std::string policy_hash(const std::string& content) {
  unsigned char digest[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(content.data(), content.size(), digest, &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot compute a SHA-256");
  const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  return fmt::format("'sha256-{}'", std::string(base64, base64 + length));
}

class HtmlPage {
 public:
  explicit HtmlPage(const Page& page) : page_(page) {
    // Sections come first: others link to them.
    for (const Page::Section& section : page.sections) anchors_.push_back(anchor(section.id));
  }

  std::string written() {
    body_ = header();
    for (size_t s = 0; s < page_.sections.size(); ++s) {
      body_ += fmt::format("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\" dir=auto>{1}</h2>\n",
                           anchors_[s], text(page_.sections[s].heading));
      for (const Page::Block& block : page_.sections[s].blocks)
        std::visit([this](const auto& content) { add(content); }, block);
      body_ += "</section>\n";
    }
    const std::string style = page_css + rules_ + color_rules();
    return fmt::format(R"(<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'">
<meta name=viewport content="width=device-width, initial-scale=1">
<meta name=color-scheme content="light dark">
<title>{}</title>
<style>{}</style>
<script>{}</script>
</head>
<body>
{}</main>
</body>
</html>
)",
                       policy_hash(style), policy_hash(page_js), text(page_.title), style, page_js,
                       body_);
  }

 private:
  std::string header() {
    std::string out = fmt::format(
        "<a class=skip href=\"#main\">Skip to the content</a>\n<header>\n<h1 dir=auto>{}</h1>\n",
        text(page_.title));
    if (!page_.subtitle.empty())
      out += fmt::format("<p class=subtitle dir=auto>{}</p>\n", text(page_.subtitle));
    if (page_.sections.size() > 1) {
      out += "<nav aria-label=Contents>\n<ol>\n";
      for (size_t s = 0; s < page_.sections.size(); ++s)
        out += fmt::format("<li><a href=\"#{}\"><bdi>{}</bdi></a></li>\n", anchors_[s],
                           text(page_.sections[s].heading));
      out += "</ol>\n</nav>\n";
    }
    return out + "</header>\n<main id=main>\n";
  }

  /// An id that no other element has: `wanted`, if it is one.
  std::string anchor(const std::string& wanted) {
    std::string id;
    for (const char c : wanted) {
      const auto byte = static_cast<unsigned char>(c);
      id += std::isalnum(byte) || c == '_' ? c : '-';
    }
    if (id.empty() || !std::isalpha(static_cast<unsigned char>(id[0]))) id = "part-" + id;
    std::string free = id;
    for (int i = 2; !used_.insert(free).second; ++i) free = fmt::format("{}-{}", id, i);
    return free;
  }

  void add(const Page::Paragraph& paragraph) {
    body_ += fmt::format("<p dir=auto>{}</p>\n", text(paragraph.text));
  }

  void add(const Page::Findings& findings) {
    body_ += "<ul class=findings>\n";
    for (const auto& [statement, detail] : findings.findings) {
      body_ += fmt::format("<li><p class=statement dir=auto>{}</p>\n", text(statement));
      if (!detail.empty()) body_ += fmt::format("<p class=detail dir=auto>{}</p>\n", text(detail));
      body_ += "</li>\n";
    }
    body_ += "</ul>\n";
  }

  void add(const Page::Commands& commands) {
    std::vector<std::string> lines;
    for (const std::string& line : commands.lines) lines.push_back(text(line));
    body_ += fmt::format(
        "<div class=commands><pre tabindex=0 role=region aria-label=Commands><code>{}</code></pre>"
        "</div>\n",
        joined(lines, "\n"));
  }

  void add(const Page::Facts& facts) {
    body_ += "<dl>\n";
    for (const auto& [name, value] : facts.facts)
      body_ += fmt::format("<div><dt dir=auto>{}</dt><dd dir=auto>{}</dd></div>\n", text(name),
                           text(value));
    body_ += "</dl>\n";
  }

  void add(const Page::Warning& warning) {
    body_ += fmt::format(
        "<div class=warning role=note><p><strong>Warning</strong> <bdi>{}</bdi></p></div>\n",
        text(warning.text));
  }

  void add(const Page::Data& data) {
    add_table(data, data.name.substr(0, data.name.rfind('.')), data.table.rows.size());
  }

  void add(const Page::Picture& picture) {
    const Figure& figure = picture.figure;
    const std::string id = anchor("figure-" + figure.name), caption = anchor(id + "-caption");
    std::string svg = themed_svg(picture.svg);
    colors_.merge(dark_colors(picture.svg));
    if (const size_t role = svg.find(" role=\"img\""); role < svg.find('>')) svg.erase(role, 11);
    const std::string name =
        fmt::format(" role=img aria-label=\"{}\" aria-describedby=\"{}\" focusable=false",
                    text(figure.title), caption);
    svg.insert(4, name);
    body_ += fmt::format(
        "<figure id=\"{}\">\n{}\n<figcaption>\n<p id=\"{}\" dir=auto>{}</p>\n"
        "<p class=files>Figure as ",
        id, svg, caption, text(figure.caption.empty() ? figure.title : figure.caption));
    const std::string path = "figures/" + percent_encoded(figure.name);
    for (const std::string& ending : page_.picture_endings)
      body_ += fmt::format("{4}<a href=\"{0}.{1}\" aria-label=\"{2} as {3}\">{3}</a>", path, ending,
                           text(figure.title), upper(ending),
                           &ending == &page_.picture_endings.front() ? "" : ", ");
    body_ += "</p>\n</figcaption>\n";
    if (!picture.data.columns.empty()) {
      body_ += "<details>\n<summary>Data of this figure</summary>\n";
      add_table({"figure-" + figure.name + ".csv", figure.title, picture.data}, id + "-data",
                most_picture_rows);
      body_ += "</details>\n";
    }
    body_ += "</figure>\n";
  }

  static std::string upper(std::string ascii) {
    for (char& c : ascii) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return ascii;
  }

  void add_table(const Page::Data& data, const std::string& wanted_id, size_t most_rows) {
    const Table& table = data.table;
    std::ostringstream csv;
    write(table, Format::csv, csv);
    const bool downloadable = csv.str().size() <= largest_download;
    const size_t all_rows = table.rows.size(), rows = std::min(all_rows, most_rows);
    std::vector<bool> shown;
    for (const TableColumn& column : table.columns) shown.push_back(column.human != Human::none);
    if (std::count(shown.begin(), shown.end(), true) == 0) shown.assign(shown.size(), true);

    const std::string id = anchor(wanted_id), caption_id = anchor(id + "-caption");
    const std::string caption = text(data.caption.empty() ? data.name : data.caption);
    add_column_rules(table, shown, id);
    // The caption is above the controls for the eye, and within the table for other readers.
    body_ += fmt::format(
        "<div class=data id=\"{}\"{}>\n<div>\n"
        "<p class=caption id=\"{}\" aria-hidden=true dir=auto>{}</p>\n<div class=controls>",
        id, rows >= filter_from ? " data-filter" : "", caption_id, caption);
    if (std::count(shown.begin(), shown.end(), false) > 0)
      body_ += fmt::format("<label><input type=checkbox class=all> All {} columns</label>",
                           shown.size());
    if (downloadable)
      body_ += fmt::format(
          "<a class=download download=\"{0}\" href=\"data:text/csv;charset=utf-8,{1}\">"
          "Download {0}</a>",
          text(data.name), percent_encoded(csv.str()));
    body_ += fmt::format(
        "</div>\n<div class=\"scroll{}\" tabindex=0 role=region aria-labelledby=\"{}\">\n"
        "<table>\n<caption>{}</caption>\n",
        rows >= long_from ? " long" : "", caption_id, caption);
    add_rows(table, shown, rows);
    body_ += "</table>\n</div>\n";
    if (rows < all_rows)
      add_note("", rows, all_rows, downloadable ? "the download" : data.name);
    else if (!downloadable)
      body_ +=
          fmt::format("<p class=note>The same as a file: <bdi>{}</bdi>, beside this page.</p>\n",
                      text(data.name));
    if (rows >= long_from) add_note(" on-paper", long_from - 1, all_rows, data.name);
    body_ += "</div>\n</div>\n";
  }

  /// How the columns look: a class for each cell would be a fifth of a long table.
  void add_column_rules(const Table& table, const std::vector<bool>& shown, const std::string& id) {
    std::vector<std::string> right, hidden;
    for (size_t c = 0; c < shown.size(); ++c) {
      const std::string column = fmt::format(":nth-child({})", c + 1);
      if (to_right(table, c)) right.push_back(column);
      if (!shown[c]) hidden.push_back(column);
    }
    if (!right.empty())
      rules_ += fmt::format("#{} tr > :is({}) {{ text-align: right; --row: row-reverse; }}\n", id,
                            joined(right));
    if (!hidden.empty())
      rules_ += fmt::format("#{}:not(:has(.all:checked)) tr > :is({}) {{ display: none; }}\n", id,
                            joined(hidden));
  }

  void add_rows(const Table& table, const std::vector<bool>& shown, size_t rows) {
    const auto head =
        static_cast<size_t>(std::find(shown.begin(), shown.end(), true) - shown.begin());
    // The ends of cells are left out, as HTML allows.
    body_ += "<thead>\n<tr>";
    for (const TableColumn& column : table.columns)
      body_ += fmt::format("<th scope=col title=\"{}\">{}", text(column.name),
                           text(column.heading.empty() ? column.name : column.heading));
    body_ += "</tr>\n<tbody>\n";
    for (size_t r = 0; r < rows; ++r) {
      body_ += "<tr>";
      for (size_t c = 0; c < shown.size(); ++c)
        body_ += cell(table.rows[r][c], shown[c] ? table.columns[c].human : Human::none, c == head);
      body_ += "</tr>\n";
    }
  }

  void add_note(const char* class_name, size_t rows, size_t of, const std::string& where) {
    body_ +=
        fmt::format("<p class=\"note{}\">These are {} of {} rows; all are in <bdi>{}</bdi>.</p>\n",
                    class_name, rows, of, text(where));
  }

  /// People see what is rounded, and sort by what is not.
  static std::string cell(const Cell& value, Human human, bool is_head) {
    const std::string tag = is_head ? "<th scope=row" : "<td";
    const std::string raw = raw_text(value);
    const std::string shown = human == Human::none ? printable(raw) : human_text(value, human);
    const bool is_text = std::holds_alternative<std::string>(value);
    if (is_text || shown == raw || std::holds_alternative<bool>(value))
      return tag + '>' + xml_escaped(shown);
    return fmt::format("{} data-v={}>{}", tag, raw, xml_escaped(shown));
  }

  /// Where browsers do not know light-dark(), those before 2024, figures stay as on a light page.
  std::string color_rules() const {
    std::string both;
    for (const auto& [light, dark] : colors_)
      both += fmt::format(" --c{}: light-dark({}, {});", light.substr(1), light, dark);
    if (both.empty()) return {};
    return fmt::format("@supports (color: light-dark(red, red)) {{\n:root {{{} }}\n}}\n", both);
  }

  const Page& page_;
  std::string body_;
  std::string rules_;                          ///< of the style, beside page.css
  std::map<std::string, std::string> colors_;  ///< of the figures, and what they are in the dark
  std::set<std::string> used_ = {"main"};
  std::vector<std::string> anchors_;  ///< of the sections
};

}  // namespace

std::string html(const Page& page) { return HtmlPage(page).written(); }

}  // namespace convscope

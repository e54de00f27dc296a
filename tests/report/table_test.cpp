#include "suite/report/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "suite/report/text.h"

namespace convscope {
namespace {

struct NetworkRow {
  std::string model;
  int64_t params;
  int64_t weight_bytes;
  double latency_ms;
  bool aligned;
  std::string note;
};

const std::vector<Column<NetworkRow>> columns = {
    {"model", "Network", Human::plain, [](const NetworkRow& r) { return Cell(r.model); }},
    {"params", "Params", Human::count, [](const NetworkRow& r) { return Cell(r.params); }},
    {"weight_bytes", "Weights", Human::bytes,
     [](const NetworkRow& r) { return Cell(r.weight_bytes); }},
    {"latency_ms", "Latency (ms)", Human::plain,
     [](const NetworkRow& r) { return r.latency_ms > 0 ? Cell(r.latency_ms) : Cell(); }},
    {"aligned", "Aligned", Human::plain, [](const NetworkRow& r) { return Cell(r.aligned); }},
    {"note", "Note", Human::none, [](const NetworkRow& r) { return Cell(r.note); }},
};

const std::vector<NetworkRow> rows = {
    {"resnet50", 25557032, 102228128, 12.345678, true, "says \"v1.5\", twice"},
    {"lenet5", 62006, 248024, 0, false, ""},
};

std::string printed(const Table& table, Format format, bool bold_header = false) {
  std::ostringstream out;
  write(table, format, out, bold_header);
  return out.str();
}

Table one_cell(const std::string& text) { return {{{"x", "X"}}, {{Cell(text)}}}; }

TEST(Table, ForPeopleIsAlignedAndLeavesOutColumnsForFiles) {
  EXPECT_EQ(printed(make_table(columns, rows), Format::table),
            "Network    Params   Weights  Latency (ms)  Aligned\n"
            "--------  -------  --------  ------------  -------\n"
            "resnet50  25.56 M  97.5 MiB         12.35  yes\n"
            "lenet5     62.0 k   242 KiB             -  no\n");
}

TEST(Table, HeaderIsBoldOnlyWhenToldSo) {
  const std::string plain = printed(one_cell("a"), Format::table);
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_EQ(printed(one_cell("a"), Format::table, true), "\x1b[1mX\x1b[0m\n-\na\n");
}

TEST(Table, CsvHoldsAllColumnsRaw) {
  EXPECT_EQ(printed(make_table(columns, rows), Format::csv),
            "model,params,weight_bytes,latency_ms,aligned,note\n"
            "resnet50,25557032,102228128,12.345678,true,\"says \"\"v1.5\"\", twice\"\n"
            "lenet5,62006,248024,,false,\n");
}

TEST(Table, JsonHoldsAllColumnsRawInTheirOrder) {
  const std::string text = printed(make_table(columns, rows), Format::json);
  EXPECT_EQ(text,
            "[\n"
            " {\"model\":\"resnet50\",\"params\":25557032,\"weight_bytes\":102228128,"
            "\"latency_ms\":12.345678,\"aligned\":true,\"note\":\"says \\\"v1.5\\\", twice\"},\n"
            " {\"model\":\"lenet5\",\"params\":62006,\"weight_bytes\":248024,"
            "\"latency_ms\":null,\"aligned\":false,\"note\":\"\"}\n"
            "]\n");
  EXPECT_EQ(nlohmann::json::parse(text).size(), 2u);
}

TEST(Table, MarkdownAlignsNumbersToTheRight) {
  EXPECT_EQ(printed(make_table(columns, rows), Format::md),
            "| Network  |  Params |  Weights | Latency (ms) | Aligned |\n"
            "| -------- | ------: | -------: | -----------: | ------- |\n"
            "| resnet50 | 25.56 M | 97.5 MiB |        12.35 | yes     |\n"
            "| lenet5   |  62.0 k |  242 KiB |            - | no      |\n");
}

TEST(Table, LatexIsABooktabsTabular) {
  EXPECT_EQ(printed(make_table(columns, rows), Format::latex),
            "% needs \\usepackage{booktabs}\n"
            "\\begin{tabular}{lrrrl}\n"
            "\\toprule\n"
            "Network & Params & Weights & Latency (ms) & Aligned \\\\\n"
            "\\midrule\n"
            "resnet50 & 25.56\\,M & 97.5\\,MiB & 12.35 & yes \\\\\n"
            "lenet5 & 62.0\\,k & 242\\,KiB & -- & no \\\\\n"
            "\\bottomrule\n"
            "\\end{tabular}\n");
}

TEST(Table, WithoutRowsIsStillValidInEachFormat) {
  const Table table = make_table(columns, std::vector<NetworkRow>());
  EXPECT_EQ(printed(table, Format::csv), "model,params,weight_bytes,latency_ms,aligned,note\n");
  EXPECT_EQ(printed(table, Format::json), "[]\n");
  EXPECT_EQ(printed(table, Format::table),
            "Network  Params  Weights  Latency (ms)  Aligned\n"
            "-------  ------  -------  ------------  -------\n");
}

TEST(Table, MarkdownCannotBeBrokenOrInjectedByText) {
  EXPECT_EQ(printed(one_cell("a|b <script> & *x* `y` [z] \\ _w_ mobilenet_v2\n"), Format::md),
            "| X                                                               |\n"
            "| --------------------------------------------------------------- |\n"
            "| a\\|b &lt;script> &amp; \\*x\\* \\`y\\` \\[z\\] \\\\ \\_w\\_ mobilenet_v2  |\n");
}

TEST(Table, LatexCannotBeBrokenOrInjectedByText) {
  const std::string text =
      printed(one_cell("*[a] \\input{x} & 5% $y$ #1 _ ~ ^ < >|"), Format::latex);
  EXPECT_NE(text.find("{*}{[}a] \\textbackslash{}input\\{x\\} \\& 5\\% \\$y\\$ \\#1 \\_ "
                      "\\textasciitilde{} \\textasciicircum{} \\textless{} "
                      "\\textgreater{}\\textbar{} \\\\\n"),
            std::string::npos)
      << text;
}

TEST(Table, LatexKeepsTwoOfACharacterApart) {
  EXPECT_NE(printed(one_cell("--a 'b'' c,,d"), Format::latex)
                .find("\n-\\kern0pt-a 'b'\\kern0pt' c,\\kern0pt,d \\\\\n"),
            std::string::npos);
}

TEST(Table, LatexShowsWhatItsFontsLackByTheCode) {
  const std::string known = printed(one_cell("é ± 3 µs"), Format::latex);
  EXPECT_NE(known.find("\né $\\pm$ 3 $\\mu$s \\\\\n"), std::string::npos) << known;
  EXPECT_EQ(known.find("convscopechar"), std::string::npos);
  const std::string unknown = printed(one_cell("模\xFF"), Format::latex);
  EXPECT_NE(unknown.find("\\providecommand{\\convscopechar}[2]{"), std::string::npos);
  EXPECT_NE(unknown.find("\n\\convscopechar{6A21}{模}{[}U+FFFD] \\\\\n"), std::string::npos)
      << unknown;
}

TEST(Table, LatexGivesNegativeNumbersAMinus) {
  const Table table = {{{"x", "X"}}, {{Cell(int64_t{-3})}}};
  EXPECT_NE(printed(table, Format::latex).find("\n$-$3 \\\\"), std::string::npos);
}

TEST(Table, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(printed(one_cell("a\x1b[31m\tb\nc"), Format::table), "X\n----------\na [31m b c\n");
}

TEST(Table, AlignsTextBeyondAscii) {
  const Table table = {
      {{"x", "X"}, {"y", "Y"}},
      {{Cell("é"), Cell("1")}, {Cell("模型"), Cell("2")}, {Cell("abcd"), Cell("3")}}};
  EXPECT_EQ(printed(table, Format::table),
            "X     Y\n"
            "----  -\n"
            "é     1\n"
            "模型  2\n"
            "abcd  3\n");
}

TEST(Table, JsonSurvivesInvalidTextAndNumbersThatAreNone) {
  const Table table = {{{"x", "X"}, {"y", "Y"}},
                       {{Cell("\xff"), Cell(std::numeric_limits<double>::quiet_NaN())}}};
  EXPECT_EQ(printed(table, Format::json), "[\n {\"x\":\"\xEF\xBF\xBD\",\"y\":null}\n]\n");
}

TEST(Table, ColumnCanSayItsAlignment) {
  const Table table = {{{"x", "Kernel", Human::plain, Align::right}}, {{Cell("3x3")}}};
  EXPECT_EQ(printed(table, Format::table), "Kernel\n------\n   3x3\n");
}

TEST(Table, RowOfAnotherLengthIsAnError) {
  const Table table = {{{"x", "X"}}, {{Cell("a"), Cell("b")}}};
  std::ostringstream out;
  EXPECT_THROW(write(table, Format::csv, out), std::invalid_argument);
}

TEST(Table, FailingOutputIsAnError) {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_THROW(write(one_cell("a"), Format::table, out), std::runtime_error);
}

TEST(Format, UnknownNameListsWhatThereIs) {
  EXPECT_EQ(parse_format("latex"), Format::latex);
  try {
    parse_format("yaml");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "unknown format 'yaml': use table, csv, json, md or latex");
  }
}

TEST(HumanCount, KeepsSmallIntegersAndThreeOrFourDigitsOfOthers) {
  const std::pair<int64_t, const char*> expected[] = {{0, "0"},
                                                      {456, "456"},
                                                      {9999, "9999"},
                                                      {10000, "10.0 k"},
                                                      {62006, "62.0 k"},
                                                      {269722, "270 k"},
                                                      {999499, "999 k"},
                                                      {999500, "1.000 M"},
                                                      {2542856, "2.543 M"},
                                                      {25557032, "25.56 M"},
                                                      {138357544, "138.4 M"},
                                                      {999949999, "999.9 M"},
                                                      {999950000, "1.000 G"},
                                                      {4089184256, "4.089 G"},
                                                      {-25557032, "-25.56 M"},
                                                      {1234567890123, "1.235 T"}};
  for (const auto& [value, text] : expected) EXPECT_EQ(human_text(value, Human::count), text);
}

TEST(HumanBytes, CountsInPowersOf1024) {
  const std::pair<int64_t, const char*> expected[] = {{0, "0 B"},
                                                      {1023, "1023 B"},
                                                      {1024, "1.00 KiB"},
                                                      {248024, "242 KiB"},
                                                      {102228128, "97.5 MiB"},
                                                      {1048575, "1.00 MiB"},
                                                      {1047527424, "999 MiB"},
                                                      {1073741824, "1.00 GiB"}};
  for (const auto& [value, text] : expected) EXPECT_EQ(human_text(value, Human::bytes), text);
}

TEST(HumanPlain, ShowsFourDigitsOfDoublesAndAllOfIntegers) {
  EXPECT_EQ(human_text(12.345678, Human::plain), "12.35");
  EXPECT_EQ(human_text(123456.7, Human::plain), "123457");
  EXPECT_EQ(human_text(0.00012346, Human::plain), "0.0001235");
  EXPECT_EQ(human_text(int64_t{123456789}, Human::plain), "123456789");
  EXPECT_EQ(human_text(Cell(), Human::plain), "");
}

TEST(RawText, DoublesReadBackToTheSameValue) {
  for (const double value : {0.1, 1.0 / 3, 12.345678, 1e300, 5e-324, -0.0, 25.0}) {
    const std::string text = raw_text(value);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
  }
  EXPECT_EQ(raw_text(0.1), "0.1");
  EXPECT_EQ(raw_text(true), "true");
}

TEST(Text, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(printable("a\xC3(\xE2\x82"), "a\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(printable("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(printable("é模"), "é模");
}

}  // namespace
}  // namespace convscope

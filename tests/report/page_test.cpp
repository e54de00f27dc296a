#include "suite/report/page.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cmath>
#include <limits>
#include <regex>
#include <set>

#include "suite/report/text.h"

namespace convscope {
namespace {

const std::vector<std::string> nasty = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onclick='alert(1)",
    "</style></script></title>",
    "&lt;b&gt;",
    "javascript:alert(1)",
    "\xE2\x80\xA8",
    std::string("nul\0", 4),
    "\xff\xfe",
    "模型",
    "\xE2\x80\xAE right to left",
};

Page with(std::vector<Page::Block> blocks) { return {"Title", "", {{"part", "Part", blocks}}}; }

Table one_column(const std::string& name, const std::vector<Cell>& cells,
                 Human human = Human::plain) {
  Table table = {{{name, name, human}}, {}};
  for (const Cell& cell : cells) table.rows.push_back({cell});
  return table;
}

Page nasty_page() {
  Page page;
  for (const std::string& name : nasty) {
    page.title += name;
    page.subtitle += name;
    page.sections.push_back(
        {name,
         name,
         {Page::Paragraph{name}, Page::Findings{{{name, name}}}, Page::Commands{{name, name}},
          Page::Facts{{{name, name}}}, Page::Data{name, name, {{{name, name}}, {{Cell(name)}}}},
          Page::Picture{
              {name, name, Bubbles{}, name}, "<svg></svg>", one_column(name, {Cell(name)})},
          Page::Warning{name}}});
  }
  return page;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t begin = text.find(before);
  if (begin == std::string::npos) return {};
  const size_t from = begin + before.size();
  return text.substr(from, text.find(after, from) - from);
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) ++found;
  return found;
}

std::string hash(const std::string& text) {
  unsigned char digest[32], base64[64];
  EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha256(), nullptr);
  EVP_EncodeBlock(base64, digest, 32);
  return "'sha256-" + std::string(reinterpret_cast<const char*>(base64)) + "'";
}

TEST(HtmlPage, NoTextOfDataBecomesMarkup) {
  const std::string page = html(nasty_page());
  EXPECT_EQ(count(page, "<script"), 1u);
  EXPECT_EQ(count(page, "</script"), 1u);
  EXPECT_EQ(count(page, "</style"), 1u);
  EXPECT_FALSE(contains(page, "<img"));
  EXPECT_FALSE(contains(page, "' onclick"));
  EXPECT_FALSE(contains(page, "href=\"javascript"));
  EXPECT_FALSE(contains(page, std::string(1, '\0')));
  EXPECT_FALSE(contains(page, "\xff"));
  EXPECT_FALSE(contains(page, "\xE2\x80\xA8"));
  EXPECT_TRUE(contains(page, "<th scope=row>&lt;script&gt;alert(1)"));
  EXPECT_TRUE(contains(page, "&amp;lt;b&amp;gt;"));
  EXPECT_EQ(printable(page).size(), page.size()) << "all of it is valid UTF-8";
  // Every tag is one that is written here, with attributes that cannot be left.
  const std::string body = page.substr(page.find("<body>"));
  const std::regex tag("<(/?[a-z0-9]+)((?: [a-z-]+(?:=(?:\"[^\"<>]*\"|[A-Za-z0-9.+-]+))?)*)>");
  EXPECT_EQ(
      static_cast<size_t>(std::distance(std::sregex_iterator(body.begin(), body.end(), tag), {})),
      count(body, "<"));
}

TEST(HtmlPage, PolicyAllowsItsOwnStyleAndScriptAndNothingElse) {
  const std::string page = html(nasty_page());
  const std::string policy = between(page, "Content-Security-Policy\"\n content=\"", "\"");
  EXPECT_EQ(policy, "default-src 'none'; style-src " + hash(between(page, "<style>", "</style>")) +
                        "; script-src " + hash(between(page, "<script>", "</script>")) +
                        "; base-uri 'none'; form-action 'none'");
  EXPECT_FALSE(contains(page, "style=\"")) << "the policy would ignore it";
  EXPECT_LT(page.find("Content-Security-Policy"), page.find("<title>"));
}

TEST(HtmlPage, IdsAreUniqueAndAnchorsAreTheNames) {
  const std::string page = html(nasty_page());
  const std::regex id("\\bid=\"?([^\" >]+)");
  std::set<std::string> ids;
  for (std::sregex_iterator i(page.begin(), page.end(), id), end; i != end; ++i)
    EXPECT_TRUE(ids.insert((*i)[1]).second) << (*i)[1];

  const std::string plain = html({"T",
                                  "",
                                  {{"cost",
                                    "Cost",
                                    {Page::Data{"bench.csv", "c", one_column("x", {})},
                                     Page::Data{"cost.csv", "c", one_column("x", {})},
                                     Page::Picture{{"bars", "t", Bubbles{}}, "<svg></svg>"}}}}});
  for (const char* anchor : {"<h2 id=\"cost\"", "<div class=data id=\"bench\"",
                             "<div class=data id=\"cost-2\"", "<figure id=\"figure-bars\""})
    EXPECT_TRUE(contains(plain, anchor)) << anchor;
}

TEST(HtmlPage, CellsShowWhatPeopleReadAndKeepWhatIsSorted) {
  const Table table = {
      {{"model", "Network"},
       {"params", "Params", Human::count},
       {"ms", "Latency"},
       {"ok", "OK"},
       {"note", "", Human::none}},
      {{Cell("a"), Cell(int64_t{25557032}), Cell(12.345678), Cell(true), Cell(0.1234567)},
       {Cell("b"), Cell(int64_t{456}), Cell(), Cell(false), Cell("")}}};
  const std::string page = html(with({Page::Data{"cost.csv", "Costs", table}}));
  EXPECT_TRUE(
      contains(page,
               "<caption>Costs</caption>\n<thead>\n<tr><th scope=col title=\"model\">Network"
               "<th scope=col title=\"params\">Params<th scope=col title=\"ms\">Latency"
               "<th scope=col title=\"ok\">OK<th scope=col title=\"note\">note</tr>\n<tbody>\n"
               "<tr><th scope=row>a<td data-v=25557032>25.56 M<td data-v=12.345678>12.35"
               "<td>yes<td>0.1234567</tr>\n"
               "<tr><th scope=row>b<td>456<td><td>no<td></tr>\n</table>"))
      << page.substr(page.find("<caption>"));
  EXPECT_TRUE(contains(page, "#cost tr > :is(:nth-child(2), :nth-child(3)) { text-align: right;"));
  EXPECT_TRUE(
      contains(page, "#cost:not(:has(.all:checked)) tr > :is(:nth-child(5)) { display: none; }"));
}

TEST(HtmlPage, DownloadIsTheCsvByteForByte) {
  const std::string page =
      html(with({Page::Data{"a b.csv", "c", one_column("x", {Cell("é,\"\n"), Cell(0.1)})}}));
  EXPECT_TRUE(contains(page,
                       "download=\"a b.csv\" href=\"data:text/csv;charset=utf-8,"
                       "x%0A%22%C3%A9%2C%22%22%0A%22%0A0.1%0A\""));
}

TEST(HtmlPage, LargeTablesNameTheirFileInsteadOfHoldingItTwice) {
  const std::string page = html(with({Page::Data{
      "layers.csv", "c", one_column("x", std::vector<Cell>(4000, std::string(99, 'a')))}}));
  EXPECT_FALSE(contains(page, "data:text/csv"));
  EXPECT_TRUE(contains(page, "The same as a file: <bdi>layers.csv</bdi>"));
  EXPECT_TRUE(contains(page, "These are 60 of 4000 rows; all are in <bdi>layers.csv</bdi>."));
}

TEST(HtmlPage, ResultsOfAllNetworksAreLessThanThreeMegabytes) {
  Table layers;
  for (int c = 0; c < 24; ++c)
    layers.columns.push_back(
        {"column_" + std::to_string(c), "Column", c % 4 == 3 ? Human::none : Human::count});
  for (int r = 0; r < 2500; ++r) {
    layers.rows.emplace_back();
    for (int c = 0; c < 24; ++c)
      layers.rows.back().push_back(c % 4 == 0   ? Cell("layer4.2.conv3")
                                   : c % 4 == 1 ? Cell(int64_t{1} * r * c * 12345)
                                                : Cell(r / 7.0 + c));
  }
  EXPECT_LT(html(with({Page::Data{"layers.csv", "c", layers}})).size(), 2'000'000u)
      << "which leaves a megabyte to the figures";
}

TEST(HtmlPage, DrawingsTakeTheColoursOfThePage) {
  const std::string svg =
      "<?xml version=\"1.0\"?>\n<svg width=\"9\" height=\"9\" viewBox=\"0 0 9 9\" "
      "role=\"img\">\n<title>name</title>\n<rect fill=\"#0072B2\"/>\n<rect fill=\"#FFFFFF\"/>\n"
      "<text>#123456 id='x'</text></svg>\n";
  const std::string page =
      html(with({Page::Picture{{"one", "A \"title\"", Bubbles{}, "Caption"}, svg},
                 Page::Picture{{"two", "B", Bubbles{}}, svg}}));
  EXPECT_FALSE(contains(page, "<?xml"));
  EXPECT_FALSE(contains(page, "<title>name"));
  EXPECT_TRUE(contains(page,
                       "<svg role=img aria-label=\"A &quot;title&quot;\" "
                       "aria-describedby=\"figure-one-caption\""));
  for (const char* part :
       {"<rect fill=\"var(--c0072B2, #0072B2)\"/>", "<rect fill=\"var(--cFFFFFF, #FFFFFF)\"/>",
        "<text>#123456 id='x'</text>", "--c0072B2: light-dark(#0072B2, #",
        "--cFFFFFF: light-dark(#FFFFFF, #16191D);", "<a href=\"figures/one.pdf\"",
        "<p id=\"figure-one-caption\" dir=auto>Caption</p>"})
    EXPECT_TRUE(contains(page, part)) << part;
  EXPECT_EQ(count(page, "--c0072B2: "), 1u);
}

TEST(HtmlPage, DataBehindAFigureIsCutAndSaysSo) {
  const Table points = one_column("x", std::vector<Cell>(301, int64_t{7}));
  const std::string page =
      html(with({Page::Picture{{"bars", "t", Bubbles{}}, "<svg></svg>", points}}));
  EXPECT_EQ(count(page, "<tr><th scope=row>7</tr>"), 300u);
  EXPECT_TRUE(contains(page, "These are 300 of 301 rows; all are in <bdi>the download</bdi>."));
  EXPECT_TRUE(contains(page, "download=\"figure-bars.csv\""));
  EXPECT_FALSE(
      contains(html(with({Page::Picture{{"bars", "t", Bubbles{}}, "<svg></svg>"}})), "<details"));
}

TEST(HtmlPage, TheSamePageGivesTheSameBytes) { EXPECT_EQ(html(nasty_page()), html(nasty_page())); }

TEST(HtmlPage, OfNothingIsStillAPage) {
  const std::string page = html(Page());
  EXPECT_TRUE(contains(page, "<main id=main>\n</main>"));
  EXPECT_FALSE(contains(page, "<nav"));
  html(with({Page::Data{"", "", Table()}, Page::Picture{{}, "<svg></svg>"}, Page::Findings(),
             Page::Commands()}));
}

TEST(HtmlPage, RowOfAnotherLengthIsAnError) {
  const Page page = with({Page::Data{"a.csv", "", {{{"x", "X"}}, {{Cell("a"), Cell("b")}}}}});
  EXPECT_THROW(html(page), std::invalid_argument);
  EXPECT_THROW(markdown(page), std::invalid_argument);
}

TEST(MarkdownPage, HoldsEachBlockAsGitHubWritesIt) {
  Page page = {
      "What do they cost?",
      "By convscope",
      {{"answers",
        "Answers",
        {Page::Findings{{{"It costs 4 G.", "From cost.csv."}, {"Nothing more", ""}}},
         Page::Warning{"Two environments"}, Page::Paragraph{"Text."},
         Page::Picture{{"bars", "A \"title\"", Bubbles{}, "How to read it."}, "<svg></svg>"},
         Page::Data{"cost.csv", "Costs", one_column("x", {Cell("a|b")})},
         Page::Commands{{"ls", "cd"}}, Page::Facts{{{"CPU", "2 cores"}}}}}}};
  EXPECT_EQ(markdown(page),
            "# What do they cost?\n\nBy convscope\n\n## Answers\n\n"
            "- **It costs 4 G.**\n  <br>From cost.csv.\n- **Nothing more**\n\n"
            "> [!WARNING]\n> Two environments\n\nText.\n\n"
            "<picture>\n<source media=\"(prefers-color-scheme: dark)\" "
            "srcset=\"figures/bars-dark.svg\">\n"
            "<img alt=\"A &quot;title&quot;\" src=\"figures/bars.svg\">\n</picture>\n\n*How to "
            "read it.*\n\n"
            "Costs\n\n| x    |\n| ---- |\n| a\\|b |\n\n"
            "```sh\nls\ncd\n```\n\n"
            "| Name | Value   |\n| ---- | ------- |\n| CPU  | 2 cores |\n");
}

TEST(MarkdownPage, NoTextOfDataBecomesMarkup) {
  for (const char* begin :
       {"# a", "- a", "+ a", "> a", "=== a", "    a", "1. a", "12) a", "* a", "<b>"}) {
    const std::string text = markdown(with({Page::Paragraph{begin}}));
    const std::string line = text.substr(text.find("Part\n\n") + 6);
    EXPECT_FALSE(std::regex_search(line, std::regex("^(#|-|\\+|>|=|    |\\d+[.)]|\\*|<)"))) << line;
  }
  const std::string text = markdown(nasty_page());
  EXPECT_FALSE(std::regex_search(text.substr(text.find("\n- **")),
                                 std::regex("\n[^`|]*<script>alert[^`]*\n\n[^`]")))
      << "outside of fences";
  EXPECT_FALSE(contains(text, "alt=\"\">"));
}

TEST(MarkdownPage, FenceIsLongerThanAnyInside) {
  const std::string text = markdown(with({Page::Commands{{"a ```` b", "```"}}}));
  EXPECT_TRUE(contains(text, "`````sh\na ```` b\n```\n`````\n")) << text;
}

TEST(MarkdownPage, LongTablesEndWithWhereTheRestIs) {
  const std::string text = markdown(
      with({Page::Data{"layers.csv", "", one_column("x", std::vector<Cell>(61, int64_t{7}))}}));
  EXPECT_EQ(count(text, "|   7 |"), 60u);
  EXPECT_TRUE(contains(text, "|\n\nThe first 60 of 61 rows; all are in layers.csv.\n"));
}

}  // namespace
}  // namespace convscope

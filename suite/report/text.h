// Text that came from data, made safe to print and measured: what the tables and the figures both
// need to know about UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convscope {

/// The code points of UTF-8 text; each invalid byte becomes U+FFFD.
std::u32string code_points(std::string_view utf8);

std::string utf8(const std::u32string& points);

/// One line of valid UTF-8: control characters become spaces, invalid bytes U+FFFD, so that no cell
/// can move the cursor, break a row, or end a string of a gnuplot script.
std::string printable(std::string_view text);

/// What an error says to people; LibTorch adds where it was thrown, in lines of its own.
std::string first_line(const std::string& text);

/// The texts as a list of one line.
std::string joined(const std::vector<std::string>& texts, const char* between = ", ");

/// The value with as many digits as the leading one of its uncertainty.
std::string rounded(double value, double uncertainty);

/// "9.87 ± 0.04": as many digits as the interval supports.
std::string with_interval(double value, double low, double high);

/// Bytes of "512MiB", "2 GiB", "1.5GB" or "1e9"; nothing if it is no size of at least one byte.
std::optional<int64_t> parse_bytes(const std::string& text);

/// Whether East Asian typography gives the code point two columns.
bool is_wide(char32_t code_point);

/// Terminal columns that the text takes.
size_t display_width(std::string_view utf8);

/// The text with some characters replaced, each by what a format writes for it.
std::string escaped(std::string_view text,
                    std::initializer_list<std::pair<char, const char*>> replacements);

/// The text with & < > " ' escaped for XML and HTML.
std::string xml_escaped(std::string_view text);

/// One line of text as GitHub's Markdown shows it literally. At the start of a line, what would
/// begin a heading or a list still does.
std::string markdown_escaped(std::string_view text);

/// The bytes as part of a URI: all but unreserved characters as %XX.
std::string percent_encoded(std::string_view bytes);

}  // namespace convscope

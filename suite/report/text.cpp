#include "suite/report/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace convscope {
namespace {

struct CodePointRange {
  char32_t first, last;
};

template <size_t n>
bool in_any(const CodePointRange (&ranges)[n], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges), [c](const CodePointRange& range) {
    return range.first <= c && c <= range.last;
  });
}

// The blocks of Unicode's EastAsianWidth.txt that matter for names. wcwidth() would depend on the
// locale, and a table must not.
constexpr CodePointRange wide_blocks[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};
constexpr CodePointRange no_width[] = {
    {0x0300, 0x036F}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0xFE00, 0xFE0F}};

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

void append_utf8(std::string& out, char32_t c) {
  const auto byte = [&out](char32_t value) { out += static_cast<char>(value); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xC0 | (c >> 6)), byte(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    byte(0xE0 | (c >> 12)), byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F));
  } else {
    byte(0xF0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3F));
    byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F));
  }
}

}  // namespace

std::u32string code_points(std::string_view utf8) {
  std::u32string points;
  for (size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const size_t length = lead < 0x80   ? 1
                          : lead < 0xC2 ? 0
                          : lead < 0xE0 ? 2
                          : lead < 0xF0 ? 3
                          : lead < 0xF5 ? 4
                                        : 0;
    char32_t point = length <= 1 ? lead : lead & (0x7Fu >> length);
    bool valid = length > 0 && i + length <= utf8.size();
    for (size_t k = 1; valid && k < length; ++k) {
      const auto next = static_cast<unsigned char>(utf8[i + k]);
      valid = (next & 0xC0) == 0x80;
      point = (point << 6) | (next & 0x3Fu);
    }
    // Overlong forms, surrogates, and what lies beyond Unicode.
    valid = valid && !(length == 3 && point < 0x800) && !(length == 4 && point < 0x10000) &&
            !(point >= 0xD800 && point < 0xE000) && point < 0x110000;
    points += valid ? point : U'\uFFFD';
    i += valid ? length : 1;
  }
  return points;
}

std::string utf8(const std::u32string& points) {
  std::string out;
  for (const char32_t c : points) append_utf8(out, c);
  return out;
}

std::string printable(std::string_view text) {
  std::u32string points = code_points(text);
  std::replace_if(points.begin(), points.end(), is_control, U' ');
  return utf8(points);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string joined(const std::vector<std::string>& texts, const char* between) {
  std::string text;
  for (const std::string& item : texts) text += (text.empty() ? "" : between) + item;
  return text;
}

bool is_wide(char32_t code_point) { return in_any(wide_blocks, code_point); }

size_t display_width(std::string_view utf8) {
  size_t columns = 0;
  for (const char32_t c : code_points(utf8))
    columns += in_any(no_width, c) ? 0u : is_wide(c) ? 2u : 1u;
  return columns;
}

std::string escaped(std::string_view text,
                    std::initializer_list<std::pair<char, const char*>> replacements) {
  std::string out;
  for (const char c : text) {
    const auto found =
        std::find_if(replacements.begin(), replacements.end(),
                     [c](const auto& replacement) { return replacement.first == c; });
    if (found == replacements.end())
      out += c;
    else
      out += found->second;
  }
  return out;
}

std::string xml_escaped(std::string_view text) {
  return escaped(text,
                 {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}});
}

std::string markdown_escaped(std::string_view text) {
  const auto is_word = [&](size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_');
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    // Inside a word an underscore is literal, so most network names stay readable in the source.
    if (text[i] == '_' && i > 0 && is_word(i - 1) && is_word(i + 1))
      out += '_';
    else
      out += escaped(text.substr(i, 1), {{'&', "&amp;"},
                                         {'<', "&lt;"},
                                         {'_', "\\_"},
                                         {'\\', "\\\\"},
                                         {'|', "\\|"},
                                         {'*', "\\*"},
                                         {'`', "\\`"},
                                         {'[', "\\["},
                                         {']', "\\]"},
                                         {'~', "\\~"}});
  }
  return out;
}

std::string percent_encoded(std::string_view bytes) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~')
      out += c;
    else
      out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

std::optional<int64_t> parse_bytes(const std::string& text) {
  static const std::vector<std::pair<std::string, double>> units = {
      {"", 1},
      {"B", 1},
      {"kB", 1e3},
      {"KB", 1e3},
      {"MB", 1e6},
      {"GB", 1e9},
      {"TB", 1e12},
      {"KiB", 1024.0},
      {"MiB", 1 << 20},
      {"GiB", 1 << 30},
      {"TiB", 1024.0 * (1 << 30)},
  };
  double number = 0;
  const char* last = text.data() + text.size();
  auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc()) return std::nullopt;
  while (end != last && *end == ' ') ++end;
  for (const auto& [unit, factor] : units) {
    if (unit != std::string(end, last)) continue;
    const double count = number * factor;
    // The negation holds for what is not a number, too.
    if (!(count >= 1 && count <= 1e18)) return std::nullopt;
    return static_cast<int64_t>(count);
  }
  return std::nullopt;
}

std::string rounded(double value, double uncertainty) {
  char text[64];
  // What knows nothing of the value's digits.
  if (!(uncertainty > 0) || !std::isfinite(uncertainty) || !std::isfinite(value)) {
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
  }
  const int decimals = -static_cast<int>(std::floor(std::log10(uncertainty) + 1e-9));
  if (decimals >= 0) {
    std::snprintf(text, sizeof text, "%.*f", std::min(decimals, 9), value);
  } else {
    const double unit = std::pow(10.0, -decimals);
    std::snprintf(text, sizeof text, "%.0f", std::round(value / unit) * unit);
  }
  return text;
}

std::string with_interval(double value, double low, double high) {
  const double half = std::max(high - value, value - low);  // one side may be the longer one
  if (!(half > 0)) return value == 0 ? "0" : rounded(value, std::abs(value) * 1e-4);
  return rounded(value, half) + " ± " + rounded(half, half);
}

}  // namespace convscope

#include "suite/report/fonts.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "suite/report/process.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

constexpr char32_t everywhere_below = 0x180;  // the letters of Western and Central Europe

using GlyphRanges = std::vector<std::pair<char32_t, char32_t>>;

// The characters of all fonts, from lines like "20-7e a0-1a9 2bb".
GlyphRanges installed_glyphs() {
  GlyphRanges ranges;
  const auto program = find_program("fc-list");
  if (program.empty()) return ranges;
  std::istringstream words(
      run_process(program, {"--format", "%{charset}\n"}, "", "/", std::chrono::seconds(20)).output);
  for (std::string word; words >> word;) {
    uint32_t first = 0;
    const char* const end = word.data() + word.size();
    const auto begin = std::from_chars(word.data(), end, first, 16);
    if (begin.ec != std::errc()) continue;
    uint32_t last = first;
    if (begin.ptr != end && *begin.ptr == '-') std::from_chars(begin.ptr + 1, end, last, 16);
    ranges.emplace_back(first, last);
  }
  return ranges;
}

}  // namespace

std::vector<std::string> drawable(const std::vector<std::string>& texts) {
  std::vector<std::u32string> decoded;
  bool ask = false;
  for (const std::string& text : texts) {
    decoded.push_back(code_points(text));
    ask = ask || std::any_of(decoded.back().begin(), decoded.back().end(),
                             [](char32_t c) { return c >= everywhere_below; });
  }
  if (!ask) return texts;

  GlyphRanges glyphs;
  try {
    glyphs = installed_glyphs();
  } catch (const std::runtime_error&) {
    // As without the program: the figure is worth more than the letters.
  }
  std::vector<std::string> result;
  for (std::u32string& text : decoded) {
    for (char32_t& c : text) {
      const bool found =
          c < everywhere_below || std::any_of(glyphs.begin(), glyphs.end(), [c](const auto& range) {
            return range.first <= c && c <= range.second;
          });
      if (!found) c = U'\uFFFD';
    }
    result.push_back(utf8(text));
  }
  return result;
}

}  // namespace convscope

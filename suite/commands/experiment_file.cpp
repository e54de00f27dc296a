#include "suite/commands/experiment_file.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace convscope {
namespace {

constexpr const char* blank = " \t\r\n\v\f";

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(blank);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(blank) + 1 - begin);
}

/// Without its comment. A `#` inside a word stays: it may be a part of a path.
std::string without_comment(const std::string& line) {
  const size_t begin = line.find_first_not_of(blank);
  if (begin == std::string::npos || line[begin] == ';') return "";
  for (size_t i = begin; i < line.size(); ++i) {
    if (line[i] == '#' && (i == begin || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return line.substr(0, i);
    }
  }
  return line;
}

/// A line of a file that may be anything, for an error of one line.
std::string quoted(const std::string& line) {
  constexpr size_t longest = 60;
  std::string text = line.substr(0, longest);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; }, '?');
  return "'" + text + (line.size() > longest ? "...'" : "'");
}

}  // namespace

std::string ExperimentSection::place(const ExperimentSetting* setting) const {
  return file + ":" + std::to_string(setting ? setting->line : line);
}

const ExperimentSetting* ExperimentSection::quoted_in(const std::string& message) const {
  for (const ExperimentSetting& setting : settings) {
    const auto quotes = [&](const std::string& value) {
      return !value.empty() && message.find("'" + value + "'") != std::string::npos;
    };
    if (quotes(setting.value)) return &setting;
    std::istringstream items(setting.value);
    for (std::string item; std::getline(items, item, ',');) {
      if (quotes(trimmed(item))) return &setting;
    }
  }
  return nullptr;
}

std::vector<ExperimentSection> parse_experiment(const std::string& text, const std::string& file) {
  const std::string byte_order_mark = "\xEF\xBB\xBF";
  std::istringstream lines(text.rfind(byte_order_mark, 0) == 0 ? text.substr(byte_order_mark.size())
                                                               : text);
  std::vector<ExperimentSection> sections;
  int number = 0;
  for (std::string whole; std::getline(lines, whole);) {
    ++number;
    const std::string line = trimmed(without_comment(whole));
    if (line.empty()) continue;
    const auto fail = [&](const std::string& what) {
      return std::invalid_argument(file + ":" + std::to_string(number) + ": " + what);
    };
    if (line.front() == '[') {
      const std::string name = line.back() == ']' ? trimmed(line.substr(1, line.size() - 2)) : "";
      if (name.empty()) throw fail("expected '[command]', found " + quoted(line));
      sections.push_back({file, name, number, {}});
      continue;
    }
    const size_t equals = line.find('=');
    const std::string key = trimmed(line.substr(0, equals));
    if (equals == std::string::npos || key.empty()) {
      throw fail("expected 'key = value' or '[command]', found " + quoted(line));
    }
    if (sections.empty()) {
      throw fail("key " + quoted(key) +
                 " is in no section; put the line '[command]' of the command it is for before it");
    }
    sections.back().settings.push_back({key, trimmed(line.substr(equals + 1)), number});
  }
  return sections;
}

ExperimentHeader parse_header(const std::string& text) {
  ExperimentHeader header;
  const std::pair<std::string, std::string*> parts[] = {
      {"Question", &header.question}, {"Takes", &header.takes}, {"Claim", &header.claim}};
  std::string* part = nullptr;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line) && line.rfind('#', 0) == 0;) {
    const std::string rest = trimmed(line.substr(1));
    const bool goes_on = line.rfind("#   ", 0) == 0;
    const auto found = std::find_if(std::begin(parts), std::end(parts), [&](const auto& one) {
      return rest.rfind(one.first + " ", 0) == 0;
    });
    if (!goes_on) part = found == std::end(parts) ? nullptr : found->second;
    if (!part) continue;
    const std::string said = goes_on ? rest : trimmed(rest.substr(found->first.size()));
    *part += (part->empty() ? "" : " ") + said;
  }
  return header;
}

std::string experiment_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const bool opened = file.is_open();
  std::string text;
  char piece[4096];
  while (file.read(piece, sizeof(piece)) || file.gcount() > 0) {
    text.append(piece, static_cast<size_t>(file.gcount()));
  }
  if (!opened || file.bad()) {  // a folder opens and cannot be read
    throw std::invalid_argument("cannot read the experiment file '" + path + "'");
  }
  return text;
}

}  // namespace convscope

#include "suite/records/case_parts.h"

#include <algorithm>
#include <stdexcept>

#include "architectures/nearest.h"
#include "suite/report/text.h"

namespace convscope {

const std::vector<CasePart>& case_parts() {
  static const std::vector<CasePart> all = {{"model", "Network"}, {"input", "Input"},
                                            {"device", "Device"}, {"threads", "Threads"},
                                            {"batch", "Batch"},   {"precision", "Precision"},
                                            {"layout", "Layout"}, {"engine", "Engine"},
                                            {"mode", "Mode"},     {"scenario", "Scenario"}};
  return all;
}

std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> values(1);
  for (const char c : name) {
    if (c == '/') {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  if (values.size() != case_parts().size()) return {};
  for (const auto& [place, letter] : {std::pair<size_t, char>{3, 't'}, {4, 'b'}}) {
    if (values[place].size() > 1 && values[place][0] == letter) values[place].erase(0, 1);
  }
  return values;
}

std::string model_of(const std::string& name) {
  return name.substr(0, std::min(name.find('/'), name.find(':')));
}

std::string name_of_both(const std::string& a, const std::string& b) {
  std::vector<std::string> of_a = parts_of(a);
  const std::vector<std::string> of_b = parts_of(b);
  if (of_a.size() != of_b.size() || of_a.empty()) return a + " vs " + b;
  for (size_t part = 0; part < of_a.size(); ++part) {
    if (of_a[part] != of_b[part]) of_a[part] += " vs " + of_b[part];
  }
  return joined(of_a, "/");
}

std::vector<std::string> short_names(const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> parts;
  for (const std::string& name : names) parts.push_back(parts_of(name));
  std::vector<std::string> result;
  for (size_t i = 0; i < names.size(); ++i) {
    if (parts[i].empty()) {
      result.push_back(names[i]);
      continue;
    }
    std::string text = parts[i][0];
    for (size_t part = 1; part < parts[i].size(); ++part) {
      const bool differs = std::any_of(parts.begin(), parts.end(), [&](const auto& other) {
        return !other.empty() && other[0] == parts[i][0] && other[part] != parts[i][part];
      });
      // "t2", "b8": as in the names themselves.
      const char* letter = part == 3 ? "t" : part == 4 ? "b" : "";
      if (differs) text += " " + (letter + parts[i][part]);
    }
    result.push_back(text);
  }
  return result;
}

By parse_by(const std::string& text) {
  const size_t equals = std::min(text.find('='), text.size());
  const size_t comma = std::min(text.find(',', equals), text.size());
  const std::string column = text.substr(0, equals);
  std::vector<std::string> names;
  for (const CasePart& part : case_parts()) names.push_back(part.name);
  const auto found = std::find(names.begin(), names.end(), column);
  if (found == names.end()) {
    throw std::invalid_argument("--by '" + text + "': cases have no '" + column + "'" +
                                did_you_mean(column, names) + "; they have " + joined(names));
  }
  if (comma + 1 >= text.size() || comma <= equals + 1 ||
      text.find(',', comma + 1) != std::string::npos) {
    throw std::invalid_argument("--by '" + text +
                                "': expected two values, as in --by engine=eager,frozen");
  }
  By by{static_cast<size_t>(found - names.begin()), text.substr(equals + 1, comma - equals - 1),
        text.substr(comma + 1)};
  if (by.a == by.b)
    throw std::invalid_argument("--by '" + text + "' compares '" + by.a + "' with itself");
  return by;
}

}  // namespace convscope

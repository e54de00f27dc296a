// Lists of classes as people keep them: a line each, or torchvision's and Keras's JSON.
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "suite/data/bytes.h"
#include "suite/data/datasets.h"

namespace convscope {
namespace {

ClassList from_json(const std::string& text, const std::string& path) {
  const auto refuse = [&](const std::string& found) {
    throw std::invalid_argument(path + ": expected {\"0\": [\"n01440764\", \"tench\"], ...} with " +
                                "every class from 0, or [\"tench\", ...], found " + found);
  };
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) refuse("no valid JSON");
  if (!json.is_object() && !json.is_array()) refuse("something else");
  ClassList classes;
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string key = std::to_string(i);
    if (json.is_object() && !json.contains(key)) refuse("no \"" + key + "\"");
    const auto& entry = json.is_object() ? json[key] : json[i];
    const bool pair =
        entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string();
    if (!pair && !entry.is_string()) {
      // Writing a list of lists calls itself, as deep as the file says.
      refuse((entry.is_structured() ? "another " + std::string(entry.type_name()) : entry.dump()) +
             " for class " + key);
    }
    classes.ids.push_back(pair ? entry[0] : entry);
    classes.names.push_back(pair ? entry[1] : entry);
  }
  return classes;
}

/// "n01440764 tench, Tinca tinca", as Caffe's synset_words.txt has it.
bool is_id_and_name(const std::string& line) {
  return line.size() > 10 && line[0] == 'n' && line[9] == ' ' &&
         line.find_first_not_of("0123456789", 1) == 9;
}

ClassList from_lines(const std::string& text, const std::string& path) {
  ClassList classes;
  std::istringstream stream(text);
  size_t number = 0, empty = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.empty()) {
      if (empty == 0) empty = number;
      continue;
    }
    // At the end of a file empty lines mean nothing; elsewhere a class may be missing.
    if (empty != 0) {
      throw std::invalid_argument(path + ": expected a class on every line, found line " +
                                  std::to_string(empty) + " empty; remove it");
    }
    const bool both = is_id_and_name(line);
    classes.ids.push_back(both ? line.substr(0, 9) : line);
    classes.names.push_back(both ? line.substr(10) : line);
  }
  return classes;
}

}  // namespace

ClassList read_class_list(const std::filesystem::path& path) {
  constexpr uint64_t limit = gibibyte / 16;
  const NamedBytes file = read_file(path, limit);
  return parse_class_list({file.bytes.begin(), file.bytes.end()}, file.name);
}

ClassList parse_class_list(const std::string& text, const std::string& name) {
  if (text.find('\0') != std::string::npos) {
    throw std::invalid_argument(name + ": expected a list of classes as text, found other bytes");
  }
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && (text[first] == '{' || text[first] == '[');
  ClassList classes = json ? from_json(text, name) : from_lines(text, name);
  if (classes.names.empty()) {
    throw std::invalid_argument(name + ": expected a list of classes, found an empty file");
  }
  return classes;
}

}  // namespace convscope

#include "suite/records/manifest.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace convscope {
namespace {

using nlohmann::ordered_json;

std::string text_of(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string text_of(const ordered_json& object, const char* key) {
  return object.is_object() && object.contains(key) ? text_of(object[key]) : "";
}

Manifest::Run run_of(const std::string& name, const ordered_json& object) {
  Manifest::Run run{name,
                    text_of(object, "started"),
                    text_of(object, "finished"),
                    text_of(object, "configuration"),
                    text_of(object, "env"),
                    {}};
  for (const auto& [key, value] : object.items()) {
    const bool known = key == "started" || key == "finished" || key == "configuration" ||
                       key == "env" || key == "machine";
    if (!known) run.facts.emplace_back(key, text_of(value));
  }
  return run;
}

}  // namespace

std::vector<std::string> differences(const Environments& known, const std::set<std::string>& ids) {
  std::map<std::string, std::set<std::string>> values;
  for (const std::string& id : ids) {
    const auto found = known.find(id);
    if (found == known.end()) return {"env"};
    for (const auto& [name, value] : found->second) values[name].insert(value);
  }
  std::vector<std::string> names;
  for (const auto& [name, of_all] : values) {
    const bool everywhere = std::all_of(ids.begin(), ids.end(), [&, &n = name](const auto& id) {
      return known.at(id).count(n) > 0;
    });
    if (of_all.size() > 1 || !everywhere) names.push_back(name);
  }
  return names.empty() && ids.size() > 1 ? std::vector<std::string>{"env"} : names;
}

std::string Manifest::Run::command() const { return name.substr(0, name.find(' ')); }

bool Manifest::Run::only_draws() const { return command() == "plot" || command() == "report"; }

std::vector<std::pair<std::string, std::string>> Manifest::Run::settings() const {
  std::vector<std::pair<std::string, std::string>> found;
  std::istringstream lines(configuration);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find(" = ");
    if (equals != std::string::npos) {
      found.emplace_back(line.substr(0, equals), line.substr(equals + 3));
    }
  }
  return found;
}

std::string Manifest::Run::setting(const std::string& key) const {
  std::string value;
  for (const auto& [name_of_one, one] : settings()) {
    if (name_of_one == key) value += (value.empty() ? "" : ",") + one;
  }
  return value;
}

std::string Manifest::Run::fact(const std::string& wanted) const {
  for (const auto& [name_of_one, value] : facts) {
    if (name_of_one == wanted) return value;
  }
  return "";
}

bool manifest_is_damaged(const std::filesystem::path& folder) {
  std::ifstream file(folder / "manifest.json");
  if (!file) return false;
  const auto json = ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
  return !json.is_object();
}

Manifest read_manifest(const std::filesystem::path& folder) {
  Manifest manifest;
  std::ifstream file(folder / "manifest.json");
  if (!file) return manifest;
  const auto json = ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return manifest;
  if (json.contains("environments") && json["environments"].is_object()) {
    for (const auto& [id, facts] : json["environments"].items()) {
      if (!facts.is_object()) continue;
      for (const auto& [name, value] : facts.items()) {
        manifest.environments[id][name] = text_of(value);
      }
    }
  }
  if (json.contains("runs") && json["runs"].is_object()) {
    for (const auto& [name, run] : json["runs"].items()) {
      if (run.is_object()) manifest.runs.push_back(run_of(name, run));
    }
  }
  std::stable_sort(manifest.runs.begin(), manifest.runs.end(),
                   [](const auto& a, const auto& b) { return a.started < b.started; });
  if (json.contains("experiment")) {
    manifest.experiment = text_of(json["experiment"], "file");
    manifest.question = text_of(json["experiment"], "question");
    manifest.claim = text_of(json["experiment"], "claim");
  }
  return manifest;
}

}  // namespace convscope

#include "suite/records/repeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include "suite/records/case_parts.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

/// The value of a row's column; "" if the record has no such column.
std::string value_of(const Table& table, size_t row, const std::string& column) {
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].name == column) return raw_text(table.rows[row][c]);
  }
  return "";
}

/// The file that some run took for a network of this name; "" for one of the catalogue.
std::string module_file(const Manifest& manifest, const std::string& name) {
  for (const Manifest::Run& run : manifest.runs) {
    for (const auto& [key, file] : run.settings()) {
      if (key == "module" && std::filesystem::path(file).filename() == name) return file;
    }
  }
  return "";
}

/// "resnet50:width=0.5:classes=10" as options.
std::string network_options(const Manifest& manifest, const std::string& name) {
  std::istringstream parts(name);
  std::string part, text;
  std::getline(parts, part, ':');
  const std::string file = module_file(manifest, part);
  text = file.empty() ? shell_word(part) : "--module " + shell_word(file);
  while (std::getline(parts, part, ':')) {
    const size_t equals = std::min(part.find('='), part.size());
    text += " " + shell_word("--" + part.substr(0, equals));
    if (equals < part.size()) text += " " + shell_word(part.substr(equals + 1));
  }
  return text;
}

/// What is not as in the paper is in the words of the variant: ", width 0.5, 10 classes".
std::string cost_command(const Manifest& manifest, const Table& table, size_t row) {
  std::string name = value_of(table, row, "model");
  std::istringstream parts(value_of(table, row, "variant"));
  for (std::string part; std::getline(parts, part, ',');) {
    part.erase(0, part.find_first_not_of(' '));
    const size_t classes = part.find(" classes");
    if (part.rfind("width ", 0) == 0 && part != "width 1") name += ":width=" + part.substr(6);
    if (classes != std::string::npos) name += ":classes=" + part.substr(0, classes);
    if (part.rfind("auxiliary heads", 0) == 0) name += ":auxiliary";
    if (part == "batch norm folded") name += ":fold-bn";
  }
  return "convscope cost " + network_options(manifest, name) + " -i " +
         shell_word(value_of(table, row, "input"));
}

/// How long it was measured, of the run that measured it.
std::string bench_settings(const Manifest& manifest) {
  const auto run = std::find_if(manifest.runs.begin(), manifest.runs.end(),
                                [](const Manifest::Run& one) { return one.name == "bench"; });
  if (run == manifest.runs.end()) return "";
  if (run->setting("quick") == "true") return " --quick";
  std::string text;
  for (const char* key : {"min-time", "max-noise", "timeout", "warmup"}) {
    if (!run->setting(key).empty())
      text += fmt::format(" --{} {}", key, shell_word(run->setting(key)));
  }
  return text;
}

std::string bench_command(const Manifest& manifest, const Table& table, size_t row) {
  const std::string name = value_of(table, row, "case");
  const auto value = [&](const char* column) { return value_of(table, row, column); };
  const std::string model =
      parts_of(name).empty() ? value("model") : name.substr(0, name.find('/'));
  std::string text = "convscope bench " + network_options(manifest, model) + " -i " +
                     shell_word(value("input")) + " -b " + shell_word(value("batch")) + " -t " +
                     shell_word(value("threads"));
  const std::pair<const char*, const char*> usual[] = {{"device", "cpu"},
                                                       {"precision", "float32"},
                                                       {"layout", "contiguous"},
                                                       {"engine", "eager"},
                                                       {"mode", "inference"}};
  for (const auto& [option, standard] : usual) {
    // The parts of a step: "train forward".
    const std::string of_row = value(option), first = of_row.substr(0, of_row.find(' '));
    if (!first.empty() && first != standard)
      text += fmt::format(" --{} {}", option, shell_word(first));
  }
  if (!value("scenario").empty()) text += " --scenario " + shell_word(value("scenario"));
  return text + bench_settings(manifest);
}

/// The command of the manifest whose run has this row, with the row's seed alone.
std::string train_command(const Manifest& manifest, const Table& table, size_t row) {
  const auto value = [&](const char* column) { return value_of(table, row, column); };
  for (const Manifest::Run& run : manifest.runs) {
    if (run.command() != "train" || run.setting("protocol") != value("protocol")) continue;
    const std::string name =
        run.setting("name").empty() ? run.setting("model") : run.setting("name");
    if (value("run") != name + "-" + value("protocol") + "-" + value("seed")) continue;
    std::string text = "convscope train";
    static const std::set<std::string> others = {"seeds",  "seed",   "results",
                                                 "resume", "format", "controls"};
    for (const auto& [key, one] : run.settings()) {
      if (others.count(key)) continue;
      text += " " + shell_word("--" + key) + (one == "true" ? "" : " " + shell_word(one));
    }
    return text + " --seeds " + shell_word(value("seed"));
  }
  return "";
}

}  // namespace

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) ||
           std::string("_-./:=,+%@").find(static_cast<char>(c)) != std::string::npos;
  });
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string repeat_file(const Manifest& manifest) {
  std::string text;
  for (const Manifest::Run& run : manifest.runs) {
    if (run.only_draws() || run.configuration.empty()) continue;
    std::istringstream lines(run.configuration);
    for (std::string line; std::getline(lines, line);) {
      // It is to have a folder of its own.
      if (line.rfind("results = ", 0) == 0 || line.rfind("resume = ", 0) == 0) continue;
      text += printable(line) + "\n";
    }
    text += "\n";
  }
  if (text.empty()) return "";
  return "# Makes these results again, in a folder of its own: convscope run repeat.ini\n" +
         (manifest.question.empty() ? "" : "# Question  " + printable(manifest.question) + "\n") +
         (manifest.claim.empty() ? "" : "# Claim     " + printable(manifest.claim) + "\n") + "\n" +
         text + "[report]\n";
}

void add_commands(const std::string& record, const Manifest& manifest, Table& table) {
  const bool known = record == "cost.csv" || record == "bench.csv" || record == "runs.csv";
  if (!known) return;
  table.columns.push_back({"repeat", "Command", Human::none});
  for (size_t row = 0; row < table.rows.size(); ++row) {
    std::string command;
    if (record == "cost.csv") command = cost_command(manifest, table, row);
    if (record == "bench.csv") command = bench_command(manifest, table, row);
    if (record == "runs.csv") command = train_command(manifest, table, row);
    table.rows[row].push_back(command.empty() ? Cell() : Cell(command));
  }
}

}  // namespace convscope

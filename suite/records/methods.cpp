#include "suite/records/methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "suite/records/case_parts.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

std::string command_of(const Manifest::Run& run) { return run.name.substr(0, run.name.find(' ')); }

/// The keys and values of a recorded configuration, in its order.
std::vector<std::pair<std::string, std::string>> settings_of(const Manifest::Run& run) {
  std::vector<std::pair<std::string, std::string>> settings;
  std::istringstream lines(run.configuration);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find(" = ");
    if (equals != std::string::npos) {
      settings.emplace_back(line.substr(0, equals), line.substr(equals + 3));
    }
  }
  return settings;
}

/// Its value, or values with commas between; "" if it is not there.
std::string setting(const Manifest::Run& run, const std::string& key) {
  std::string value;
  for (const auto& [name, one] : settings_of(run)) {
    if (name == key) value += (value.empty() ? "" : ",") + one;
  }
  return value;
}

std::string fact(const Manifest::Run& run, const std::string& key) {
  for (const auto& [name, value] : run.facts) {
    if (name == key) return value;
  }
  return "";
}

std::string where(const Manifest& manifest, const std::string& env) {
  const auto found = manifest.environments.find(env);
  if (found == manifest.environments.end()) return "";
  const auto value = [&](const char* name) {
    const auto fact = found->second.find(name);
    return fact == found->second.end() ? std::string("unknown") : fact->second;
  };
  return fmt::format("{} ({} cores), LibTorch {}, oneDNN {}, {}, convscope {} (commit {})",
                     value("cpu"), value("cores"), value("libtorch"), value("onednn"),
                     value("compiler"), value("version"), value("commit"));
}

std::string count_methods(const Records& records) {
  CsvFile csv = records.read_models("cost.csv");
  const size_t status = column_index(csv, "status");
  keep_rows(csv, [&](const CsvRow& row) { return row.fields[status] != "failed"; });
  std::set<std::string> inputs, models;
  for (const std::string& input : texts(csv, "input")) inputs.insert(input);
  for (const std::string& model : texts(csv, "model")) models.insert(model);
  if (models.empty()) return "";
  return fmt::format(
      "Counting. Parameters, multiply-accumulates, activations, memory and receptive fields of {} "
      "network{} are exact: every operator call of each network's own forward pass is intercepted "
      "for one image ({}). Multiply-accumulates are those of convolutions, linear layers and "
      "matrix "
      "products; biases, normalisation, activation functions and pooling are not among them.",
      models.size(), models.size() == 1 ? "" : "s",
      inputs.size() <= 4 ? joined({inputs.begin(), inputs.end()}) : "sizes in the table");
}

std::string time_methods(const Records& records, const Manifest& manifest,
                         const Manifest::Run& run) {
  const CsvFile csv = records.read_models("bench.csv");
  if (csv.rows.empty()) return "";
  const auto samples = numbers(csv, "samples");
  const auto status = texts(csv, "status");
  double least = HUGE_VAL, most = 0;
  for (const double n : samples) {
    if (!(n > 0) || !std::isfinite(n)) continue;
    least = std::min(least, n);
    most = std::max(most, n);
  }
  const auto noisy = std::count(status.begin(), status.end(), "noisy");
  const bool quick = setting(run, "quick") == "true";
  const std::string machine = where(manifest, run.env);
  std::string text = fmt::format("Timing. {} case{} measured{}, each in a process of its own",
                                 csv.rows.size(), csv.rows.size() == 1 ? " was" : "s were",
                                 machine.empty() ? "" : " on " + machine);
  // What was not recorded is not told.
  if (!setting(run, "interleave").empty()) {
    text += fmt::format(", up to {} at a time with their repetitions in random order",
                        setting(run, "interleave"));
  }
  text += ". ";
  if (!setting(run, "warmup").empty() && !setting(run, "max-noise").empty() &&
      !setting(run, "timeout").empty()) {
    text += fmt::format(
        "After a warm-up of {} s or more, until times no longer drifted, repetitions of samples "
        "followed until the 95 % interval of the median was within {} % to either side, or for {} "
        "s{}. ",
        setting(run, "warmup"), setting(run, "max-noise"), setting(run, "timeout"),
        quick ? " (a quick look: 0.3 s each unless said otherwise)" : "");
  }
  if (most > 0) {
    text += fmt::format("There are {:.0f}{} samples of each. ", least,
                        most > least ? fmt::format(" to {:.0f}", most) : "");
  }
  text +=
      "Intervals are between order statistics of the repetitions' medians, whatever the "
      "distribution. Repetitions that the machine disturbed were measured again, or are marked.";
  if (noisy > 0) {
    text += fmt::format(" {} of {} cases did not reach the interval and are marked noisy.", noisy,
                        csv.rows.size());
  }
  return text;
}

std::string training_methods(const Manifest& manifest, const Manifest::Run& run) {
  const auto value = [&](const char* key) { return setting(run, key); };
  std::string text = fmt::format("Training ({}). Network {}, data {}, protocol {}", run.name,
                                 value("model"), value("data"), value("protocol"));
  if (!value("weights").empty()) text += ", starting from " + value("weights");
  const std::pair<const char*, const char*> parts[] = {{"epochs", "epochs"},
                                                       {"batch", "images a step"},
                                                       {"lr", "learning rate"},
                                                       {"optimizer", "optimizer"},
                                                       {"schedule", "schedule"},
                                                       {"weight-decay", "weight decay"},
                                                       {"label-smoothing", "label smoothing"},
                                                       {"mixup", "mixup"},
                                                       {"cutmix", "CutMix"},
                                                       {"precision", "precision"}};
  for (const auto& [key, name] : parts) {
    if (!value(key).empty()) text += fmt::format("; {} {}", name, value(key));
  }
  text += "; seeds " + (value("seeds").empty() ? value("seed") : value("seeds")) + ".";
  if (!fact(run, "weights_sha256").empty()) {
    text += " SHA-256 of the weights: " + fact(run, "weights_sha256") + ".";
  }
  const std::string machine = where(manifest, run.env);
  return machine.empty() ? text : text + " On " + machine + ".";
}

std::string evaluation_methods(const Manifest::Run& run) {
  std::string text = fmt::format("Evaluation. {} with the weights {} on {}", setting(run, "model"),
                                 setting(run, "weights"), setting(run, "data"));
  if (!fact(run, "weights_sha256").empty()) {
    text += fmt::format(" (SHA-256 {})", fact(run, "weights_sha256"));
  }
  return text + "; intervals are Wilson's at 95 %.";
}

/// The value of a row's column; "" if the record has no such column.
std::string value_of(const Table& table, size_t row, const std::string& column) {
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].name == column) return raw_text(table.rows[row][c]);
  }
  return "";
}

/// "resnet50:width=0.5:classes=10" as options.
std::string network_options(const std::string& name) {
  std::istringstream parts(name);
  std::string part, text;
  std::getline(parts, part, ':');
  text = shell_word(part);
  while (std::getline(parts, part, ':')) {
    const size_t equals = std::min(part.find('='), part.size());
    text += " " + shell_word("--" + part.substr(0, equals));
    if (equals < part.size()) text += " " + shell_word(part.substr(equals + 1));
  }
  return text;
}

/// What is not as in the paper is in the words of the variant: ", width 0.5, 10 classes".
std::string cost_command(const Table& table, size_t row) {
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
  return "convscope cost " + network_options(name) + " -i " +
         shell_word(value_of(table, row, "input"));
}

std::string bench_command(const Table& table, size_t row) {
  const std::string name = value_of(table, row, "case");
  const auto value = [&](const char* column) { return value_of(table, row, column); };
  const std::string model =
      parts_of(name).empty() ? value("model") : name.substr(0, name.find('/'));
  std::string text = "convscope bench " + network_options(model) + " -i " +
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
  return text;
}

/// The command of the manifest whose run has this row, with the row's seed alone.
std::string train_command(const Manifest& manifest, const Table& table, size_t row) {
  const auto value = [&](const char* column) { return value_of(table, row, column); };
  for (const Manifest::Run& run : manifest.runs) {
    if (command_of(run) != "train" || setting(run, "protocol") != value("protocol")) continue;
    const std::string name =
        setting(run, "name").empty() ? setting(run, "model") : setting(run, "name");
    if (value("run") != name + "-" + value("protocol") + "-" + value("seed")) continue;
    std::string text = "convscope train";
    static const std::set<std::string> others = {"seeds",  "seed",   "results",
                                                 "resume", "format", "controls"};
    for (const auto& [key, one] : settings_of(run)) {
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

std::vector<std::string> methods(const Records& records, const Manifest& manifest) {
  std::vector<std::string> paragraphs;
  const auto add = [&](const std::string& paragraph) {
    if (!paragraph.empty()) paragraphs.push_back(paragraph);
  };
  if (records.has("cost.csv")) add(count_methods(records));
  for (const Manifest::Run& run : manifest.runs) {
    const std::string command = command_of(run);
    if (command == "bench" && run.name == "bench" && records.has("bench.csv")) {
      add(time_methods(records, manifest, run));
    }
    if (command == "train" && run.name.find("find-lr") == std::string::npos) {
      paragraphs.push_back(training_methods(manifest, run));
    }
    if (command == "evaluate") paragraphs.push_back(evaluation_methods(run));
  }
  if (manifest.runs.empty()) {
    paragraphs.emplace_back(
        "There is no manifest.json beside these records, so how they were made is not known.");
  }
  return paragraphs;
}

std::string repeat_file(const Manifest& manifest) {
  std::string text;
  for (const Manifest::Run& run : manifest.runs) {
    const std::string command = command_of(run);
    if (command == "plot" || command == "report" || run.configuration.empty()) continue;
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
    if (record == "cost.csv") command = cost_command(table, row);
    if (record == "bench.csv") command = bench_command(table, row);
    if (record == "runs.csv") command = train_command(manifest, table, row);
    table.rows[row].push_back(command.empty() ? Cell() : Cell(command));
  }
}

}  // namespace convscope

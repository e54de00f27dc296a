// convscope run: an experiment file, section by section, into one results folder.
#include <algorithm>
#include <filesystem>
#include <string>
#include <typeinfo>

#include "suite/commands/command.h"
#include "suite/commands/output.h"
#include "suite/commands/program.h"

namespace convscope {
namespace {

/// What the sections left of the arguments. One that no section knows is an error.
void expect_known(const std::vector<std::vector<std::string>>& ignored, const std::string& path) {
  if (ignored.empty()) return;
  for (const std::string& word : ignored[0]) {
    const bool by_all = std::all_of(ignored.begin(), ignored.end(), [&](const auto& words) {
      return std::count(words.begin(), words.end(), word) > 0;
    });
    if (by_all) throw UsageError("run: no section of " + path + " takes '" + word + "'");
  }
}

/// What a command finds wrong with its settings is reported with their place.
int run_section(const ExperimentSection& section, const Invocation& invocation) {
  try {
    return invocation.command.run(invocation);
  } catch (const std::invalid_argument& error) {
    const std::string said = error.what();
    throw UsageError(section.place(section.quoted_in(said)) + ": [" + section.name + "] " + said);
  }
}

/// Where a command wrote its records; "" for one that writes none.
std::string results_of(const po::variables_map& values) {
  const bool one =
      values.count("results") && values["results"].value().type() == typeid(std::string);
  return one ? values["results"].as<std::string>() : "";
}

po::option setting(const std::string& key, const std::string& value) {
  return po::option(key, {value});
}

int run(const Invocation& invocation) {
  std::vector<std::string> arguments = invocation.arguments;
  const auto is_word = [](const std::string& argument) { return argument.rfind('-', 0) != 0; };
  const auto file = std::find_if(arguments.begin(), arguments.end(), is_word);
  if (file != arguments.begin() || arguments.empty()) {
    throw UsageError("run: name an experiment file first, as in '" + invocation.command.example +
                     "'");
  }
  const std::string path = *file;
  arguments.erase(arguments.begin());
  const std::vector<ExperimentSection> sections = read_experiment(path);
  const std::string folder =
      (std::filesystem::path("results") / std::filesystem::path(path).stem()).string();

  const ExperimentHeader header = parse_header(experiment_text(path));
  struct Step {
    const Command* command;
    const ExperimentSection* section;
    po::variables_map values;
  };
  std::vector<Step> steps;
  std::vector<std::vector<std::string>> ignored;
  for (const ExperimentSection& section : sections) {
    const Command* command = find_command(section.name);
    Sources sources{arguments, section, {}, &ignored.emplace_back()};
    if (command->options.find_nothrow("results", false)) {
      sources.defaults.push_back(setting("results", folder));
    }
    // What the first section of a command wrote is not replaced by the second's.
    const bool again = std::any_of(steps.begin(), steps.end(),
                                   [&](const Step& step) { return step.command == command; });
    if (again && command->options.find_nothrow("resume", false)) {
      sources.defaults.push_back(setting("resume", "true"));
    }
    steps.push_back({command, &section, gather(*command, sources)});
  }
  expect_known(ignored, path);

  int code = done;
  for (const Step& step : steps) {
    if (invocation.flag("dump-config")) {
      invocation.out << dump_config(*step.command, step.values) << "\n";
      continue;
    }
    const int step_code = run_section(
        *step.section, {*step.command, arguments, step.values, invocation.out, invocation.err});
    if (step_code == usage || step_code == interrupted) return step_code;
    code = std::max(code, step_code);
    // After each, so that a report that is one of them knows its question.
    if (const std::string written = results_of(step.values); !written.empty()) {
      record_experiment(written, path, header);
    }
  }
  return code;
}

}  // namespace

Command run_command() {
  return {"run",
          "an experiment: several of the above, from one file",
          "convscope run experiments/lineage.ini",
          {},
          {"FILE"},
          run};
}

}  // namespace convscope

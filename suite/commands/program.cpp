#include "suite/commands/program.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <iostream>

#include "architectures/nearest.h"
#include "suite/report/text.h"
#include "suite/timing/bench_process.h"
#include "suite/version.h"

namespace convscope {
namespace {

po::options_description all_options(const Command& command) {
  po::options_description options;
  options.add(command.options);
  options.add_options()                                                             //
      ("help,h", po::bool_switch(), "print this help")                              //
      ("config", text_value(), "FILE: settings from the section of an experiment")  //
      ("dump-config", po::bool_switch(), "print the effective settings and stop");
  return options;
}

/// The options that are not settings of the work itself.
bool is_setting(const std::string& option) {
  return option != "help" && option != "config" && option != "dump-config";
}

std::vector<std::string> option_names(const Command& command) {
  const po::options_description options = all_options(command);
  std::vector<std::string> names;
  for (const auto& option : options.options()) names.push_back(option->long_name());
  return names;
}

std::string unknown_option(const std::string& command, const std::string& option,
                           const std::vector<std::string>& names, const std::string& dashes) {
  return command + ": unknown option '" + option + "'" +
         did_you_mean(option.substr(std::min(option.find_first_not_of('-'), option.size())), names,
                      dashes);
}

/// "CONVSCOPE_DRY_RUN" -> "dry-run"; "" for other variables and for options of other commands.
std::string option_of_variable(const std::string& variable, const std::vector<std::string>& names) {
  static const std::string prefix = "CONVSCOPE_";
  if (variable.rfind(prefix, 0) != 0) return "";
  std::string option = variable.substr(prefix.size());
  std::transform(option.begin(), option.end(), option.begin(), [](unsigned char c) {
    return c == '_' ? '-' : static_cast<char>(std::tolower(c));
  });
  const bool known = std::count(names.begin(), names.end(), option) && is_setting(option);
  return known ? option : "";
}

po::parsed_options as_parsed(const std::vector<po::option>& settings,
                             const po::options_description& options) {
  po::parsed_options parsed(&options);
  parsed.options = settings;
  return parsed;
}

/// A wrong value is reported with its place in the file.
void store_experiment(const ExperimentSection& section, const po::options_description& options,
                      po::variables_map& values) {
  std::vector<po::option> settings;
  for (const ExperimentSetting& setting : section.settings) {
    settings.emplace_back(setting.key, std::vector<std::string>{setting.value});
  }
  try {
    po::store(as_parsed(settings, options), values);
  } catch (const po::error_with_option_name& error) {
    const auto wrong = std::find_if(
        section.settings.rbegin(), section.settings.rend(),
        [&](const ExperimentSetting& setting) { return setting.key == error.get_option_name(); });
    const bool found = wrong != section.settings.rend();
    throw UsageError(section.place(found ? &*wrong : nullptr) + ": [" + section.name + "] " +
                     first_line(error.what()));
  }
}

void print_help(const Command& command, std::ostream& out) {
  out << "convscope " << command.name;
  for (const std::string& word : command.positional) out << " [" << word << "]";
  out << (command.positional.empty() ? "" : " ...") << " [options]\n  " << command.summary << "\n\n"
      << all_options(command) << "\nExample: " << command.example << "\n";
}

void print_overview(std::ostream& out) {
  out << "convscope: what convolutional networks cost, how fast they are, how well they transfer.\n"
         "\n";
  for (const Command& command : commands()) {
    out << "  convscope " << command.name << std::string(12 - command.name.size(), ' ')
        << command.summary << "\n";
  }
  out << "\n'convscope COMMAND --help' shows the options of a command and an example.\n";
}

/// What follows "--" as values of the option that the command has for it.
std::vector<std::string> with_rest_named(const Command& command,
                                         std::vector<std::string> arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (command.rest.empty() || dashes == arguments.end()) return arguments;
  std::vector<std::string> named(arguments.begin(), dashes);
  for (auto word = dashes + 1; word != arguments.end(); ++word) {
    named.push_back("--" + command.rest + "=" + *word);
  }
  return named;
}

int run_command_line(const std::vector<std::string>& arguments, std::ostream& out,
                     std::ostream& err) {
  const std::string first = arguments.empty() ? "" : arguments[0];
  if (first == "--version") {
    out << "convscope " << version << " (" << commit << ")\n";
    return done;
  }
  // Not for people: how bench starts a process for a case.
  if (first == "bench-worker") return serve_bench_requests();
  if (first == "--help" || first == "-h" || first == "help" || first.empty()) {
    print_overview(first.empty() ? err : out);
    return first.empty() ? usage : done;
  }
  const Command* command = find_command(first);
  if (!command) {
    std::vector<std::string> names;
    for (const Command& known : commands()) names.push_back(known.name);
    throw UsageError("unknown command '" + first + "'" + did_you_mean(first, names) +
                     " ('convscope --help' shows them all)");
  }
  Sources sources{
      with_rest_named(*command, {arguments.begin() + 1, arguments.end()}), {}, {}, nullptr};
  std::vector<std::string> for_sections;
  if (command->name == "run") sources.ignored = &for_sections;
  po::variables_map values = gather(*command, sources);
  if (values["help"].as<bool>()) {
    print_help(*command, out);
    return done;
  }
  const std::string config = values["config"].as<std::string>();
  if (!config.empty()) {
    for (const ExperimentSection& section : read_experiment(config)) {
      if (section.name != command->name) continue;
      if (!sources.experiment.name.empty()) {
        throw UsageError(section.place() + ": a second section [" + section.name +
                         "]; 'convscope run' runs them all");
      }
      sources.experiment = section;
    }
    values = gather(*command, sources);
  }
  if (values["dump-config"].as<bool>() && command->name != "run") {
    out << dump_config(*command, values);
    return done;
  }
  try {
    return command->run({*command, sources.arguments, values, out, err});
  } catch (const std::invalid_argument& error) {
    const ExperimentSetting* wrong = sources.experiment.quoted_in(error.what());
    if (!wrong) throw;
    throw UsageError(sources.experiment.place(wrong) + ": " + error.what());
  }
}

}  // namespace

const std::string& Invocation::text(const std::string& option) const {
  return values[option].as<std::string>();
}

bool Invocation::flag(const std::string& option) const { return values[option].as<bool>(); }

std::vector<std::string> Invocation::list(const std::string& option) const {
  std::vector<std::string> items;
  if (!values.count(option)) return items;
  for (const std::string& given : values[option].as<std::vector<std::string>>()) {
    size_t begin = 0;
    while (begin <= given.size()) {
      const size_t comma = std::min(given.find(',', begin), given.size());
      const size_t first = std::min(given.find_first_not_of(' ', begin), comma);
      const size_t last = given.find_last_not_of(' ', comma - (comma > 0));
      if (comma > first) items.push_back(given.substr(first, std::min(comma, last + 1) - first));
      begin = comma + 1;
    }
  }
  return items;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      list_command(),    cost_command(),  bench_command(),      calibrate_command(),
      compare_command(), plot_command(),  report_command(),     evaluate_command(),
      predict_command(), train_command(), transfer_command(),   features_command(),
      filters_command(), maps_command(),  erf_command(),        saliency_command(),
      shift_command(),   dream_command(), neighbours_command(), weights_command(),
      env_command(),     run_command()};
  return all;
}

const Command* find_command(const std::string& name) {
  for (const Command& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

po::variables_map gather(const Command& command, const Sources& sources) {
  const po::options_description options = all_options(command);
  const std::vector<std::string> names = option_names(command);
  po::positional_options_description positional;
  for (const std::string& word : command.positional) {
    positional.add(word.c_str(), word == command.positional.back() ? -1 : 1);
  }
  po::variables_map values;
  try {
    po::command_line_parser parser(sources.arguments);
    parser.options(options).style(po::command_line_style::unix_style ^
                                  po::command_line_style::allow_guessing);
    if (sources.ignored) {
      parser.allow_unregistered();
    } else {
      parser.positional(positional);
    }
    const po::parsed_options parsed = parser.run();
    if (sources.ignored) {
      *sources.ignored = po::collect_unrecognized(parsed.options, po::include_positional);
    }
    po::store(parsed, values);
    store_experiment(sources.experiment, options, values);
    po::store(po::parse_environment(
                  options,
                  [&](const std::string& variable) { return option_of_variable(variable, names); }),
              values);
    po::store(as_parsed(sources.defaults, options), values);
    po::notify(values);
  } catch (const po::unknown_option& error) {
    throw UsageError(unknown_option(command.name, error.get_option_name(), names, "--"));
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError(command.name + ": takes options only, no words without '--'");
  } catch (const po::error& error) {
    throw UsageError(command.name + ": " + first_line(error.what()));
  }
  return values;
}

std::vector<ExperimentSection> read_experiment(const std::string& path) {
  std::vector<ExperimentSection> sections = parse_experiment(experiment_text(path), path);
  for (const ExperimentSection& section : sections) {
    const Command* command = find_command(section.name);
    if (!command || section.name == "run") {
      std::vector<std::string> names;
      for (const Command& known : commands()) {
        if (known.name != "run") names.push_back(known.name);
      }
      throw UsageError(section.place() + ": section [" + section.name +
                       "] is no command that an experiment can run" +
                       did_you_mean(section.name, names));
    }
    std::vector<std::string> keys = option_names(*command);
    keys.erase(std::remove_if(keys.begin(), keys.end(), std::not_fn(is_setting)), keys.end());
    for (const ExperimentSetting& setting : section.settings) {
      if (std::count(keys.begin(), keys.end(), setting.key)) continue;
      throw UsageError(section.place(&setting) + ": [" + section.name + "] has no key '" +
                       setting.key + "'" + did_you_mean(setting.key, keys));
    }
  }
  if (sections.empty()) throw UsageError(path + ": no section, so nothing to run");
  return sections;
}

std::string dump_config(const Command& command, const po::variables_map& values) {
  std::string text = "[" + command.name + "]\n";
  const Invocation invocation{command, {}, values, std::cout, std::cerr};
  for (const auto& option : command.options.options()) {
    const std::string& name = option->long_name();
    if (!values.count(name)) continue;
    const auto& value = values[name].value();
    std::string written;
    if (value.type() == typeid(bool)) {
      written = invocation.flag(name) ? "true" : "";
    } else if (value.type() == typeid(std::string)) {
      written = invocation.text(name);
    } else {
      // As they were given: of some options commas do not part the values.
      for (const std::string& item : values[name].as<std::vector<std::string>>()) {
        text += name + " = " + item + "\n";
      }
    }
    if (!written.empty()) text += name + " = " + written + "\n";
  }
  return text;
}

int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  try {
    const int code = run_command_line(arguments, out, err);
    out.flush();
    if (!out) throw UsageError("cannot write to the standard output");
    return code;
  } catch (const Interrupted&) {
    err << "convscope: interrupted" << std::endl;
    return interrupted;
  } catch (const std::invalid_argument& error) {
    err << "convscope: " << first_line(error.what()) << std::endl;
    return usage;
  } catch (const std::exception& error) {
    err << "convscope: " << first_line(error.what()) << std::endl;
    return some_failed;
  }
}

}  // namespace convscope

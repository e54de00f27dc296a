// The command line: finds the command, gathers its settings, runs it, prints the first line of an
// error. The command line beats the experiment file, which beats the environment
// (CONVSCOPE_OPTION), which beats the default.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "suite/commands/command.h"
#include "suite/commands/experiment_file.h"

namespace convscope {

/// Runs `convscope ARGUMENTS`. Returns the exit code: 0 done, 1 some case failed, 2 usage.
int run_program(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

/// The sections of an experiment file in their order, each the name of a command, each key an
/// option of it. Throws std::invalid_argument that names the file, the line and the key.
std::vector<ExperimentSection> read_experiment(const std::string& path);

/// The values of a command's options, from these sources, the first wins.
struct Sources {
  std::vector<std::string> arguments;  ///< of the command line, without the command's name
  ExperimentSection experiment;        ///< its section, if any
  std::vector<po::option> defaults;    ///< where nobody else says anything
  std::vector<std::string>* ignored =
      nullptr;  ///< takes arguments of other commands, else an error
};
po::variables_map gather(const Command& command, const Sources& sources);

/// The settings as a section of an experiment file that reproduces the run.
std::string dump_config(const Command& command, const po::variables_map& values);

/// Null if there is none of that name.
const Command* find_command(const std::string& name);

}  // namespace convscope

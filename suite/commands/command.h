// What a subcommand is. One subcommand, one file; each of its options is declared once and serves
// the command line, experiment files, the environment and the help.
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <vector>

namespace convscope {

namespace po = boost::program_options;

struct Command;

/// The settings of one run of a command, from wherever they came, and where its words go.
struct Invocation {
  const Command& command;
  const std::vector<std::string>& arguments;  ///< as typed, without the command's name
  const po::variables_map& values;
  std::ostream& out;  ///< data
  std::ostream& err;  ///< log and progress

  const std::string& text(const std::string& option) const;
  bool flag(const std::string& option) const;
  /// All values of a repeatable option, taken apart at commas.
  std::vector<std::string> list(const std::string& option) const;
};

struct Command {
  std::string name, summary, example;
  po::options_description options;
  /// The options that words without a name are values of, in order: one word each, and the last
  /// takes all the rest. Empty: the command takes none.
  std::vector<std::string> positional;
  std::function<int(const Invocation&)> run;  ///< returns the exit code
  /// The option that words after "--" are values of; empty: the command takes none.
  std::string rest = {};
};

/// A mistake of the user's: one line, exit code 2.
struct UsageError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// Exit codes, as product contracts.
enum Exit {
  done = 0,
  some_failed = 1,
  usage = 2,
  found_regression = 3,
  found_undecided = 4,
  interrupted = 130
};

/// Every subcommand, in the order of the help.
const std::vector<Command>& commands();

Command list_command();
Command cost_command();
Command bench_command();
Command compare_command();
Command plot_command();
Command report_command();
Command filters_command();
Command maps_command();
Command erf_command();
Command saliency_command();
Command neighbours_command();
Command shift_command();
Command dream_command();
Command evaluate_command();
Command predict_command();
Command train_command();
Command transfer_command();
Command features_command();
Command weights_command();
Command calibrate_command();
Command env_command();
Command run_command();

/// An option with a text value; "" where nothing was given and nothing is the default.
inline po::typed_value<std::string>* text_value(const std::string& missing = "") {
  return po::value<std::string>()->default_value(missing);
}
inline po::typed_value<std::vector<std::string>>* list_value() {
  return po::value<std::vector<std::string>>();
}

}  // namespace convscope

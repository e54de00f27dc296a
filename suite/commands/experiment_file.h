// The text of an experiment file taken apart: which sections, which keys, on which lines. It knows
// no command and no option, so that it is quick to build and can be fuzzed alone.
#pragma once

#include <string>
#include <vector>

namespace convscope {

struct ExperimentSetting {
  std::string key, value;
  int line;
};

/// One section: the settings of one command, in the order of the file. A key may appear again.
struct ExperimentSection {
  std::string file;  ///< which the section is from, for errors
  std::string name;
  int line;
  std::vector<ExperimentSetting> settings;

  /// "lineage.ini:12", for an error about a setting or, without one, about the section itself.
  std::string place(const ExperimentSetting* setting = nullptr) const;

  /// The setting whose value, or an item of it, `message` has between quotes: that is how a command
  /// names what it does not like. Null if there is none.
  const ExperimentSetting* quoted_in(const std::string& message) const;
};

/// The sections in their order; a command may have several, one for each time it runs. `[section]`,
/// `key = value`, and comments: from `#` at the start of a line or after a blank to the end of the
/// line, and lines that start with `;`. Throws std::invalid_argument that names `file` and the line
/// for anything else, and for a key before the first section.
std::vector<ExperimentSection> parse_experiment(const std::string& text, const std::string& file);

/// What the comments at the top of an experiment file say: lines that begin with "Question",
/// "Takes" and "Claim", and indented ones that go on. Empty where it says nothing.
struct ExperimentHeader {
  std::string question, takes, claim;
};
ExperimentHeader parse_header(const std::string& text);

/// The bytes of the file at `path`. Throws std::invalid_argument if it cannot be read.
std::string experiment_text(const std::string& path);

}  // namespace convscope

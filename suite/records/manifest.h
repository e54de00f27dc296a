// manifest.json: what ran, with what settings, where, and which question it was to answer.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace convscope {

/// What the manifests say of environments, by their ids.
using Environments = std::map<std::string, std::map<std::string, std::string>>;

/// What is not the same in all of these environments, by its name; "env" where the manifests do not
/// tell.
std::vector<std::string> differences(const Environments& known, const std::set<std::string>& ids);

struct Manifest {
  struct Run {
    std::string name;  ///< the command and what tells its runs apart: "train lenet5 scratch"
    std::string started, finished;
    std::string configuration;  ///< a section of an experiment file
    std::string env;
    std::vector<std::pair<std::string, std::string>> facts;  ///< what else was recorded

    /// "train".
    std::string command() const;
    /// `plot` and `report` measure nothing.
    bool only_draws() const;
    /// The keys and values of the configuration, in its order.
    std::vector<std::pair<std::string, std::string>> settings() const;
    /// A setting's value, or values with commas between; "" if it is not there.
    std::string setting(const std::string& key) const;
    std::string fact(const std::string& name) const;
  };
  std::string experiment, question, claim;  ///< of the experiment file, where one ran
  std::vector<Run> runs;                    ///< in the order in which they started
  Environments environments;
};

/// Whether there is a manifest that cannot be read: to write into it would lose what it says.
bool manifest_is_damaged(const std::filesystem::path& folder);

/// What is known of a results folder; of a file that is missing or damaged, nothing.
Manifest read_manifest(const std::filesystem::path& folder);

}  // namespace convscope

// Whether two sides were measured in one environment, or differ in what the user named.
#pragma once

#include <string>
#include <vector>

#include "suite/records/verdicts.h"

namespace convscope {

struct EnvironmentCheck {
  std::vector<std::string> different;  ///< names of what differs; none: it is one environment
  std::string text;                    ///< the same with the values: "commit (1 / 2)"
  bool named = true;                   ///< whether `across` has all of them
  bool mixed = false;                  ///< whether one side alone is of several environments
};

/// Throws UsageError if `across` has what no environment has.
EnvironmentCheck check_environments(const std::vector<CasePair>& pairs, const Environments& known,
                                    const std::vector<std::string>& across);

}  // namespace convscope

#include "suite/commands/environment_check.h"

#include <algorithm>
#include <set>

#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/report/text.h"

namespace convscope {

EnvironmentCheck check_environments(const std::vector<CasePair>& pairs, const Environments& known,
                                    const std::vector<std::string>& across) {
  std::set<std::string> ids, ids_of_a, ids_of_b;
  for (const CasePair& pair : pairs) {
    ids_of_a.insert(pair.a->env);
    ids_of_b.insert(pair.b->env);
  }
  ids.insert(ids_of_a.begin(), ids_of_a.end());
  ids.insert(ids_of_b.begin(), ids_of_b.end());
  std::vector<std::string> names = {"env"};
  for (const auto& [id, facts] : known) {
    for (const auto& [name, value] : facts) {
      if (!std::count(names.begin(), names.end(), name)) names.push_back(name);
    }
  }
  for (const std::string& name : across) {
    if (!std::count(names.begin(), names.end(), name)) {
      throw UsageError("--across: an environment has no '" + name + "'" +
                       did_you_mean(name, names) + "; there are " + joined(names));
    }
  }
  EnvironmentCheck check;
  if (ids.size() < 2) return check;
  check.different = differences(known, ids);
  check.mixed = ids_of_a.size() > 1 || ids_of_b.size() > 1;
  std::vector<std::string> said;
  for (const std::string& name : check.different) {
    check.named = check.named && std::count(across.begin(), across.end(), name);
    std::set<std::string> values;
    for (const std::string& id : ids) {
      const auto facts = known.find(id);
      if (facts != known.end() && facts->second.count(name)) values.insert(facts->second.at(name));
    }
    said.push_back(name == "env" && values.empty()
                       ? "env (" + joined({ids.begin(), ids.end()}) +
                             "; no manifest.json says what they are)"
                       : name + " (" + joined({values.begin(), values.end()}, " / ") + ")");
  }
  check.text = printable(joined(said));
  return check;
}

}  // namespace convscope

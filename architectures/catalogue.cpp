#include "architectures/catalogue.h"

#include <set>
#include <stdexcept>

#include "architectures/families.h"
#include "architectures/nearest.h"

namespace convscope {
namespace {

/// `*` stands for any text, `?` for one character.
bool matches(const char* pattern, const char* name) {
  if (*pattern == '\0') return *name == '\0';
  if (*pattern == '*') return matches(pattern + 1, name) || (*name && matches(pattern, name + 1));
  return *name && (*pattern == '?' || *pattern == *name) && matches(pattern + 1, name + 1);
}

std::string unknown(const std::string& name) {
  std::vector<std::string> names;
  for (const Architecture& architecture : catalogue()) names.push_back(architecture.name);
  return "unknown network '" + name + "'" + did_you_mean(name, names) +
         " ('convscope list' shows them all)";
}

}  // namespace

const std::vector<Architecture>& catalogue() {
  static const std::vector<Architecture> all = [] {
    std::vector<Architecture> list;
    const auto append = [&list](const std::vector<Architecture>& family) {
      list.insert(list.end(), family.begin(), family.end());
    };
#define CONVSCOPE_APPEND(family) append(families::family());
    CONVSCOPE_FAMILIES(CONVSCOPE_APPEND)
#undef CONVSCOPE_APPEND
    return list;
  }();
  return all;
}

const Architecture& find_architecture(const std::string& name) {
  for (const Architecture& architecture : catalogue()) {
    if (architecture.name == name) return architecture;
  }
  throw std::invalid_argument(unknown(name));
}

std::vector<Architecture> match_architectures(const std::vector<std::string>& patterns) {
  std::vector<Architecture> picked;
  std::set<std::string> seen;
  for (const std::string& pattern : patterns) {
    bool any = false;
    for (const Architecture& architecture : catalogue()) {
      if (!matches(pattern.c_str(), architecture.name.c_str())) continue;
      any = true;
      if (seen.insert(architecture.name).second) picked.push_back(architecture);
    }
    if (!any) throw std::invalid_argument(unknown(pattern));
  }
  return picked;
}

}  // namespace convscope

#include "architectures/nearest.h"

#include <algorithm>

namespace convscope {
namespace {

/// Insertions, deletions, replacements and swaps of neighbours from one to the other (optimal
/// string alignment).
size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const size_t replaced = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string did_you_mean(const std::string& typed, const std::vector<std::string>& names,
                         const std::string& prefix) {
  std::string best;
  size_t fewest = 1 + std::max<size_t>(typed.size() / 3, 1);
  for (const std::string& name : names) {
    const size_t distance = edits(typed, name);
    if (distance < fewest) {
      fewest = distance;
      best = name;
    }
  }
  return best.empty() ? "" : "; did you mean '" + prefix + best + "'?";
}

std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  const size_t shown = names.size() > 3 ? 2 : names.size();
  for (size_t i = 0; i < shown; ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + ("'" + names[i] + "'");
  }
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

}  // namespace convscope

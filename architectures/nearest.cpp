#include "architectures/nearest.h"

#include <algorithm>
#include <numeric>

namespace convscope {
namespace {

/// Levenshtein: insertions, deletions and replacements from one to the other.
size_t edits(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
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

}  // namespace convscope

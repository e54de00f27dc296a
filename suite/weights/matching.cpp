#include "suite/weights/matching.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace convscope {
namespace {

using Places = std::unordered_map<std::string, size_t>;

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

/// "norm1.weight" for "norm.1.weight". Modules could have dots in their names until PyTorch 0.4.1,
/// and torchvision's files of DenseNet are older.
std::string without_old_dot(const std::string& name) {
  const size_t end = name.rfind('.');
  if (end == std::string::npos || end == 0) return name;
  const size_t begin = name.rfind('.', end - 1);
  if (begin == std::string::npos || begin + 1 == end) return name;
  const bool number = std::all_of(name.begin() + static_cast<std::ptrdiff_t>(begin) + 1,
                                  name.begin() + static_cast<std::ptrdiff_t>(end),
                                  [](char letter) { return letter >= '0' && letter <= '9'; });
  return number ? name.substr(0, begin) + name.substr(begin + 1) : name;
}

/// The beginning of the file's names without which most of them are the network's: what wrappers
/// put there, as DataParallel's "module.".
std::string find_prefix(const Places& network, const std::vector<StoredTensor>& stored) {
  size_t longest = 0;
  for (const auto& [name, place] : network) longest = std::max(longest, name.size());
  std::map<std::string, size_t> common;
  for (const StoredTensor& tensor : stored) {
    const std::string& name = tensor.name;
    // Only ends that are not too long for the network: names of files may be as long as the files.
    const size_t first = name.size() > longest ? name.size() - longest : 0;
    for (size_t begin = first; begin <= name.size(); ++begin) {
      const bool part = begin == 0 || name[begin - 1] == '.';
      if (part && network.count(name.substr(begin))) ++common[name.substr(0, begin)];
    }
  }
  std::string best;
  for (const auto& [prefix, count] : common) {
    if (count > common[best]) best = prefix;
  }
  return best;
}

/// The longest common subsequence of what is missing and what is unexpected, where tensors are the
/// same if shape and kind ("weight", "running_mean") are.
std::vector<Match::Pair> align(const std::vector<NetworkTensor>& network,
                               const std::vector<StoredTensor>& stored,
                               const std::vector<size_t>& missing,
                               const std::vector<size_t>& unexpected) {
  // Beyond this the table of the alignment would take more than 100 MB; no network here comes near.
  if (missing.size() * unexpected.size() > 25'000'000) return {};
  const auto same = [&](size_t i, size_t j) {
    const NetworkTensor& a = network[missing[i]];
    const StoredTensor& b = stored[unexpected[j]];
    return a.shape == b.shape && last_part(a.name) == last_part(b.name);
  };
  const size_t columns = unexpected.size() + 1;
  std::vector<uint32_t> longest((missing.size() + 1) * columns);
  for (size_t i = missing.size(); i-- > 0;) {
    for (size_t j = unexpected.size(); j-- > 0;) {
      longest[i * columns + j] =
          same(i, j) ? longest[(i + 1) * columns + j + 1] + 1
                     : std::max(longest[(i + 1) * columns + j], longest[i * columns + j + 1]);
    }
  }
  std::vector<Match::Pair> pairs;
  for (size_t i = 0, j = 0; i < missing.size() && j < unexpected.size();) {
    if (same(i, j)) {
      pairs.push_back({missing[i++], unexpected[j++]});
    } else if (longest[(i + 1) * columns + j] >= longest[i * columns + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return pairs;
}

/// Leaves in `places` those that `pairs` has not.
void remove(std::vector<size_t>& places, const std::vector<Match::Pair>& pairs,
            size_t Match::Pair::*side) {
  std::set<size_t> used;
  for (const Match::Pair& pair : pairs) used.insert(pair.*side);
  places.erase(std::remove_if(places.begin(), places.end(),
                              [&](size_t place) { return used.count(place) > 0; }),
               places.end());
}

}  // namespace

Match match(const std::vector<NetworkTensor>& network, const std::vector<StoredTensor>& stored) {
  Places places;
  for (size_t i = 0; i < network.size(); ++i) places.emplace(network[i].name, i);
  Match result;
  result.prefix = find_prefix(places, stored);
  std::set<size_t> found;
  for (size_t j = 0; j < stored.size(); ++j) {
    const std::string& name = stored[j].name;
    const bool prefixed = starts_with(name, result.prefix);
    auto place = places.end();
    if (prefixed) {
      const std::string own = name.substr(result.prefix.size());
      place = places.find(own);
      if (place == places.end()) place = places.find(without_old_dot(own));
    }
    if (place == places.end() || !found.insert(place->second).second) {
      result.unexpected.push_back(j);
    } else if (network[place->second].shape == stored[j].shape) {
      result.pairs.push_back({place->second, j});
    } else {
      result.misshapen.push_back({place->second, j});
    }
  }
  for (size_t i = 0; i < network.size(); ++i) {
    if (!found.count(i) && !network[i].counter) result.missing.push_back(i);
  }
  result.likely = align(network, stored, result.missing, result.unexpected);

  // A renaming is taken for certain only if it explains the whole file. Scalars may be left over:
  // they are counters, under whatever names.
  const auto is_scalar = [&](size_t j) { return stored[j].shape.empty(); };
  const auto scalars = static_cast<size_t>(
      std::count_if(result.unexpected.begin(), result.unexpected.end(), is_scalar));
  if (result.pairs.empty() && result.misshapen.empty() && !result.missing.empty() &&
      result.likely.size() == result.missing.size() &&
      result.likely.size() + scalars == result.unexpected.size()) {
    result.by_order = true;
    result.prefix.clear();
    result.pairs.swap(result.likely);
    remove(result.missing, result.pairs, &Match::Pair::network);
    remove(result.unexpected, result.pairs, &Match::Pair::stored);
  }
  return result;
}

std::optional<int64_t> classes_in_file(const std::vector<NetworkTensor>& network,
                                       const std::vector<StoredTensor>& stored,
                                       const Match& match) {
  std::optional<int64_t> classes;
  for (const Match::Pair& pair : match.misshapen) {
    const NetworkTensor& wanted = network[pair.network];
    std::vector<int64_t> shape = stored[pair.stored].shape;
    if (wanted.class_axis < 0 || shape.size() != wanted.shape.size()) return std::nullopt;
    const auto axis = static_cast<size_t>(wanted.class_axis);
    const int64_t found = shape[axis];
    shape[axis] = wanted.shape[axis];
    if (shape != wanted.shape || found < 1 || classes.value_or(found) != found) return std::nullopt;
    classes = found;
  }
  return match.missing.empty() ? classes : std::nullopt;
}

}  // namespace convscope

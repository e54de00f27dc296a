#include "suite/timing/ranking.h"

#include <algorithm>
#include <stdexcept>

namespace convscope {
namespace {

constexpr double close = 2;  // times as many MACs

bool surely_slower(const RankedNetwork& a, const RankedNetwork& b) {
  return a.interval && b.interval && a.interval->low > b.interval->high;
}

}  // namespace

Ranking rank(const std::vector<RankedNetwork>& networks) {
  if (networks.size() < 2) {
    throw std::invalid_argument("a ranking needs at least 2 networks, not " +
                                std::to_string(networks.size()));
  }
  std::vector<double> ms, macs, params, activations;
  for (const RankedNetwork& network : networks) {
    ms.push_back(network.ms);
    macs.push_back(static_cast<double>(network.macs));
    params.push_back(static_cast<double>(network.params));
    activations.push_back(static_cast<double>(network.activations));
  }
  Ranking result{spearman(ms, macs), spearman(ms, params), spearman(ms, activations), {}};
  for (size_t i = 0; i < networks.size(); ++i) {
    for (size_t j = i + 1; j < networks.size(); ++j) {
      const bool in_order = networks[i].macs < networks[j].macs;
      const size_t fewer = in_order ? i : j, more = in_order ? j : i;
      if (networks[fewer].macs == networks[more].macs) continue;
      const double times_fewer = macs[more] / macs[fewer];
      ++result.pairs;
      result.close_pairs += times_fewer < close;
      if (!surely_slower(networks[fewer], networks[more])) continue;
      result.close_misranked += times_fewer < close;
      result.misranked.push_back({more, fewer, ms[fewer] / ms[more], times_fewer});
    }
  }
  std::stable_sort(
      result.misranked.begin(), result.misranked.end(),
      [](const MisrankedPair& a, const MisrankedPair& b) { return a.how_wrong() > b.how_wrong(); });
  return result;
}

}  // namespace convscope

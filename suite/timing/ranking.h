// Does counting predict time? How the order of networks by MACs, parameters and activations agrees
// with their order by measured latency, and which pairs MACs put the wrong way round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suite/timing/statistics.h"

namespace convscope {

/// One network, measured in the same way as the others it is ranked with.
struct RankedNetwork {
  std::string model;
  int64_t macs, params, activations;  ///< of one image
  double ms;                          ///< median latency
  std::optional<Interval> interval;   ///< of the median; without one, nothing is certain of it
};

/// `slower` has fewer MACs than `faster` and yet takes longer: their intervals do not overlap.
struct MisrankedPair {
  size_t faster, slower;  ///< places in the list that was ranked
  double times_slower;    ///< ratio of the medians, above 1
  double times_fewer;     ///< ratio of the MACs, above 1

  double how_wrong() const { return times_slower * times_fewer; }
};

struct Ranking {
  /// Spearman's rank correlation of latency with each; NaN where one does not vary.
  double by_macs, by_params, by_activations;
  std::vector<MisrankedPair> misranked;  ///< the most wrong first
  int64_t pairs = 0;                     ///< of networks with unequal MACs
  int64_t close_pairs = 0;               ///< of these, whose MACs differ by less than 2x
  int64_t close_misranked = 0;
};

/// Throws std::invalid_argument for fewer than 2 networks.
Ranking rank(const std::vector<RankedNetwork>& networks);

}  // namespace convscope

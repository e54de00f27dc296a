#include "suite/timing/ranking.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace convscope {
namespace {

RankedNetwork network(const std::string& model, int64_t macs, int64_t params, int64_t activations,
                      double ms, double off = 0.1) {
  return {model, macs, params, activations, ms, Interval{ms - off, ms + off}};
}

/// By latency: wide, small, deep. By MACs: small, deep, wide.
std::vector<RankedNetwork> three() {
  return {network("small", 100, 2, 20, 10), network("wide", 200, 1, 30, 5),
          network("deep", 150, 3, 10, 20)};
}

TEST(Ranking, CorrelatesLatencyWithWhatIsCounted) {
  const Ranking ranking = rank(three());
  EXPECT_DOUBLE_EQ(ranking.by_macs, -0.5);  // 1 - 6 * (1 + 4 + 1) / (3 * 8)
  EXPECT_DOUBLE_EQ(ranking.by_params, 1);
  EXPECT_DOUBLE_EQ(ranking.by_activations, -1);
}

TEST(Ranking, NamesThePairsThatMacsOrderWronglyTheMostWrongFirst) {
  const Ranking ranking = rank(three());
  EXPECT_EQ(ranking.pairs, 3);
  ASSERT_EQ(ranking.misranked.size(), 2u);
  const MisrankedPair &worst = ranking.misranked[0], &other = ranking.misranked[1];
  EXPECT_EQ(worst.slower, 2u);
  EXPECT_EQ(worst.faster, 1u);
  EXPECT_DOUBLE_EQ(worst.times_slower, 4);
  EXPECT_DOUBLE_EQ(worst.times_fewer, 200.0 / 150);
  EXPECT_EQ(other.slower, 0u);
  EXPECT_EQ(other.faster, 1u);
  EXPECT_DOUBLE_EQ(other.how_wrong(), 4);
}

TEST(Ranking, CountsPairsWhoseMacsDifferByLessThanTwoTimesApart) {
  const Ranking ranking = rank(three());  // 100 and 200 differ by just two times
  EXPECT_EQ(ranking.close_pairs, 2);
  EXPECT_EQ(ranking.close_misranked, 1);
}

TEST(Ranking, IsCertainOfNothingWhereIntervalsOverlapOrAreMissing) {
  auto overlapping = three();
  overlapping[2].interval = Interval{5.05, 35};
  EXPECT_EQ(rank(overlapping).misranked.size(), 1u);
  auto missing = three();
  missing[1].interval.reset();
  EXPECT_TRUE(rank(missing).misranked.empty());
  EXPECT_EQ(rank(missing).pairs, 3);
}

TEST(Ranking, EqualMacsAreNoPair) {
  EXPECT_EQ(rank({network("a", 5, 1, 1, 1), network("b", 5, 2, 2, 9)}).pairs, 0);
}

TEST(Ranking, OfOneNetworkIsRefused) {
  EXPECT_THROW(rank({network("alone", 1, 1, 1, 1)}), std::invalid_argument);
}

}  // namespace
}  // namespace convscope

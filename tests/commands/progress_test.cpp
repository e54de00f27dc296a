#include "suite/commands/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>

namespace convscope {
namespace {

/// A progress whose time passes when the test says so.
class ProgressTest : public testing::Test {
 protected:
  void start(int64_t total, const std::string& unit, size_t columns) {
    progress =
        std::make_unique<Progress>(err, "evaluate", total, unit, columns, [this] { return now; });
  }
  void after(double seconds) {
    now += std::chrono::duration_cast<Progress::Clock::duration>(
        std::chrono::duration<double>(seconds));
  }

  std::ostringstream err;
  Progress::Clock::time_point now;
  std::unique_ptr<Progress> progress;
};

TEST_F(ProgressTest, ShortWorkPrintsNothing) {
  for (const size_t columns : {0, 80}) {
    start(100, "images", columns);
    for (int done = 0; done <= 100; done += 10) {
      progress->update(done);
      after(0.09);
    }
    progress->finish();
    EXPECT_EQ(err.str(), "");
  }
}

TEST_F(ProgressTest, LineSaysHowFarHowFastAndHowLong) {
  start(5000, "images", 0);
  progress->update(100);
  after(2);
  progress->update(1000);
  EXPECT_EQ(err.str(), "evaluate: 20 %, 1000 of 5000 images, 450 images/s, 9 s left\n");
}

TEST_F(ProgressTest, BytesArePrintedInUnitsOfPeople) {
  start(0, "bytes", 0);
  progress->update(30000000, 97800000);  // as a resumed download begins
  after(10);
  progress->update(60000000, 97800000);
  EXPECT_EQ(err.str(), "evaluate: 61 %, 60.0 of 97.8 MB, 3.0 MB/s, 13 s left\n");
}

TEST_F(ProgressTest, LongWaitsArePrintedInUnitsOfPeople) {
  start(100000, "images", 0);
  progress->update(0);
  after(10);
  progress->update(85);
  after(10);
  progress->update(4000);
  EXPECT_EQ(err.str(),
            "evaluate: 0 %, 85 of 100000 images, 8.5 images/s, 3 h 15 min left\n"
            "evaluate: 4 %, 4000 of 100000 images, 200 images/s, 8 min 00 s left\n");
}

TEST_F(ProgressTest, UnknownTotalHasNoShareAndNoEnd) {
  start(0, "bytes", 0);
  progress->update(0);
  after(10);
  progress->update(5000);
  EXPECT_EQ(err.str(), "evaluate: 5 kB, 0.5 kB/s\n");
}

TEST_F(ProgressTest, LinesComeEveryTenthOrEveryTenSeconds) {
  start(1000, "images", 0);
  for (int done = 0; done <= 1000; ++done) {
    progress->update(done);
    after(0.05);  // 50 s in all
  }
  const std::string fast = err.str();
  EXPECT_EQ(std::count(fast.begin(), fast.end(), '\n'), 9);
  err.str("");
  start(1000, "images", 0);
  for (int done = 0; done <= 100; ++done) {
    progress->update(done);
    after(1);
  }
  const std::string slow = err.str();
  EXPECT_EQ(std::count(slow.begin(), slow.end(), '\n'), 10);
}

TEST_F(ProgressTest, WorkThatStartsAnewIsCountedAnew) {
  start(1000, "images", 0);
  progress->update(900);
  after(5);
  progress->update(100);
  after(5);
  progress->update(300);
  EXPECT_EQ(err.str(), "evaluate: 30 %, 300 of 1000 images, 40 images/s, 18 s left\n");
}

TEST_F(ProgressTest, BarIsDrawnOverAndClearedAtTheEnd) {
  start(40, "images", 80);
  progress->update(0);
  after(1);
  progress->update(10);
  after(0.05);
  progress->update(11);  // too soon after the last
  progress->finish();
  progress->finish();
  progress.reset();
  EXPECT_EQ(err.str(),
            "\revaluate: [#####---------------] 25 %, 10 of 40 images, 10 images/s, 3 s left\x1b[K"
            "\r\x1b[K");
}

TEST_F(ProgressTest, NarrowTerminalShortensTheBarAndThenTheLine) {
  const auto drawn = [&](size_t columns) {
    progress.reset();  // clears what it drew
    err.str("");
    start(40, "images", columns);
    progress->update(0);
    after(1);
    progress->update(10);
    const std::string all = err.str();
    return all.substr(1, all.find('\x1b') - 1);
  };
  const std::string words = "25 %, 10 of 40 images, 10 images/s, 3 s left";
  EXPECT_EQ(drawn(68), "evaluate: [##--------] " + words);
  EXPECT_EQ(drawn(68).size(), 67u);
  EXPECT_EQ(drawn(60), "evaluate: " + words);
  EXPECT_EQ(drawn(20), "evaluate: 25 %, 10 ");
}

}  // namespace
}  // namespace convscope

#include "suite/timing/calibration.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "suite/timing/peaks.h"
#include "suite/timing/statistics.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

Calibration made() {
  return {"0123456789abcdef",
          "2026-11-20T14:03:07Z",
          {{"cpu", "A \"quoted\" processor"}, {"cores", "8"}},
          {{"fma", 1, 100.5, "GFLOP/s", 1.25, ""},
           {"fma", 8, 660, "GFLOP/s", 2, "threads waited 12 % of the time for a core"},
           {"triad", 1, 12, "GB/s", 3, ""},
           {"fma", 4, 400, "GFLOP/s", 0, ""}}};
}

class StoredCalibration : public testing::Test {
 protected:
  void expect_refused(const std::string& text, const std::string& why) {
    put(path, text);
    EXPECT_EQ(
        message_of<std::invalid_argument>([&] { load_calibration_file(path, "0123456789abcdef"); }),
        "cannot use the calibration " + path.string() + ": " + why +
            "; run 'convscope calibrate' to replace it");
  }

  TemporaryFolder folder;
  std::filesystem::path path = folder.path / "made" / "machine.json";
};

TEST_F(StoredCalibration, ReadsBackAsItWas) {
  const Calibration stored = made();
  store_calibration_file(stored, path);
  const auto loaded = load_calibration_file(path, stored.machine);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->machine, stored.machine);
  EXPECT_EQ(loaded->date, stored.date);
  EXPECT_EQ(loaded->environment, stored.environment);
  ASSERT_EQ(loaded->measured.size(), stored.measured.size());
  for (size_t i = 0; i < stored.measured.size(); ++i) {
    EXPECT_EQ(loaded->measured[i].quantity, stored.measured[i].quantity);
    EXPECT_EQ(loaded->measured[i].threads, stored.measured[i].threads);
    EXPECT_EQ(loaded->measured[i].value, stored.measured[i].value);
    EXPECT_EQ(loaded->measured[i].unit, stored.measured[i].unit);
    EXPECT_EQ(loaded->measured[i].spread_percent, stored.measured[i].spread_percent);
    EXPECT_EQ(loaded->measured[i].disturbed, stored.measured[i].disturbed);
  }
}

TEST_F(StoredCalibration, MachineThatWasNotCalibratedHasNone) {
  EXPECT_FALSE(load_calibration_file(path, "0123456789abcdef"));
}

TEST_F(StoredCalibration, OneOfAnotherMachineIsNeverUsed) {
  Calibration other = made();
  other.machine = "fedcba9876543210";
  store_calibration_file(other, path);
  expect_refused(contents(path),
                 "it is of the machine fedcba9876543210, and this is 0123456789abcdef");
}

TEST_F(StoredCalibration, DamagedFileIsNamed) {
  store_calibration_file(made(), path);
  const std::string whole = contents(path);
  // Wherever a disk or an editor cut it: only the last line feed is not missed.
  for (size_t size = 0; size + 2 < whole.size(); size += 7) {
    expect_refused(whole.substr(0, size), "it is damaged");
  }
  for (const std::string text : {"[]", "3", "{\"machine\": 3}", "\x80", "{\"measured\": {}}"}) {
    expect_refused(text, "it is damaged");
  }
  std::string negative = whole;
  negative.insert(negative.find("100.5"), "-");
  expect_refused(negative, "the row 'fma' has no valid value");
}

TEST_F(StoredCalibration, LiesInTheUsersCache) {
  const char* before = getenv("XDG_CACHE_HOME");
  const std::string kept = before ? before : "";
  setenv("XDG_CACHE_HOME", folder.path.c_str(), 1);
  const Calibration stored = made();
  EXPECT_FALSE(load_calibration(stored.machine));
  store_calibration(stored);
  EXPECT_TRUE(load_calibration(stored.machine));
  EXPECT_TRUE(std::filesystem::exists(folder.path / "convscope/calibration/0123456789abcdef.json"));
  if (before) {
    setenv("XDG_CACHE_HOME", kept.c_str(), 1);
  } else {
    unsetenv("XDG_CACHE_HOME");
  }
}

TEST(Calibration, OtherNumbersOfThreadsLieOnTheLineBetween) {
  const Calibration calibration = made();
  EXPECT_EQ(calibration.value("fma", 1), 100.5);
  EXPECT_EQ(calibration.value("fma", 4), 400);
  EXPECT_EQ(calibration.value("fma", 6), 530);  // half way from 400 to 660
  EXPECT_EQ(calibration.value("fma", 8), 660);
  EXPECT_EQ(calibration.value("fma", 64), 660);
  EXPECT_EQ(calibration.value("triad", 2), 12);
  EXPECT_FALSE(calibration.value("blas", 1));
}

TEST(Calibration, CoresThatShareTheirArithmeticCountOnce) {
  const Cores told{{0, 1}, 2, -1};
  Calibration calibration;
  EXPECT_EQ(measured_cores(told, calibration).physical, 2);
  calibration.measured = {{"fma", 1, 235, "GFLOP/s", 0, ""}, {"fma", 2, 238, "GFLOP/s", 0, ""}};
  EXPECT_EQ(measured_cores(told, calibration).physical, 1);
  calibration.measured[1].value = 400;  // a turbo that two cores share
  EXPECT_EQ(measured_cores(told, calibration).physical, 2);
  calibration.measured[1] = {"fma", 2, 180, "GFLOP/s", 0, "threads waited 50 % of the time"};
  EXPECT_EQ(measured_cores(told, calibration).physical, 2);
  EXPECT_EQ(measured_cores({{0}, 1, -1}, calibration).physical, 1);
}

TEST(AaFloors, OfTurnsDoNotHaveWhatTheMachineDidMeanwhile) {
  // Ten pairs, each 1 % slower than the last, whose two processes differ by 0.1 %. Between
  // different pairs the root mean square of 1 to 9 % is 4.2 %, of which 1.96 are 8.
  double factor = 1;
  const auto slower = [&] {
    factor *= 1.01;
    return std::pair(std::vector<double>(10, factor), std::vector<double>(10, factor * 1.001));
  };
  const AaFloors floors = aa_floors(slower, 10);
  EXPECT_NEAR(floors.in_turns, 0.196, 1e-3);
  EXPECT_GT(floors.apart, 7);
  EXPECT_LT(floors.apart, 9);
}

TEST(AaFloors, OfSamplingErrorAloneAreMostlyZero) {
  std::mt19937 random(3);
  std::normal_distribution<double> noise(1, 0.05);
  const auto process = [&] {
    std::vector<double> medians;
    for (int i = 0; i < 10; ++i) medians.push_back(noise(random));
    return medians;
  };
  int zero_in_turns = 0, zero_apart = 0;
  for (int calibration = 0; calibration < 100; ++calibration) {
    const AaFloors floors = aa_floors([&] { return std::pair(process(), process()); }, 10);
    zero_in_turns += floors.in_turns == 0;
    zero_apart += floors.apart == 0;
  }
  EXPECT_GE(zero_in_turns, 85);
  EXPECT_GE(zero_apart, 85);
}

TEST(AaFloors, FindABiasOfProcessesBelowTheirNoise) {
  // Each process has a speed of its own, 3 % apart, under repetitions that differ by 5 %.
  std::mt19937 random(4);
  std::normal_distribution<double> noise(1, 0.05), bias(1, 0.03);
  const auto process = [&] {
    std::vector<double> medians;
    const double own = bias(random);
    for (int i = 0; i < 10; ++i) medians.push_back(own * noise(random));
    return medians;
  };
  std::vector<double> found;
  for (int calibration = 0; calibration < 50; ++calibration) {
    found.push_back(aa_floors([&] { return std::pair(process(), process()); }, 20).in_turns);
  }
  // Between two processes: 1.96 x sqrt(2) x 3 % = 8.3 %.
  EXPECT_GT(median(found), 6);
  EXPECT_LT(median(found), 10);
}

TEST(AaFloors, AreZeroWhereNothingVaries) {
  const auto same = [] {
    return std::pair(std::vector<double>(10, 0.015), std::vector<double>(10, 0.015));
  };
  EXPECT_EQ(aa_floors(same, 2).in_turns, 0);
  EXPECT_EQ(aa_floors(same, 2).apart, 0);
  EXPECT_THROW(aa_floors(same, 1), std::invalid_argument);
}

TEST(Peaks, AreTheBestOfTheirTries) {
  const Peak rate = highest({80, 100, 90, 50});
  EXPECT_EQ(rate.best, 100);
  EXPECT_DOUBLE_EQ(rate.spread, 15);  // the median is 85
  const Peak time = lowest({2, 4, 3});
  EXPECT_EQ(time.best, 2);
  EXPECT_DOUBLE_EQ(time.spread, 50);
}

TEST(Peaks, NeedAThread) {
  EXPECT_THROW(fma_peak(0), std::invalid_argument);
  EXPECT_THROW(triad_bandwidth(0), std::invalid_argument);
}

// No limit from above or below that a loaded machine could miss; that the loops were not optimised
// away is certain, since no core does 10^13 operations in a second.
TEST(Peaks, AreRatesThatAProcessorCanHave) {
  for (const int threads : {1, 2}) {
    const Peak rate = fma_peak(threads);
    EXPECT_GT(rate.best, 0);
    EXPECT_LT(rate.best, 1e4 * threads);
    EXPECT_GE(rate.spread, 0);
    EXPECT_LE(rate.spread, 100);
  }
  const Peak bandwidth = triad_bandwidth(1);
  EXPECT_GT(bandwidth.best, 0);
  EXPECT_LT(bandwidth.best, 1e4);
  EXPECT_GE(triad_bytes(), size_t{1} << 20);
}

}  // namespace
}  // namespace convscope

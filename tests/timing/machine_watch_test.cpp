// Made counters are judged, made files are parsed, and the real kernel is asked about a neighbour
// that is really there. That an idle machine is not flagged can only be shown by made counters: a
// test cannot know that the machine is idle.
#include "suite/timing/machine_watch.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

/// Two cores without hardware threads.
Cores two_cores() { return {{0, 1}, 2, -1}; }

/// A process that computed for 3 s with `threads` threads on an otherwise idle machine.
struct Quiet {
  MachineCounters before, after;
  explicit Quiet(int threads, double seconds = 3) {
    before.seconds = 100;
    before.busy = 50;
    before.stolen = 1;
    before.own = 5;
    before.waited = {{10, 0.5}};
    before.memory_pressure = 2;
    before.mhz = 2600;
    before.throttled = 7;
    after = before;
    after.seconds += seconds;
    after.own += seconds * threads;
    after.busy += seconds * threads;
  }
};

TEST(MachineWatch, QuietMachineDisturbsNothing) {
  for (const int threads : {1, 2}) {
    const Quiet quiet(threads);
    const Disturbance found = judge(quiet.before, quiet.after, threads, two_cores());
    EXPECT_EQ(found.reason, "");
    EXPECT_FALSE(found.disturbed());
    EXPECT_EQ(found.seconds, 3);
    EXPECT_EQ(found.other_cores, 0);
    EXPECT_EQ(found.steal, 0);
    EXPECT_EQ(found.waiting, 0);
    EXPECT_EQ(found.memory, 0);
    EXPECT_EQ(found.throttled, 0);
    EXPECT_EQ(found.mhz, 2600);
    EXPECT_EQ(found.limited, -1);
  }
}

TEST(MachineWatch, NeighbourOnAFreeCoreIsToldButDisturbsNothing) {
  Quiet quiet(1);
  quiet.after.busy += 3;
  const Disturbance found = judge(quiet.before, quiet.after, 1, two_cores());
  EXPECT_DOUBLE_EQ(found.other_cores, 1);
  EXPECT_EQ(found.reason, "");
}

TEST(MachineWatch, NeighbourOnANeededCoreDisturbs) {
  Quiet quiet(2);
  quiet.after.own -= 2.4;
  const Disturbance found = judge(quiet.before, quiet.after, 2, two_cores());
  EXPECT_NEAR(found.other_cores, 0.8, 1e-12);
  EXPECT_EQ(found.reason, "other processes kept 0.8 cores busy and 0 were free");
}

TEST(MachineWatch, HardwareThreadOfOurCoreIsNotFree) {
  const Cores two_threads_of_one_core{{0, 1}, 1, -1};
  Quiet quiet(1);
  quiet.after.busy += 3;
  EXPECT_TRUE(judge(quiet.before, quiet.after, 1, two_threads_of_one_core).disturbed());
}

TEST(MachineWatch, RoundingOfShortStretchesIsNoDisturbance) {
  // Each core's counter is up to a tick of 10 ms off: 0.05 cores in 0.3 s, 0.5 in 0.03 s.
  for (const double seconds : {0.03, 0.3}) {
    Quiet quiet(2, seconds);
    quiet.after.busy += 0.016;
    quiet.after.stolen += 0.02;
    EXPECT_EQ(judge(quiet.before, quiet.after, 2, two_cores()).reason, "") << seconds;
  }
  Quiet quiet(2, 0.3);
  quiet.after.own -= 0.15;
  EXPECT_TRUE(judge(quiet.before, quiet.after, 2, two_cores()).disturbed());
}

TEST(MachineWatch, StolenTimeDisturbsOnceItIsCertain) {
  Quiet quiet(1);
  quiet.after.stolen += 0.05;  // at least 0.03 of it in these 3 s: 1 %
  EXPECT_EQ(judge(quiet.before, quiet.after, 1, two_cores()).reason, "");
  quiet.after.stolen += 0.31;
  const Disturbance found = judge(quiet.before, quiet.after, 1, two_cores());
  EXPECT_NEAR(found.steal, 0.12, 1e-12);
  EXPECT_EQ(found.reason, "12 % of the time stolen by the hypervisor");
}

TEST(MachineWatch, WaitsOfAllThreadsCount) {
  Quiet quiet(2);
  quiet.after.waited = {{10, 0.55}, {11, 0.04}};  // 50 ms more, and a thread that was not there
  const Disturbance found = judge(quiet.before, quiet.after, 2, two_cores());
  EXPECT_NEAR(found.waiting, 0.03, 1e-12);
  EXPECT_EQ(found.reason, "threads waited 3.0 % of the time for a core");
  quiet.after.waited = {{10, 0.55}};  // 1.7 %
  EXPECT_EQ(judge(quiet.before, quiet.after, 2, two_cores()).reason, "");
}

TEST(MachineWatch, ThreadThatEndedTakesNothingBack) {
  Quiet quiet(2);
  quiet.before.waited = {{10, 0.5}, {11, 2}};
  quiet.after.waited = {{10, 0.5}};
  EXPECT_EQ(judge(quiet.before, quiet.after, 2, two_cores()).waiting, 0);
}

TEST(MachineWatch, EveryReasonIsNamed) {
  Quiet quiet(1);
  quiet.before.limited = 4;
  quiet.after.limited = 4.6;
  quiet.after.memory_pressure += 0.75;
  quiet.after.throttled += 1;
  const Disturbance found = judge(quiet.before, quiet.after, 1, {{0, 1}, 2, 1.5});
  EXPECT_EQ(found.throttled, 1);
  EXPECT_EQ(found.reason,
            "the limit of 1.5 cores held it back 20 % of the time; tasks waited 25 % of the time "
            "for memory; throttled by heat, 1 event");
}

TEST(MachineWatch, CountersThatAreNotThereAreNoAlarm) {
  MachineCounters before, after;
  after.seconds = 3;
  after.own = 3;
  Disturbance found = judge(before, after, 2, two_cores());
  EXPECT_EQ(found.reason, "");
  for (const double value : {found.other_cores, found.steal, found.waiting, found.limited,
                             found.memory, found.mhz, static_cast<double>(found.throttled)}) {
    EXPECT_EQ(value, -1);
  }
  // A /proc/stat that never changes, as a sandbox may show.
  before.busy = after.busy = 0;
  before.stolen = after.stolen = 0;
  before.own = 0;
  found = judge(before, after, 2, two_cores());
  EXPECT_EQ(found.other_cores, -1);
  EXPECT_EQ(found.reason, "");
}

TEST(MachineWatch, NoTimeIsNoDisturbance) {
  const Quiet quiet(1);
  EXPECT_EQ(judge(quiet.before, quiet.before, 1, two_cores()).reason, "");
}

TEST(MachineWatch, OnlyCoresThatWeMayUseAreCounted) {
  const std::string text =
      "cpu  600 0 60 6000 0 0 0 6 0 0\n"
      "cpu0 100 20 10 1000 7 3 2 1 50 5\n"
      "cpu1 200 0 20 2000 0 0 0 2 0 0\n"
      "cpu10 300 0 30 3000 0 0 0 3 0 0\n"
      "intr 12345 0 1\n";
  EXPECT_DOUBLE_EQ(core_times(text, {0}, 0.01).busy, 1.35);
  EXPECT_DOUBLE_EQ(core_times(text, {0}, 0.01).stolen, 0.01);
  EXPECT_DOUBLE_EQ(core_times(text, {1, 10}, 0.01).busy, 5.5);
  EXPECT_DOUBLE_EQ(core_times(text, {1, 10}, 0.01).stolen, 0.05);
  EXPECT_EQ(core_times(text, {0, 2}, 0.01).busy, -1);  // one of ours is not listed
  EXPECT_EQ(core_times("", {0}, 0.01).busy, -1);
  EXPECT_EQ(core_times(text, {}, 0.01).busy, -1);
}

TEST(MachineWatch, TextsOfTheKernelAreParsed) {
  EXPECT_DOUBLE_EQ(run_queue_seconds("1234567 2500000000 17\n"), 2.5);
  EXPECT_EQ(run_queue_seconds(""), -1);
  EXPECT_EQ(run_queue_seconds("12\n"), -1);
  EXPECT_DOUBLE_EQ(pressure_seconds("some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n"
                                    "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"),
                   1.5);
  EXPECT_EQ(pressure_seconds("some avg10=0.00"), -1);
  EXPECT_DOUBLE_EQ(limit_of("150000 100000\n"), 1.5);
  EXPECT_EQ(limit_of("max 100000\n"), -1);
  EXPECT_EQ(limit_of(""), -1);
  EXPECT_DOUBLE_EQ(limited_seconds("usage_usec 5\nnr_throttled 2\nthrottled_usec 2500000\n"), 2.5);
  EXPECT_DOUBLE_EQ(limited_seconds("nr_periods 9\nnr_throttled 2\nthrottled_time 2500000000\n"),
                   2.5);
  EXPECT_EQ(limited_seconds("usage_usec 5\n"), -1);
}

/// A machine of files as the kernel shows them.
class MadeMachine : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const auto path = folder.path / file;
    std::filesystem::create_directories(path.parent_path());
    put(path, text);
  }
  std::string root() const { return folder.path.string(); }

  TemporaryFolder folder;
};

TEST_F(MadeMachine, EmptyMachineTellsNothingAndDisturbsNothing) {
  const MachineWatch watch(1, cores_of_this_process(root()), root());
  EXPECT_EQ(watch.stop().reason, "");
  const MachineCounters counters = watch.read();
  EXPECT_EQ(counters.busy, -1);
  EXPECT_EQ(counters.throttled, -1);
  EXPECT_EQ(counters.limited, -1);
  EXPECT_TRUE(counters.waited.empty());
  for (const auto& [name, value] : machine_state(root())) {
    if (name == "physical_cores" || name == "usable_cores" || name == "cpu_limit") continue;
    EXPECT_EQ(value, "unknown") << name;
  }
}

TEST_F(MadeMachine, HardwareThreadsShareACore) {
  const size_t allowed = cores_of_this_process(root()).allowed.size();
  EXPECT_EQ(cores_of_this_process(root()).physical, static_cast<int>(allowed));
  for (const int core : cores_of_this_process().allowed) {
    write("sys/devices/system/cpu/cpu" + std::to_string(core) + "/topology/thread_siblings_list",
          "0-127\n");
  }
  EXPECT_EQ(cores_of_this_process(root()).physical, 1);
}

TEST_F(MadeMachine, TightestLimitOfTheCgroupsHolds) {
  EXPECT_EQ(cores_of_this_process(root()).limit, -1);
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/cpu.max", "150000 100000\n");
  write("sys/fs/cgroup/outer/cpu.stat", "throttled_usec 1000000\n");
  write("sys/fs/cgroup/outer/inner/cpu.max", "400000 100000\n");
  const Cores cores = cores_of_this_process(root());
  EXPECT_DOUBLE_EQ(cores.limit, 1.5);
  EXPECT_EQ(cores.usable(), 1);
  EXPECT_DOUBLE_EQ(MachineWatch(1, cores, root()).read().limited, 1);
}

TEST_F(MadeMachine, LimitInsideAContainerIsAtTheTop) {
  write("proc/self/cgroup", "4:cpu,cpuacct:/docker/12ab\n3:cpuset:/docker/12ab\n0::/\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cores_of_this_process(root()).limit, 0.5);
  EXPECT_EQ(cores_of_this_process(root()).usable(), 1);
}

TEST_F(MadeMachine, StateIsReadFromTheFiles) {
  const std::string cpu = "sys/devices/system/cpu/";
  for (const int core : cores_of_this_process().allowed) {
    const std::string cpufreq = cpu + "cpu" + std::to_string(core) + "/cpufreq/";
    write(cpufreq + "scaling_cur_freq", "2600000\n");
    write(cpufreq + "scaling_governor", "powersave\n");
  }
  write(cpu + "intel_pstate/no_turbo", "1\n");
  write(cpu + "smt/control", "notsupported\n");
  write("proc/loadavg", "0.45 1.27 0.98 3/96 8927\n");
  write("proc/meminfo", "MemTotal: 100 kB\nMemAvailable:    50 kB\n");
  std::map<std::string, std::string> state;
  for (const auto& [name, value] : machine_state(root())) state[name] = value;
  EXPECT_EQ(state["load_average"], "0.45");
  EXPECT_EQ(state["mhz"], "2600");
  EXPECT_EQ(state["governor"], "powersave");
  EXPECT_EQ(state["turbo"], "off");
  EXPECT_EQ(state["smt"], "notsupported");
  EXPECT_EQ(state["cpu_limit"], "none");
  EXPECT_EQ(state["memory_available_bytes"], "51200");
}

TEST_F(MadeMachine, ThrottlingBetweenTwoMomentsIsSeen) {
  const std::string folder_of_core = "sys/devices/system/cpu/cpu" +
                                     std::to_string(cores_of_this_process().allowed.front()) +
                                     "/thermal_throttle/";
  write(folder_of_core + "core_throttle_count", "5\n");
  write(folder_of_core + "package_throttle_count", "2\n");
  const MachineWatch watch(1, cores_of_this_process(root()), root());
  write(folder_of_core + "core_throttle_count", "6\n");
  write(folder_of_core + "package_throttle_count", "4\n");
  EXPECT_EQ(watch.stop().reason, "throttled by heat, 3 events");
}

/// A child process that keeps one core busy until this ends.
class BusyNeighbour {
 public:
  explicit BusyNeighbour(int core) : child_(fork()) {
    if (child_ != 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<size_t>(core), &set);
    sched_setaffinity(0, sizeof set, &set);
    alarm(60);
    for (volatile int forever = 0;; forever = forever + 1) {
    }
  }
  ~BusyNeighbour() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  BusyNeighbour(const BusyNeighbour&) = delete;
  BusyNeighbour& operator=(const BusyNeighbour&) = delete;

 private:
  pid_t child_;
};

void compute(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// Puts this thread on one core, and back.
class OnOneCore : public testing::Test {
 protected:
  void SetUp() override {
    if (access("/proc/self/schedstat", R_OK) != 0 || access("/proc/stat", R_OK) != 0) {
      GTEST_SKIP() << "this kernel has no schedstat";
    }
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    core = cores_of_this_process().allowed.front();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(core), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  }
  void TearDown() override { sched_setaffinity(0, sizeof before, &before); }

  cpu_set_t before;
  int core = 0;
};

TEST_F(OnOneCore, BusyNeighbourIsSeen) {
  MachineWatch watch(1);
  const BusyNeighbour neighbour(core);
  compute(0.1);  // until it runs
  watch.start();
  compute(0.6);
  const Disturbance found = watch.stop();
  EXPECT_GT(found.waiting, 0.2);
  EXPECT_GT(found.other_cores, 0.2);
  EXPECT_NE(found.reason.find("cores busy and 0 were free"), std::string::npos) << found.reason;
  EXPECT_NE(found.reason.find("threads waited"), std::string::npos) << found.reason;
}

}  // namespace
}  // namespace convscope

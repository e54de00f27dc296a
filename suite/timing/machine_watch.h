// What else the machine did while something was timed, read from the kernel's counters, and what of
// the machine this process may use at all. It changes no setting and starts no thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace convscope {

/// The cores that this process may use.
struct Cores {
  std::vector<int> allowed;  ///< logical ones, by affinity
  /// That those lie on: two hardware threads of one core share its arithmetic units and caches. A
  /// virtual machine may not be told which of its cores are: see measured_cores() in calibration.h.
  int physical = 1;
  double limit = -1;  ///< cores' worth of time that its cgroups grant; -1: no limit

  /// How many threads can run at once, all of the time; at least 1.
  int usable() const;
};

/// `root` is where /proc and /sys are: empty for this machine.
Cores cores_of_this_process(const std::string& root = "");

/// The state of the machine at this moment, as manifests record it beside the environment:
/// load_average, mhz, governor, turbo, smt, physical_cores, usable_cores, cpu_limit,
/// memory_available_bytes. What the machine does not tell is "unknown".
std::vector<std::pair<std::string, std::string>> machine_state(const std::string& root = "");

/// What disturbed a stretch of time. Negative: the machine does not tell, which disturbs nothing.
struct Disturbance {
  double seconds = 0;       ///< of wall time
  double other_cores = -1;  ///< cores that other processes kept busy on average
  /// Time that the hypervisor gave to others, of the time of the cores that compute.
  double steal = -1;
  /// Time that threads of ours were ready but not running, together: at most how much longer the
  /// work took.
  double waiting = -1;
  double limited = -1;     ///< share of the time in which a cgroup's CPU limit held us back
  double memory = -1;      ///< share of the time in which some task waited for memory
  double mhz = -1;         ///< of the calling thread's core, at the end
  int64_t throttled = -1;  ///< thermal throttling events

  /// "other processes kept 0.8 cores busy and 0.0 were free; 12 % of the time stolen by the
  /// hypervisor"; "" if nothing disturbed.
  std::string reason;
  bool disturbed() const { return !reason.empty(); }
};

/// Shares of the time below this are no disturbance. A verdict calls less than 2 % the same, and
/// medians move less than the mean does: a stretch that lost so little cannot turn one.
constexpr double tolerated_share = 0.02;

/// Cores that others may take of what our threads need. An idle Linux keeps less than this busy
/// with itself, and where it does hold our threads up, `waiting` is exact to nanoseconds.
constexpr double tolerated_cores = 0.05;

/// The kernel's counters at one moment. Negative: not there.
struct MachineCounters {
  double seconds = 0;            ///< steady clock
  double busy = -1;              ///< of the allowed cores together, seconds in steps of `tick`
  double stolen = -1;            ///< the same
  double tick = 0.01;            ///< /proc/stat counts in these
  double own = -1;               ///< CPU time of this process
  std::map<int, double> waited;  ///< by thread: seconds on run queues; empty: not there
  double limited = -1;           ///< seconds
  double memory_pressure = -1;   ///< seconds that some task waited for memory
  double mhz = -1;
  int64_t throttled = -1;  ///< events
};

/// What happened between two moments to a process of which `threads` threads computed:
/// - Others matter once they take cores that the threads need. A neighbour on a core that is free
/// is
///   told by `other_cores` and is no reason: beside one, arithmetic kept its rate (231 and 231
///   GFLOP/s, two cores of a virtual EPYC), while streams share the memory's bandwidth (one core 45
///   GB/s, two together 47), and no counter tells who streams. A hardware thread of a core that
///   computes is not free.
/// - Whoever has less than /proc/stat can tell over so short a time is given the benefit: three
///   standard deviations of the ticks' rounding, and of stolen time the last tick of each core.
/// - The frequency is no reason: what is usual for the work at hand (AVX-512, all cores) is known
/// to
///   no counter. Throttling events are.
/// - More threads than cores wait for each other, and that is seen as waiting.
Disturbance judge(const MachineCounters& before, const MachineCounters& after, int threads,
                  const Cores& cores);

/// Watches this process and the machine between two moments. Not its children, which count as
/// others.
class MachineWatch {
 public:
  /// `threads` is how many of this process's threads compute.
  explicit MachineWatch(int threads) : MachineWatch(threads, cores_of_this_process()) {}
  MachineWatch(int threads, Cores cores, std::string root = "");

  void start();
  /// Since the last start.
  Disturbance stop() const;

  MachineCounters read() const;

 private:
  std::string root_;
  int threads_;
  Cores cores_;
  std::vector<std::string> limits_;     ///< cpu.stat of the cgroups that have a limit
  std::vector<std::string> throttles_;  ///< counters of thermal events
  MachineCounters started_;
};

// The files' texts, parsed; -1 where they do not hold what is looked for.

/// Seconds that these cores were busy with anything, and stolen, from /proc/stat.
struct CoreTimes {
  double busy = -1, stolen = -1;
};
CoreTimes core_times(const std::string& proc_stat, const std::vector<int>& cores, double tick);

/// Seconds on run queues, from a thread's schedstat.
double run_queue_seconds(const std::string& schedstat);

/// Seconds that some task waited, from /proc/pressure/*.
double pressure_seconds(const std::string& pressure);

/// Cores' worth of time, from a cgroup's cpu.max.
double limit_of(const std::string& cpu_max);

/// Seconds that a limit held a cgroup back, from its cpu.stat, of either version.
double limited_seconds(const std::string& cpu_stat);

}  // namespace convscope

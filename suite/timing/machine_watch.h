// What else the machine did while something was timed, read from the kernel's counters. It changes
// no setting and starts no thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convscope {

/// What disturbed a stretch of time. Negative: the machine does not tell.
struct Disturbance {
  double seconds = 0;       ///< of wall time
  double other_cores = -1;  ///< cores that other processes kept busy on average
  double steal = -1;        ///< share of our cores' time that the hypervisor gave to others
  double waiting = -1;      ///< share of the time that a thread of ours was ready but not running
  double mhz = -1;          ///< of the cores in use, now
  int64_t throttled = -1;   ///< thermal throttling events

  /// "another process kept 0.8 cores busy; 12 % of the time stolen"; "" if nothing disturbed.
  std::string reason;
  bool disturbed() const { return !reason.empty(); }
};

/// Watches this process and the machine between two moments.
class MachineWatch {
 public:
  /// `threads` is how many of this process's threads compute: on a machine with free cores a busy
  /// neighbour disturbs less.
  explicit MachineWatch(int threads);

  void start();
  Disturbance stop() const;

 private:
  struct Counters {
    double seconds = 0;           ///< steady clock
    double busy = -1;             ///< of all cores that this process may use, seconds
    double stolen = -1;           ///< the same
    double own = -1;              ///< CPU time of this process
    double waited = -1;           ///< all its threads on run queues
    int64_t throttled = -1;       ///< events
    double memory_pressure = -1;  ///< seconds that some task waited for memory
  };
  static Counters read();

  int threads_;
  Counters started_;
};

}  // namespace convscope

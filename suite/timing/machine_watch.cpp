#include "suite/timing/machine_watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <set>
#include <sstream>
#include <thread>

namespace convscope {
namespace {

/// The file's text up to `enough`, or all of it; "" if it cannot be read. Not with a stream, which
/// takes as long again as the kernel's part.
std::string text_of(const std::string& path, const char* enough = nullptr) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  std::string text;
  char bytes[16384];
  for (ssize_t got; (got = ::read(file, bytes, sizeof bytes)) > 0;) {
    text.append(bytes, static_cast<size_t>(got));
    if (enough && text.find(enough) != std::string::npos) break;
  }
  ::close(file);
  return text;
}

std::string first_line_of(const std::string& path) {
  const std::string text = text_of(path);
  return text.substr(0, text.find('\n'));
}

bool is_readable(const std::string& path) { return ::access(path.c_str(), R_OK) == 0; }

/// The number that a text begins with; -1 if it begins with none.
double number_of(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  return end == text.c_str() || !std::isfinite(number) ? -1 : number;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string core_folder(const std::string& root, int core) {
  return root + "/sys/devices/system/cpu/cpu" + std::to_string(core);
}

/// The folder of a cgroup and those above it: the tightest limit holds. A container may see its
/// cgroup as the top of the tree while /proc/self/cgroup names the path outside.
std::vector<std::string> with_parents(const std::string& top, std::string path) {
  std::vector<std::string> folders;
  while (!path.empty() && path != "/") {
    folders.push_back(top + path);
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  folders.push_back(top);
  return folders;
}

struct CpuLimit {
  std::string folder;
  double cores;
};

/// The CPU limits of the cgroups, of either version, that this process is in.
std::vector<CpuLimit> cpu_limits(const std::string& root) {
  std::vector<CpuLimit> limits;
  for (const std::string& line : lines_of(text_of(root + "/proc/self/cgroup"))) {
    // "0::/user.slice" or "4:cpu,cpuacct:/docker/12ab"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1), top = root + "/sys/fs/cgroup";
    if (controllers.empty()) {
      for (const std::string& folder : with_parents(top, path)) {
        const double cores = limit_of(text_of(folder + "/cpu.max"));
        if (cores > 0) limits.push_back({folder, cores});
      }
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      for (const std::string& folder : with_parents(top + "/cpu", path)) {
        const double quota = number_of(text_of(folder + "/cpu.cfs_quota_us"));
        const double period = number_of(text_of(folder + "/cpu.cfs_period_us"));
        if (quota > 0 && period > 0) limits.push_back({folder, quota / period});
      }
    }
  }
  return limits;
}

std::vector<int> allowed_cores() {
  std::vector<int> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) cores.push_back(core);
    }
  } else {  // more cores than the set holds
    for (unsigned core = 0; core < std::thread::hardware_concurrency(); ++core) {
      cores.push_back(static_cast<int>(core));
    }
  }
  return cores;
}

/// In MHz; the kernel writes kHz.
double frequency_of(const std::string& root, int core) {
  const double khz = number_of(text_of(core_folder(root, core) + "/cpufreq/scaling_cur_freq"));
  return khz > 0 ? khz / 1000 : -1;
}

std::map<int, double> waited_by_thread(const std::string& root) {
  std::map<int, double> waited;
  const std::string folder = root + "/proc/self/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir(folder.c_str()), closedir);
  if (!tasks) return waited;
  while (const dirent* task = readdir(tasks.get())) {
    if (task->d_name[0] == '.') continue;
    // A thread may end while this reads.
    const double seconds = run_queue_seconds(text_of(folder + "/" + task->d_name + "/schedstat"));
    if (seconds >= 0) waited[std::atoi(task->d_name)] = seconds;
  }
  return waited;
}

double seconds_of(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return -1;
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// What a counter grew by; -1 where it is not there or was set back.
double grown(double before, double after) {
  return before >= 0 && after >= before ? after - before : -1;
}

std::string percent(double share) {
  return fmt::format("{:.{}f} %", 100 * share, share < 0.1 ? 1 : 0);
}

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : text; }

std::string turbo_state(const std::string& root) {
  const std::string cpu = root + "/sys/devices/system/cpu/";
  const double no_turbo = number_of(text_of(cpu + "intel_pstate/no_turbo"));
  if (no_turbo >= 0) return no_turbo > 0 ? "off" : "on";
  const double boost = number_of(text_of(cpu + "cpufreq/boost"));
  return boost < 0 ? "unknown" : boost > 0 ? "on" : "off";
}

std::string memory_available(const std::string& root) {
  for (const std::string& line : lines_of(text_of(root + "/proc/meminfo"))) {
    if (line.rfind("MemAvailable:", 0) != 0) continue;
    const double kibibytes = number_of(line.substr(13));
    if (kibibytes >= 0) return fmt::format("{:.0f}", kibibytes * 1024);
  }
  return "unknown";
}

}  // namespace

int Cores::usable() const {
  const auto count = static_cast<int>(allowed.size());
  return std::max(1, limit > 0 ? static_cast<int>(std::min<double>(count, limit)) : count);
}

Cores cores_of_this_process(const std::string& root) {
  Cores cores;
  cores.allowed = allowed_cores();
  std::set<std::string> different;
  for (const int core : cores.allowed) {
    // "0,4" or "0-1": the hardware threads of this one's core, the same text for each of them.
    const std::string siblings =
        first_line_of(core_folder(root, core) + "/topology/thread_siblings_list");
    different.insert(siblings.empty() ? std::to_string(core) : siblings);
  }
  cores.physical = std::max(1, static_cast<int>(different.size()));
  for (const CpuLimit& limit : cpu_limits(root)) {
    cores.limit = cores.limit < 0 ? limit.cores : std::min(cores.limit, limit.cores);
  }
  return cores;
}

std::vector<std::pair<std::string, std::string>> machine_state(const std::string& root) {
  const Cores cores = cores_of_this_process(root);
  const int core = std::max(0, sched_getcpu());
  const double mhz = frequency_of(root, core), load = number_of(text_of(root + "/proc/loadavg"));
  return {
      {"load_average", load < 0 ? "unknown" : fmt::format("{:.2f}", load)},
      {"mhz", mhz < 0 ? "unknown" : fmt::format("{:.0f}", mhz)},
      {"governor",
       or_unknown(first_line_of(core_folder(root, core) + "/cpufreq/scaling_governor"))},
      {"turbo", turbo_state(root)},
      {"smt", or_unknown(first_line_of(root + "/sys/devices/system/cpu/smt/control"))},
      {"physical_cores", std::to_string(cores.physical)},
      {"usable_cores", std::to_string(cores.usable())},
      {"cpu_limit", cores.limit < 0 ? "none" : fmt::format("{:g}", cores.limit)},
      {"memory_available_bytes", memory_available(root)},
  };
}

Disturbance judge(const MachineCounters& before, const MachineCounters& after, int threads,
                  const Cores& cores) {
  Disturbance found;
  found.seconds = after.seconds - before.seconds;
  found.mhz = after.mhz;
  if (found.seconds <= 0) return found;
  const auto share = [&](double seconds) { return seconds < 0 ? -1 : seconds / found.seconds; };

  std::vector<std::string> reasons;
  const auto count = static_cast<double>(cores.allowed.size());
  const double busy = grown(before.busy, after.busy), own = grown(before.own, after.own);
  // Each core's counter is rounded down at both ends: an error of variance 1/6 of a tick squared.
  const double rounding = 3 * std::sqrt(count / 6) * after.tick / found.seconds;
  // A /proc/stat that does not even count our own time (gVisor's) does not count others'. With
  // stolen time a process may seem to use more than its cores were busy.
  const double stolen = grown(before.stolen, after.stolen);
  const bool counts =
      busy >= 0 && own >= 0 && busy + std::max(0.0, stolen) >= own / 2 - rounding * found.seconds;
  if (counts) {
    found.other_cores = std::max(0.0, busy - own) / found.seconds;
    const double free = std::max(0, cores.physical - threads);
    if (found.other_cores > free + tolerated_cores + rounding) {
      reasons.push_back(fmt::format("other processes kept {:.1f} cores busy and {:.0f} {} free",
                                    found.other_cores, free, free == 1 ? "was" : "were"));
    }
  }

  if (stolen >= 0 && counts) {
    const double computing = std::min<double>(std::max(threads, 1), count);
    found.steal = share(stolen) / computing;
    const double surely = std::max(0.0, stolen - count * after.tick);
    if (share(surely) / computing > tolerated_share) {
      reasons.push_back(percent(found.steal) + " of the time stolen by the hypervisor");
    }
  }

  if (!before.waited.empty() && !after.waited.empty()) {
    double waited = 0;
    for (const auto& [thread, seconds] : after.waited) {
      const auto earlier = before.waited.find(thread);
      waited += std::max(0.0, seconds - (earlier == before.waited.end() ? 0 : earlier->second));
    }
    found.waiting = share(waited);
    if (found.waiting > tolerated_share) {
      reasons.push_back("threads waited " + percent(found.waiting) + " of the time for a core");
    }
  }

  found.limited = share(grown(before.limited, after.limited));
  if (found.limited > tolerated_share) {
    reasons.push_back(fmt::format("the limit of {:g} cores held it back {} of the time",
                                  cores.limit, percent(found.limited)));
  }
  found.memory = share(grown(before.memory_pressure, after.memory_pressure));
  if (found.memory > tolerated_share) {
    reasons.push_back("tasks waited " + percent(found.memory) + " of the time for memory");
  }
  if (before.throttled >= 0 && after.throttled >= before.throttled) {
    found.throttled = after.throttled - before.throttled;
    if (found.throttled > 0) {
      reasons.push_back(fmt::format("throttled by heat, {} {}", found.throttled,
                                    found.throttled == 1 ? "event" : "events"));
    }
  }
  for (const std::string& reason : reasons) {
    found.reason += (found.reason.empty() ? "" : "; ") + reason;
  }
  return found;
}

MachineWatch::MachineWatch(int threads, Cores cores, std::string root)
    : root_(std::move(root)), threads_(threads), cores_(std::move(cores)) {
  for (const CpuLimit& limit : cpu_limits(root_)) {
    const std::string path = limit.folder + "/cpu.stat";
    if (is_readable(path)) limits_.push_back(path);
  }
  std::set<std::string> packages;
  for (const int core : cores_.allowed) {
    const std::string folder = core_folder(root_, core) + "/thermal_throttle/";
    if (is_readable(folder + "core_throttle_count")) {
      throttles_.push_back(folder + "core_throttle_count");
    }
    // One counter of the whole package, shown by each of its cores.
    const std::string package =
        first_line_of(core_folder(root_, core) + "/topology/physical_package_id");
    if (is_readable(folder + "package_throttle_count") && packages.insert(package).second) {
      throttles_.push_back(folder + "package_throttle_count");
    }
  }
  start();
}

void MachineWatch::start() { started_ = read(); }

Disturbance MachineWatch::stop() const { return judge(started_, read(), threads_, cores_); }

MachineCounters MachineWatch::read() const {
  MachineCounters counters;
  counters.seconds = seconds_of(CLOCK_MONOTONIC);
  counters.own = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const long ticks = sysconf(_SC_CLK_TCK);
  if (ticks > 0) counters.tick = 1.0 / static_cast<double>(ticks);
  const CoreTimes times =
      core_times(text_of(root_ + "/proc/stat", "\nintr"), cores_.allowed, counters.tick);
  counters.busy = times.busy;
  counters.stolen = times.stolen;
  counters.waited = waited_by_thread(root_);
  for (const std::string& path : limits_) {
    counters.limited = std::max(counters.limited, limited_seconds(text_of(path)));
  }
  counters.memory_pressure = pressure_seconds(text_of(root_ + "/proc/pressure/memory"));
  counters.mhz = frequency_of(root_, std::max(0, sched_getcpu()));
  for (const std::string& path : throttles_) {
    const double events = number_of(text_of(path));
    if (events >= 0) {
      counters.throttled = std::max<int64_t>(counters.throttled, 0) + static_cast<int64_t>(events);
    }
  }
  return counters;
}

CoreTimes core_times(const std::string& proc_stat, const std::vector<int>& cores, double tick) {
  std::set<int> wanted(cores.begin(), cores.end());
  CoreTimes times{0, 0};
  for (const std::string& line : lines_of(proc_stat)) {
    int core = -1;
    // user includes guest, nice includes guest_nice
    double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft_irq = 0, stolen = 0;
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    if (name.rfind("cpu", 0) != 0 || name.size() == 3) continue;
    core = static_cast<int>(number_of(name.substr(3)));
    if (!(fields >> user >> nice >> system >> idle)) continue;
    fields >> waiting >> irq >> soft_irq >> stolen;  // later kernels' columns
    if (wanted.erase(core) == 0) continue;
    times.busy += tick * (user + nice + system + irq + soft_irq);
    times.stolen += tick * stolen;
  }
  return wanted.empty() && !cores.empty() ? times : CoreTimes{};
}

double run_queue_seconds(const std::string& schedstat) {
  const double running = number_of(schedstat);
  const size_t second = schedstat.find(' ');
  if (running < 0 || second == std::string::npos) return -1;
  const double waited = number_of(schedstat.substr(second));
  return waited < 0 ? -1 : 1e-9 * waited;
}

double pressure_seconds(const std::string& pressure) {
  const size_t total = pressure.find("total=");
  if (pressure.rfind("some", 0) != 0 || total == std::string::npos) return -1;
  const double microseconds = number_of(pressure.substr(total + 6));
  return microseconds < 0 ? -1 : 1e-6 * microseconds;
}

double limit_of(const std::string& cpu_max) {
  const double quota = number_of(cpu_max);  // "max 100000" without a limit
  const size_t second = cpu_max.find(' ');
  if (quota <= 0 || second == std::string::npos) return -1;
  const double period = number_of(cpu_max.substr(second));
  return period > 0 ? quota / period : -1;
}

double limited_seconds(const std::string& cpu_stat) {
  for (const std::string& line : lines_of(cpu_stat)) {
    const double count = line.size() > 15 ? number_of(line.substr(15)) : -1;
    if (count < 0) continue;
    if (line.rfind("throttled_usec ", 0) == 0) return 1e-6 * count;
    if (line.rfind("throttled_time ", 0) == 0) return 1e-9 * count;
  }
  return -1;
}

}  // namespace convscope

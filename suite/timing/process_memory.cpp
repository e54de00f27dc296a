#include "suite/timing/process_memory.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

namespace convscope {
namespace {

/// The lines "Name:   1234 kB" of a file below /proc, in bytes.
std::map<std::string, int64_t> bytes_in(const char* path) {
  std::map<std::string, int64_t> values;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || line.size() < 3) continue;
    if (line.compare(line.size() - 3, 3, " kB") != 0) continue;
    values[line.substr(0, colon)] = 1024 * std::strtoll(line.c_str() + colon + 1, nullptr, 10);
  }
  return values;
}

/// Bytes of the page cache among what a control group is said to use.
int64_t cached_files(const std::string& path) {
  std::ifstream file(path);
  int64_t bytes = 0;
  std::string name;
  for (int64_t value; file >> name >> value;) {
    if (name == "inactive_file" || name == "active_file") bytes += value;
  }
  return bytes;
}

int64_t number_in(const std::string& path) {
  std::ifstream file(path);
  int64_t number = -1;
  return file >> number ? number : -1;  // "max" is no number
}

}  // namespace

int64_t private_memory() {
  const auto status = bytes_in("/proc/self/status");
  const auto found = status.find("RssAnon");
  return found == status.end() ? -1 : found->second;
}

void restart_peak_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  std::ofstream("/proc/self/clear_refs") << "5\n";
}

void keep_large_blocks() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

int64_t peak_private_memory() {
  const auto status = bytes_in("/proc/self/status");
  if (!status.count("VmHWM") || !status.count("RssAnon")) return -1;
  const auto others = [&](const char* name) {
    return status.count(name) ? status.at(name) : int64_t{0};
  };
  return std::max(status.at("VmHWM") - others("RssFile") - others("RssShmem"),
                  status.at("RssAnon"));
}

void limit_memory_growth(int64_t bytes) {
  std::ofstream("/proc/self/oom_score_adj") << "1000\n";
  const auto status = bytes_in("/proc/self/status");
  const auto data = status.find("VmData");
  if (data == status.end()) return;
  const auto limit = static_cast<rlim_t>(data->second + bytes);
  const rlimit limits{limit, limit};
  setrlimit(RLIMIT_DATA, &limits);
}

int64_t available_memory() {
  const auto machine = bytes_in("/proc/meminfo");
  int64_t available = machine.count("MemAvailable") ? machine.at("MemAvailable") : -1;
  const int64_t limit = number_in("/sys/fs/cgroup/memory.max");
  // What files were read into memory is given back when it is needed.
  const int64_t used =
      number_in("/sys/fs/cgroup/memory.current") - cached_files("/sys/fs/cgroup/memory.stat");
  if (limit >= 0 && used >= 0) {
    available = available < 0 ? limit - used : std::min(available, limit - used);
  }
  return available;
}

}  // namespace convscope

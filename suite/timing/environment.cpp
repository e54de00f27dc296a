#include "suite/timing/environment.h"

#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <torch/version.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <thread>

#include "suite/timing/gpus.h"
#include "suite/version.h"

namespace convscope {
namespace {

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) && !line.empty() ? line : "unknown";
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "unknown";
}

/// "0-3": the cores that this process may use.
std::string affinity() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return "unknown";
  std::string text;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &cores)) continue;
    int last = core;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &cores)) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", core);
    if (last > core) text += fmt::format("-{}", last);
    core = last;
  }
  return text;
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

std::string onednn() {
  const std::string text = at::get_mkldnn_version();
  std::smatch found;
  return std::regex_search(text, found, std::regex("v([0-9.]+)")) ? found[1].str() : "none";
}

std::string operating_system() {
  utsname name{};
  return uname(&name) == 0 ? fmt::format("{} {} {}", name.sysname, name.release, name.machine)
                           : "unknown";
}

/// A version that LibTorch tells only if it was built with it.
template <class Version>
std::string version_or_none(const Version& version) {
  try {
    return version();
  } catch (const c10::Error&) {
    return "none";
  }
}

/// Nothing where there is no GPU, so that its environment is what it was before anyone asked.
void add_gpus(Environment& environment) {
  const at::CUDAHooksInterface& cuda = at::detail::getCUDAHooks();
  Gpus gpus = gpus_of();
  // In a container the driver's folder may be hidden.
  if (gpus.models.empty()) gpus.models.assign(static_cast<size_t>(cuda.getNumGPUs()), "unknown");
  if (gpus.models.empty()) return;
  environment.emplace_back("gpu", names_of(gpus.models));
  environment.emplace_back("gpu_driver", gpus.driver.empty() ? "unknown" : gpus.driver);
  environment.emplace_back("cuda",
                           version_or_none([&] { return cuda_version(cuda.versionCUDART()); }));
  environment.emplace_back("cudnn",
                           version_or_none([&] { return cudnn_version(cuda.versionCuDNN()); }));
}

}  // namespace

Environment environment() {
  const int64_t memory = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGE_SIZE);
  Environment environment = {
      {"version", version},
      {"commit", commit},
      {"compiler", compiler()},
      {"libtorch", TORCH_VERSION},
      {"onednn", onednn()},
      {"cpu", cpu_name()},
      {"cores", std::to_string(std::thread::hardware_concurrency())},
      {"affinity", affinity()},
      {"memory_bytes", std::to_string(memory)},
      {"governor", first_line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")},
      {"os", operating_system()},
  };
  add_gpus(environment);
  return environment;
}

std::string environment_id(const Environment& environment) {
  uint64_t hash = 14695981039346656037ULL;  // FNV-1a
  for (const auto& [name, value] : environment) {
    for (const char c : name + "=" + value + "\n") {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
  }
  return fmt::format("{:016x}", hash);
}

Environment machine_of(const Environment& environment) {
  Environment machine;
  for (const auto& entry : environment) {
    if (entry.first != "version" && entry.first != "commit" && entry.first != "compiler") {
      machine.push_back(entry);
    }
  }
  return machine;
}

double load_average() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : -1;
}

}  // namespace convscope

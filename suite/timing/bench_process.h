// A case measured in a process of its own, or in this one: the same requests and answers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "suite/timing/bench_case.h"
#include "suite/timing/environment.h"
#include "suite/timing/sampler.h"

namespace convscope {

/// What is known of a case before its samples count.
struct Preparation {
  std::vector<std::string> parts;  ///< see Workload
  WarmUp warm_up;
  double difference = -1;  ///< see Workload
};

/// One case, being measured. What goes wrong with the case is a std::runtime_error with one line
/// for people.
class Measured {
 public:
  virtual ~Measured() = default;
  /// Of the program that measures.
  virtual Environment program_environment() = 0;
  /// Before prepare(): its process gets no more memory than that (see limit_memory_growth()).
  virtual void limit_memory(int64_t bytes) = 0;
  virtual Preparation prepare(const BenchCase& bench_case, const WarmUpRule& rule) = 0;
  virtual Block block(double seconds, int64_t least) = 0;
  /// Memory that the case took at its peak since it was built, the network's weights included.
  virtual int64_t peak_bytes() = 0;
};

std::unique_ptr<Measured> measured_here();

/// Starts `program bench-worker`, or this program if `program` is empty: a process that has run
/// nothing else, in which the memory allocator and LibTorch's caches are as a user finds them.
/// Throws std::runtime_error if it cannot be started.
std::unique_ptr<Measured> measured_apart(const std::filesystem::path& program = {});

/// Where `program` measures, its version and commit among it; of this one if it is empty. Throws
/// std::runtime_error if it cannot be asked.
Environment environment_of(const std::filesystem::path& program);

/// The other side of that: answers requests until there are no more.
int serve_bench_requests();

/// The user pressed Ctrl-C.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted") {}
};

/// While one lives, Ctrl-C (and the end of the terminal, or of patience) makes whoever waits for a
/// measured process, or asks here, throw Interrupted.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  static void check();

 private:
  struct Before;
  std::unique_ptr<Before> before_;
};

}  // namespace convscope

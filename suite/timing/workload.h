// A case built and ready to run again and again: the border between tensors and times.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "suite/inference/frozen_step.h"
#include "suite/timing/bench_case.h"
#include "suite/timing/call_times.h"

namespace convscope {

/// The time of some iterations, one after another, from ready inputs to ready results.
struct Reading {
  std::vector<int64_t> ns;  ///< wall time of each part, over all the iterations
  double device_ns = -1;    ///< between events of the device; -1 on a CPU
  double enqueue_ns = -1;   ///< until everything was handed to the device; -1 on a CPU
};

class Workload {
 public:
  virtual ~Workload() = default;

  /// The modes that `Reading::ns` is of: {"inference"}, {"loader"}, or the whole step first:
  /// {"train", "train_forward", "train_backward", "train_optimizer"}.
  virtual std::vector<std::string> parts() const = 0;

  /// Waits once, at the end, for the device; a training step also between its parts.
  virtual Reading run(int64_t iterations) = 0;

  /// Iterations shorter than this are timed together: reading the clock is then less than a
  /// ten-thousandth of a sample.
  virtual double sample_ns() const { return 0.5e6; }

  /// The largest difference of a logit from the eager network's, as a share of the largest logit;
  /// negative where there is nothing to compare. After the first run.
  virtual double difference() { return -1; }

  /// One iteration with a clock at each operator call, whose times are appended: of the eager
  /// engine at those of Graph::calls, of the frozen one at steps(). Throws std::runtime_error for
  /// what cannot be taken apart: other modes than inference, a GPU, a frozen form that does not
  /// tell its steps.
  virtual void run_watched(std::vector<CallTime>& /*calls*/) {
    throw std::runtime_error("only inference on a CPU can be timed operator by operator");
  }

  /// What the frozen engine does in a pass; empty for what else there is.
  virtual std::vector<FrozenStep> steps() const { return {}; }

  /// The largest amount that was allocated on the device since the last call; -1 on a CPU, where
  /// the process's memory says it.
  virtual int64_t device_peak_bytes() { return -1; }
};

/// Builds the network with made-up weights and input, the same at each call. Throws std::exception
/// with a first line for people: what refusal_of() says, a device that is not there, no memory, an
/// operator that the engine does not have.
std::unique_ptr<Workload> make_workload(const BenchCase& bench_case);

/// A frozen network's time counts where its logits are the eager one's. Throws std::runtime_error
/// if Workload::difference() is above 1e-4, or no number.
void require_same_logits(const BenchCase& bench_case, double difference);

/// Throws std::invalid_argument if a loader cannot read what is at the case's `data`.
void check_data(const BenchCase& bench_case);

/// Bytes that a network could have on this device now; -1 where nobody tells.
int64_t available_memory_of(const std::string& device);

/// "" if the device exists, else why not: "there is no CUDA device: ...".
std::string missing_device(const std::string& device);

}  // namespace convscope

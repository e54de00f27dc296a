// A network's forward pass, ready to run as a whole or with a clock at each operator call.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "suite/inference/frozen_step.h"
#include "suite/timing/bench_case.h"

namespace convscope {

/// Of an operator call of the eager engine or a step of the frozen one.
struct CallTime {
  std::string_view op;  ///< "aten::conv2d", "convolution+relu"
  int64_t ns;
};

class ForwardPass {
 public:
  /// Builds the network with random weights and a random batch; from now on operators use the
  /// case's threads. Throws std::invalid_argument for what is not float32 inference on a CPU, and
  /// std::runtime_error where the frozen form cannot be made or computes something else.
  explicit ForwardPass(const BenchCase& bench_case);
  ~ForwardPass();
  ForwardPass(const ForwardPass&) = delete;
  ForwardPass& operator=(const ForwardPass&) = delete;

  void run();

  /// What the frozen engine does in a pass; empty for the eager one.
  const std::vector<FrozenStep>& steps() const;

  /// The same with a clock at each call: in the eager engine at those of Graph::calls, in the
  /// frozen one at steps(), in their order. In the eager engine a clock starts when LibTorch has
  /// collected the call's arguments and stops when it has the results: collecting them is in no
  /// call's time. Throws std::runtime_error for a frozen form that does not tell its steps.
  void run(std::vector<CallTime>& calls);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace convscope

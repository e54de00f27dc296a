// A network's forward pass, ready to run as a whole or with a clock at each operator call.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "suite/timing/bench_case.h"

namespace convscope {

struct CallTime {
  std::string_view op;  ///< "aten::conv2d"
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

  /// The same with each operator call of the eager engine timed: those, and in the order, of
  /// Graph::calls. The clock starts when LibTorch has collected the call's arguments and stops when
  /// it has the results: collecting is in no call's time, so all calls together take a little less
  /// than the pass.
  void run(std::vector<CallTime>& calls);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace convscope

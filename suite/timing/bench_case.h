// What is timed: a network and everything beside it that changes its time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "architectures/architecture.h"

namespace convscope {

struct BenchCase {
  Architecture architecture;
  Settings settings = {};  ///< the image's shape, classes, width
  std::string device = "cpu";
  int threads = 1;  ///< that compute; of the loader: that read and decode
  int64_t batch = 1;
  std::string precision = "float32";  ///< float32, bfloat16; on a GPU also float16, tf32
  std::string layout = "contiguous";  ///< contiguous, channels_last
  std::string engine = "eager";       ///< eager, frozen
  std::string mode = "inference";     ///< inference, train, loader
  std::string scenario = "latency";   ///< latency (batch 1, one after another), throughput
  std::string data;                   ///< of the loader: a folder, as `evaluate` takes it
  std::string program;  ///< the convscope that runs it, of another branch; "": this one
  int64_t predicted_peak_bytes = -1;  ///< of memory, so that others run beside it only if they fit
};

/// The case that nobody asked anything special of, at the size of the network's paper.
BenchCase usual_case(const Architecture& architecture);

/// "resnet50/3x224x224/cpu/t1/b1/float32/contiguous/frozen/inference/latency": the `case` of
/// samples.csv and the name in Google Benchmark. A network that is not as its paper has it carries
/// how it differs: "mobilenet_v2:width=0.5".
std::string name_of(const BenchCase& bench_case);

/// Why this can never be measured ("the frozen engine computes in float32 only"); "" if it can.
std::string refusal_of(const BenchCase& bench_case);

}  // namespace convscope

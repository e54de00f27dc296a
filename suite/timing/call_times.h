// A clock at each operator call of a forward pass.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace convscope {

/// Of an operator call of the eager engine or a step of the frozen one.
struct CallTime {
  std::string_view op;  ///< "aten::conv2d", "convolution+relu"; lives as long as the engine
  int64_t ns;
};

/// Runs `pass` and appends the time of each operator call of this thread: those, and in the order,
/// of Graph::calls. A clock starts when LibTorch has collected a call's arguments and stops when it
/// has the results: collecting them is in no call's time.
void time_calls(const std::function<void()>& pass, std::vector<CallTime>& calls);

}  // namespace convscope

// What a frozen network does, one step after the other.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace convscope {

struct FrozenStep {
  std::string op;              ///< "convolution+sum+relu"; "aten::cumsum" where LibTorch runs it
  std::string layer;           ///< of its first call: "layer1.0.conv1"
  std::string implementation;  ///< as oneDNN calls it: "jit:avx512_core"; "libtorch"

  /// The calls whose work it does, as indices in Graph::calls of a trace() of the same network.
  /// Each call is in one step at most; none for a change of layout.
  std::vector<size_t> calls;
};

}  // namespace convscope

// Runs a module's own forward pass without memory and without arithmetic and writes down what it
// did. The border between tensors and numbers: everything else in analysis/ is arithmetic on Graph.
#pragma once

#include <torch/nn.h>

#include <functional>
#include <memory>

#include "suite/analysis/graph.h"

namespace convscope {

/// While one lives, tensors made by this thread get a shape but no memory and no random numbers:
/// a module built meanwhile costs microseconds, whatever its size.
class WithoutMemory {
 public:
  WithoutMemory();
  ~WithoutMemory();
  WithoutMemory(const WithoutMemory&) = delete;
  WithoutMemory& operator=(const WithoutMemory&) = delete;

 private:
  struct Guard;
  std::unique_ptr<Guard> guard_;
};

/// What `forward` does with one float32 image of this shape (without the batch: {3, 224, 224}).
/// `module` may hold real weights or be built WithoutMemory; its training mode is respected.
/// Throws ShapeError that names the layer which the image does not fit.
Graph trace(torch::nn::Module& module,
            const std::function<torch::Tensor(const torch::Tensor&)>& forward, const Shape& image);

/// The same for any module with `forward(Tensor)`.
template <class Module>
Graph trace(Module& module, const Shape& image) {
  return trace(
      module, [&](const torch::Tensor& x) { return module.forward(x); }, image);
}

}  // namespace convscope

// All tensors of a module in the order in which Python's state_dict() has them, which is the order
// of weights files: LibTorch's own lists have all parameters first.
#pragma once

#include <torch/nn.h>

#include <string>
#include <vector>

namespace convscope {

struct StateTensor {
  std::string name;
  torch::Tensor tensor;
};

std::vector<StateTensor> state_dict(const torch::nn::Module& module);

}  // namespace convscope

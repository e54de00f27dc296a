// A forward pass written down while it runs, with all that it takes to compute it once more, of
// other images and in another way.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/types.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "architectures/network.h"
#include "suite/analysis/graph.h"

namespace convscope {

struct TapeValue {
  Shape shape;
  c10::ScalarType type;
  torch::Tensor constant;  ///< defined where it does not depend on the images
};

struct TapeArgument {
  enum class Form { plain, tensor, tensors } form;
  c10::IValue plain;
  std::vector<int> values;  ///< -1 for an optional tensor that is absent
};

/// One call of an operator which depends on the images. No call writes into a value: what an
/// in-place operator returns is another value than what it was given.
struct TapeCall {
  c10::OperatorHandle op;
  bool in_place;
  std::vector<TapeArgument> arguments;
  std::vector<int> results;
  int index;  ///< in Graph::calls of a trace() of the same network, -1 if that has another one

  /// "aten::relu", also for its in-place form.
  std::string name() const;
  /// Throws std::out_of_range where the operator has none of this name.
  const TapeArgument& argument(const std::string& name) const;
  /// The value of an argument that is a tensor, -1 if there is none.
  int value(const std::string& name) const;
};

struct Tape {
  std::vector<TapeValue> values;
  std::vector<TapeCall> calls;
  std::vector<std::string> layers;  ///< by the index of a call
  int input = -1, output = -1;
  torch::Tensor expected;  ///< what the network computed of the example
};

/// Thrown where a pass has calls that a tape has no form for, though LibTorch's graphs have one.
struct NotTaped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws std::invalid_argument where a pass cannot be written down like this: it writes into a
/// tensor of which it later reads another view, or its result does not depend on the images.
Tape record(Network& network, const torch::Tensor& example);

/// Calls the operator again. `tensor` gives the tensor of a value that is not constant; it is not
/// written into.
std::vector<torch::Tensor> replay(const TapeCall& call, const Tape& tape,
                                  const std::function<torch::Tensor(int value)>& tensor);

}  // namespace convscope

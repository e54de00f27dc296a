// One forward pass as plain data: which operators ran, on what shapes, with which parameters.
// Every analysis is a function of a Graph, and a Graph can be written by hand in a test.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace convscope {

using Shape = std::vector<int64_t>;

/// "3x224x224"; "scalar" for no dimensions.
std::string to_string(const Shape& shape);

/// The product of the dimensions.
int64_t element_count(const Shape& shape);

/// Thrown where an operator cannot take the shapes that it was given.
struct ShapeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A weight or a buffer of the module.
struct Parameter {
  std::string name;  ///< "layer1.0.conv1.weight"
  Shape shape;
  int64_t element_bytes = 4;
  bool trainable = true;  ///< false for buffers
};

/// A tensor at one moment of the pass. Dimension 0 of a feature map is the batch.
struct Value {
  Shape shape;
  int64_t element_bytes = 4;
  int storage = -1;    ///< values with the same number share their memory
  int parameter = -1;  ///< index in Graph::parameters, -1 for what the pass computed
};

using Attribute =
    std::variant<std::monostate, bool, int64_t, double, std::vector<int64_t>, std::string>;

/// One operator call, as the module's code wrote it.
struct Call {
  std::string op;     ///< "aten::conv2d"
  std::string layer;  ///< the module it belongs to: "layer1.0.conv1"
  std::vector<int>
      inputs;  ///< values in the order of the operator's tensor arguments, -1 if absent
  std::vector<int> outputs;                                   ///< values
  std::vector<std::pair<std::string, Attribute>> attributes;  ///< the other arguments, by name
  bool of_module = false;  ///< `layer` is a module of the operator's kind: a ReLU, not F.relu
};

struct Graph {
  std::vector<Parameter> parameters;
  std::vector<Value> values;
  std::vector<Call> calls;  ///< in execution order
  std::vector<int> inputs, outputs;
};

}  // namespace convscope

// THE TABLE: everything that is known of each operator, one row for each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/analysis/fields.h"
#include "suite/analysis/graph.h"

namespace convscope {

/// A call with its values at hand.
class Site {
 public:
  Site(const Graph& graph, const Call& call) : graph_(graph), call_(call) {}

  const Call& call() const { return call_; }
  bool has(size_t input) const;
  size_t inputs() const { return call_.inputs.size(); }
  /// Shapes of the tensor arguments and results. Throw std::out_of_range for an absent one.
  const Shape& in(size_t input = 0) const;
  const Shape& out(size_t output = 0) const;

  /// Arguments by name; `missing` where the operator has none of that name or was given None.
  const Attribute* attribute(const std::string& name) const;
  int64_t integer(const std::string& name, int64_t missing) const;
  bool flag(const std::string& name, bool missing) const;
  /// A list of `count` numbers; LibTorch lets one number or a list of one stand for all.
  std::vector<int64_t> integers(const std::string& name, size_t count, int64_t missing) const;

 private:
  const Graph& graph_;
  const Call& call_;
};

enum class Kind {
  convolution,
  linear,  ///< linear layers and products with a weight
  matmul,  ///< products of two computed matrices
  normalization,
  pooling,
  activation,
  elementwise,
  reduction,
  interpolation,  ///< enlarging maps by what lies between their positions
  movement,       ///< views and copies: no arithmetic
};
std::string to_string(Kind kind);

/// A number of operations and the words that document it.
struct Count {
  std::string text;
  int64_t (*of)(const Site&) = nullptr;  ///< wins over per_output
  int64_t per_output = 0;

  int64_t operator()(const Site& site) const;
};

struct Op {
  const char* name;  ///< an in-place form ("aten::relu_") shares the row of its plain one
  Kind kind;
  Shape (*shape)(const Site&);   ///< of the result; null where LibTorch finds it (views)
  int64_t (*macs)(const Site&);  ///< multiply-accumulates; null for none
  Count flops;                   ///< all floating-point operations
  Fields (*fields)(const Site&, const std::vector<const Fields*>&);
};

/// All rows, as ops.cpp lists them.
const std::vector<Op>& operators();

/// The row of an operator, null if there is none.
const Op* find_operator(const std::string& name);

/// A transposed convolution, whose windows lie in its result.
bool is_transposed(const Site& site);

/// The sliding window of a convolution or pooling, one for each spatial dimension; empty for
/// others.
std::vector<SlidingWindow> windows(const Site& site);

}  // namespace convscope

// What other tools count of the same forward pass, each as a list of rules, and why two of them
// disagree. CONVENTIONS.md has the tools' versions and where each rule was read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/analysis/cost.h"
#include "suite/analysis/graph.h"
#include "suite/analysis/ops.h"

namespace convscope {

/// Why something is counted, or counted otherwise. Two tools are compared cause by cause.
enum class Cause {
  products,
  second_operation,
  unseen_products,
  transposed,
  bias,
  batch_norm,
  other_norm,
  activation,
  pooling,
  adaptive_pooling,
  activation_again,
  pooling_again,
  upsampling,
  elementwise,
  reduction,
};
std::string to_string(Cause cause);

/// A call, and what convscope itself counts of it.
struct CountedCall {
  const Graph& graph;
  const Call& call;
  Site site;
  Kind kind;
  const LayerCost& cost;
};

struct Rule {
  Cause cause;
  const char* text;  ///< "2 per element"
  int64_t (*of)(const CountedCall&);
};

/// Calls for which the rules may not say what the tool does.
struct Doubt {
  const char* text;
  bool (*about)(const CountedCall&);
};

struct Convention {
  const char* name;      ///< as in --convention
  const char* tool;      ///< and its version
  const char* quantity;  ///< the tool's own word for what it counts
  std::vector<Rule> rules;
  std::string (*printed)(int64_t);  ///< as the tool writes it
  std::vector<Doubt> doubts = {};
  /// Networks whose parameters are published with the auxiliary heads.
  std::vector<std::string> with_heads = {};
};

/// convscope's own two first.
const std::vector<Convention>& conventions();

/// Throws std::invalid_argument that suggests the nearest name.
const Convention& find_convention(const std::string& name);

/// What the tool would count.
int64_t count(const Convention& convention, const Graph& graph, const Cost& cost);

/// Why the number may not be the tool's; empty where nothing is known against it.
std::string doubts(const Convention& convention, const Graph& graph, const Cost& cost);

/// One cause of a difference, over all calls in which the two conventions disagree about it.
struct Difference {
  Cause cause;
  const char *first_rule, *second_rule;  ///< how each counts, null where it does not
  int64_t first = 0, second = 0;         ///< in all calls, also those in which they agree
  int64_t calls = 0;
  std::vector<std::pair<std::string, int64_t>> layers =
      {};  ///< second less first, the largest first
};

/// The causes whose sum is what `second` counts more than `first`; none that is zero everywhere.
std::vector<Difference> differences(const Convention& first, const Convention& second,
                                    const Graph& graph, const Cost& cost);

}  // namespace convscope

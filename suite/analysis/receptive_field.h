// What every tensor of a forward pass can see of the image, by folding the table's windows.
#pragma once

#include <string>
#include <vector>

#include "suite/analysis/fields.h"
#include "suite/analysis/graph.h"

namespace convscope {

struct ReceptiveFields {
  std::vector<Fields> of_value;    ///< for each value of the graph
  std::vector<std::string> gates;  ///< layers where a gate that sees the whole image was left out
  std::vector<std::string>
      beyond;  ///< layers that look at more than one position of what has no field
};

/// In pixels of the graph's inputs. What an operator without a row returns has no field.
ReceptiveFields receptive_fields(const Graph& graph);

/// "427", or "3x1" where the sides of the image differ; "" without sides.
std::string to_string(const std::vector<Field>& sides, int64_t Field::*part);

}  // namespace convscope

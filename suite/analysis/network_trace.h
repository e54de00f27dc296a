// The instruments of this folder on a network of the catalogue: plain data in, plain data out.
#pragma once

#include <vector>

#include "architectures/architecture.h"
#include "suite/analysis/fields.h"
#include "suite/analysis/graph.h"

namespace convscope {

/// The forward pass in evaluation mode, found without memory and without arithmetic.
/// Throws std::invalid_argument that names the network, the layer that the image does not fit and
/// the smallest square image that does, or what else the family does not allow.
Graph trace_network(const Architecture& architecture, const Settings& settings);

/// The field of the last feature map, found again by experiment: the network's own forward pass
/// runs on an image large enough that nothing is clipped, with positive weights, with averages for
/// maxima and without what acts on single elements or sees the whole image; the field is the
/// support of the gradient of one feature, its stride the distance to that of the next one.
std::vector<Field> measure_field(const Architecture& architecture, const Settings& settings);

}  // namespace convscope

// The network as it is deployed: batch normalisation folded into the layer before it.
#pragma once

#include "suite/analysis/graph.h"

namespace convscope {

/// Removes each batch normalisation (in evaluation mode) that reads the result of a convolution or
/// linear layer which nobody else reads, and gives that layer a bias if it had none. Those of other
/// places stay.
Graph fold_batch_norm(const Graph& graph);

}  // namespace convscope

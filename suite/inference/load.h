// A network with the weights of a file: what evaluation, features and fine-tuning begin with.
#pragma once

#include <memory>

#include "architectures/network.h"
#include "suite/weights/matching.h"

namespace convscope {

/// The network with memory of whatever values: for weights that are about to be written. In
/// training mode, on the CPU, float32.
std::shared_ptr<Network> build_unfilled(const Architecture& architecture, const Settings& settings);

/// The network with made-up weights, the same at each call, that keep values of a usual size from
/// layer to layer; quick, also where the paper's initialisation draws millions of numbers. In
/// training mode, on the CPU, float32.
std::shared_ptr<Network> made_up_network(const Architecture& architecture,
                                         const Settings& settings);

/// The network with the file's values wherever `match` has a pair. What the file lacks is as the
/// paper initialises it, from LibTorch's generator; where it lacks nothing, no time is spent on
/// that. In evaluation mode, on the CPU, float32.
std::shared_ptr<Network> load_network(const Architecture& architecture, const Settings& settings,
                                      const WeightsFile& file, const Match& match);

}  // namespace convscope

// The figures of what train and transfer record: curves over epochs, the test of learning rates,
// transfer by depth, and confusion. Without torch, so that they are quick to test.
#pragma once

#include <vector>

#include "suite/commands/plot_records.h"

namespace convscope {

/// In the order in which they are drawn.
std::vector<PlotFigure> training_figures();

}  // namespace convscope

// The list of networks. Adding one: its family's line in catalogue.cpp.
#pragma once

#include <string>
#include <vector>

#include "architectures/architecture.h"

namespace convscope {

/// Every network, oldest paper first.
const std::vector<Architecture>& catalogue();

/// The network of that name. Throws std::invalid_argument that suggests the nearest name.
const Architecture& find_architecture(const std::string& name);

/// The networks that a list of names and wildcards ("vgg16", "resnet*") picks, each once, in the
/// order asked for. Throws std::invalid_argument for a name or pattern that picks nothing.
std::vector<Architecture> match_architectures(const std::vector<std::string>& patterns);

}  // namespace convscope

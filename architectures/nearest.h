// The name that a mistyped one was probably meant to be.
#pragma once

#include <string>
#include <vector>

namespace convscope {

/// "; did you mean 'resnet50'?", or nothing where no name is near. `prefix` goes before the name.
std::string did_you_mean(const std::string& typed, const std::vector<std::string>& names,
                         const std::string& prefix = "");

/// "'a' and 'b'"; of many, "'a', 'b' and 40 more".
std::string some_of(const std::vector<std::string>& names);

}  // namespace convscope

// Where this user keeps what can be had again: downloaded weights, the calibration of the machine.
#pragma once

#include <filesystem>
#include <string>

namespace convscope {

/// $XDG_CACHE_HOME/convscope/NAME, or ~/.cache/convscope/NAME. Throws std::invalid_argument if
/// neither XDG_CACHE_HOME nor HOME is an absolute path.
std::filesystem::path cache_folder(const std::string& name);

}  // namespace convscope

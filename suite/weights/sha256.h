// The SHA-256 of a file, by which weights are recognised whatever their name is.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace convscope {

/// 64 digits in lower case. Reads the file in pieces: a hash needs each byte once, so mapping would
/// only crowd out what else is in memory. Throws std::invalid_argument if it cannot be read.
std::string sha256_of(const std::filesystem::path& path);

/// The same of bytes in memory.
std::string sha256_of_text(std::string_view text);

}  // namespace convscope

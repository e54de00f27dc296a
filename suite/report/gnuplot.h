// gnuplot as a child process, and what it says when it fails.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace convscope {

/// The program in PATH. Throws std::runtime_error that names the Debian package if there is none.
std::filesystem::path find_gnuplot();

/// Runs a script with `folder` as the working directory, so that a script names its outputs without
/// a path and no path can be mistaken for a command. Reads no configuration of the user.
/// Throws std::runtime_error with gnuplot's first complaint if it fails or complains, or if it
/// takes longer than `timeout`, in which case it is killed.
void run_gnuplot(const std::string& script, const std::filesystem::path& folder,
                 std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace convscope

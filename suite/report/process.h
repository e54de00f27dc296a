// A child process without a shell in between: nothing that a user wrote is ever read as a command.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace convscope {

/// The program of that name in PATH, empty if there is none.
std::filesystem::path find_program(const std::string& name);

struct ProcessResult {
  int status;          ///< of wait(2)
  std::string output;  ///< what it wrote to standard output and standard error
};

/// Runs a program with `input` as its standard input and `folder` as its working directory, in the
/// C locale with UTF-8. Throws std::runtime_error if it cannot be started, or if it takes longer
/// than `timeout`, in which case it is killed.
ProcessResult run_process(const std::filesystem::path& program,
                          const std::vector<std::string>& arguments, const std::string& input,
                          const std::filesystem::path& folder, std::chrono::milliseconds timeout);

}  // namespace convscope

#include "suite/report/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace convscope {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail_to_run(const fs::path& program, const char* step, int error) {
  throw std::runtime_error(
      fmt::format("cannot run {}: {}: {}", program.string(), step, std::strerror(error)));
}

struct FileDescriptor {
  int fd = -1;
  ~FileDescriptor() { close(); }
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// Text as a file that has no name. A pipe could fill up, or break and raise SIGPIPE.
void open_text(const std::string& text, const fs::path& program, FileDescriptor& file) {
  file.fd = ::memfd_create("convscope", MFD_CLOEXEC);
  if (file.fd < 0) fail_to_run(program, "memfd_create", errno);
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file.fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_to_run(program, "write", errno);
    done += static_cast<size_t>(n);
  }
  ::lseek(file.fd, 0, SEEK_SET);
}

// This process's environment without what changes how a program speaks, and how gnuplot draws.
std::vector<std::string> plain_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto starts = [text](std::string_view prefix) {
      return text.substr(0, prefix.size()) == prefix;
    };
    if (!starts("LC_") && !starts("LANG") && !starts("GNUTERM") && !starts("GNUPLOT"))
      variables.emplace_back(text);
  }
  variables.emplace_back("LC_ALL=C.UTF-8");
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

pid_t start(const fs::path& program, const std::vector<std::string>& arguments,
            const fs::path& folder, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());

  std::vector<std::string> environment = plain_environment(), command = {program.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  pid_t child = -1;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr,
                                  pointers(command).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail_to_run(program, "posix_spawn", error);
  return child;
}

// Collects what the child prints until it ends. False if that takes too long.
bool read_until_end(int fd, Clock::time_point deadline, std::string& text) {
  std::array<char, 4096> buffer;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd wait{fd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    text.append(buffer.data(), static_cast<size_t>(n));
  }
}

}  // namespace

fs::path find_program(const std::string& name) {
  const char* const variable = std::getenv("PATH");
  std::istringstream folders(variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / name;
    if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) return fs::absolute(program);
  }
  return {};
}

ProcessResult run_process(const fs::path& program, const std::vector<std::string>& arguments,
                          const std::string& input, const fs::path& folder,
                          std::chrono::milliseconds timeout) {
  FileDescriptor text, from_child, to_parent;
  open_text(input, program, text);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_to_run(program, "pipe", errno);
  from_child.fd = ends[0];
  to_parent.fd = ends[1];
  const pid_t child = start(program, arguments, folder, text.fd, to_parent.fd);
  to_parent.close();

  ProcessResult result{0, {}};
  const bool ended = read_until_end(from_child.fd, Clock::now() + timeout, result.output);
  if (!ended) ::kill(child, SIGKILL);
  while (::waitpid(child, &result.status, 0) < 0 && errno == EINTR) {
  }
  if (!ended)
    throw std::runtime_error(fmt::format("{} was stopped after {} ms without an end",
                                         program.filename().string(), timeout.count()));
  return result;
}

}  // namespace convscope

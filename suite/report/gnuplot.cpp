#include "suite/report/gnuplot.h"

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
#include <vector>

#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

[[noreturn]] void fail_to_run(const char* step, int error) {
  throw std::runtime_error(fmt::format("cannot run gnuplot: {}: {}", step, std::strerror(error)));
}

struct FileDescriptor {
  int fd = -1;
  ~FileDescriptor() { close(); }
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// The script as a file that has no name. A pipe could fill up, or break and raise SIGPIPE.
void open_script(const std::string& script, FileDescriptor& file) {
  file.fd = ::memfd_create("convscope figure", MFD_CLOEXEC);
  if (file.fd < 0) fail_to_run("memfd_create", errno);
  for (size_t done = 0; done < script.size();) {
    const ssize_t n = ::write(file.fd, script.data() + done, script.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_to_run("write", errno);
    done += static_cast<size_t>(n);
  }
  ::lseek(file.fd, 0, SEEK_SET);
}

// This process's environment without what changes how gnuplot reads and draws.
std::vector<std::string> gnuplot_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto is = [text](std::string_view prefix) {
      return text.substr(0, prefix.size()) == prefix;
    };
    if (!is("LC_") && !is("LANG") && !is("GNUTERM") && !is("GNUPLOT")) variables.emplace_back(text);
  }
  variables.emplace_back("LC_ALL=C.UTF-8");
  return variables;
}

pid_t start(const fs::path& program, const fs::path& folder, int script, int messages) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, messages, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());

  std::vector<std::string> variables = gnuplot_environment();
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  // -d: no gnuplotrc, neither the system's nor the user's.
  std::string name = "gnuplot", no_settings = "-d";
  char* arguments[] = {name.data(), no_settings.data(), nullptr};

  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail_to_run(program.c_str(), error);
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

// gnuplot prints the command, a caret, and then "line 12: what is wrong". Fontconfig and pango
// print to the same place, about fonts that the figure does without.
std::string first_complaint(const std::string& messages) {
  std::istringstream lines(messages);
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin != std::string::npos && line.compare(begin, 5, "line ") == 0)
      return printable(line.substr(begin));
  }
  return {};
}

}  // namespace

fs::path find_gnuplot() {
  const char* const variable = std::getenv("PATH");
  std::istringstream folders(variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / "gnuplot";
    if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) return fs::absolute(program);
  }
  throw std::runtime_error(
      "there is no gnuplot in PATH, which draws the figures: install the Debian package "
      "gnuplot-nox");
}

void run_gnuplot(const std::string& script, const fs::path& folder,
                 std::chrono::milliseconds timeout) {
  const fs::path program = find_gnuplot();
  FileDescriptor input, from_child, to_parent;
  open_script(script, input);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_to_run("pipe", errno);
  from_child.fd = ends[0];
  to_parent.fd = ends[1];
  const pid_t child = start(program, folder, input.fd, to_parent.fd);
  to_parent.close();

  std::string messages;
  const bool ended = read_until_end(from_child.fd, Clock::now() + timeout, messages);
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended)
    throw std::runtime_error(
        fmt::format("gnuplot was stopped after {} ms without an end", timeout.count()));

  const std::string complaint = first_complaint(messages);
  if (WIFSIGNALED(status))
    throw std::runtime_error(fmt::format("gnuplot was ended by signal {} ({})", WTERMSIG(status),
                                         strsignal(WTERMSIG(status))));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !complaint.empty())
    throw std::runtime_error(fmt::format("gnuplot failed: {}",
                                         !complaint.empty() ? complaint
                                         : !messages.empty()
                                             ? printable(messages.substr(0, 200))
                                             : fmt::format("exit status {}", WEXITSTATUS(status))));
}

}  // namespace convscope

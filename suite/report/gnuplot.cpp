#include "suite/report/gnuplot.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/wait.h>

#include <sstream>
#include <stdexcept>

#include "suite/report/process.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

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
  fs::path program = find_program("gnuplot");
  if (program.empty())
    throw std::runtime_error(
        "there is no gnuplot in PATH, which draws the figures: install the Debian package "
        "gnuplot-nox");
  return program;
}

void run_gnuplot(const std::string& script, const fs::path& folder,
                 std::chrono::milliseconds timeout) {
  // -d: no gnuplotrc, neither the system's nor the user's.
  const auto [status, output] = run_process(find_gnuplot(), {"-d"}, script, folder, timeout);
  if (WIFSIGNALED(status))
    throw std::runtime_error(fmt::format("gnuplot was ended by signal {} ({})", WTERMSIG(status),
                                         strsignal(WTERMSIG(status))));
  const std::string complaint = first_complaint(output);
  if (WEXITSTATUS(status) != 0 || !complaint.empty())
    throw std::runtime_error(fmt::format("gnuplot failed: {}",
                                         !complaint.empty() ? complaint
                                         : !output.empty()
                                             ? printable(output.substr(0, 200))
                                             : fmt::format("exit status {}", WEXITSTATUS(status))));
}

}  // namespace convscope

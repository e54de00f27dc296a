#include "suite/timing/gpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>

namespace convscope {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first group of the pattern in the text; "" if it does not match.
std::string found_in(const std::string& text, const char* pattern) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(pattern)) ? found[1].str() : "";
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code unreadable;
  std::vector<fs::path> entries;
  for (fs::directory_iterator entry(folder, unreadable), end; !unreadable && entry != end;
       entry.increment(unreadable)) {
    entries.push_back(entry->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace

Gpus gpus_of(const fs::path& driver_folder) {
  Gpus gpus;
  for (const fs::path& gpu : sorted_entries(driver_folder / "gpus")) {
    const std::string model =
        found_in(text_of(gpu / "information"), "(?:^|\n)Model:[ \t]*([^\n]*[^ \t\n])");
    gpus.models.push_back(model.empty() ? "unknown" : model);
  }
  // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue ...", of the open module
  // "... Open Kernel Module for x86_64  550.54.15  Release Build ...".
  gpus.driver = found_in(text_of(driver_folder / "version"),
                         "NVRM version:[^\n]*?[ \t]([0-9]+(?:\\.[0-9]+)+)");
  return gpus;
}

std::string names_of(const std::vector<std::string>& models) {
  std::string text;
  for (size_t i = 0; i < models.size();) {
    size_t end = i;
    while (end < models.size() && models[end] == models[i]) ++end;
    text += (text.empty() ? "" : ", ") +
            (end - i > 1 ? fmt::format("{} x {}", end - i, models[i]) : models[i]);
    i = end;
  }
  return text;
}

std::string cuda_version(int64_t number) {
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

std::string cudnn_version(int64_t number) {
  const int64_t major = number < 10000 ? 1000 : 10000;
  return fmt::format("{}.{}.{}", number / major, number % major / 100, number % 100);
}

}  // namespace convscope

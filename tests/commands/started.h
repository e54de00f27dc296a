// The program as a process of its own, which a test can kill.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace convscope {

/// Its standard error goes to `err`.
inline pid_t started(std::vector<std::string> words, const std::filesystem::path& err) {
  words.insert(words.begin(), CONVSCOPE_PROGRAM);
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stdout) || !freopen(err.c_str(), "w", stderr)) _exit(126);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  return child;
}

}  // namespace convscope

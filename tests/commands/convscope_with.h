// Runs the program inside the test, as if its words had been typed.
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "suite/commands/program.h"

namespace convscope {

struct Result {
  int code;
  std::string out, err;
};

inline Result convscope_with(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  const int code = run_program(arguments, out, err);
  return {code, out.str(), err.str()};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace convscope

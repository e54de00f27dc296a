#include <cstdlib>
#include <iostream>

#include "suite/commands/program.h"

int main(int argc, char** argv) {
  const int code = convscope::run_program({argv + 1, argv + argc}, std::cout, std::cerr);
  // Everything is written and closed; LibTorch would take another 30 ms to put its tables away.
  std::_Exit(code);
}

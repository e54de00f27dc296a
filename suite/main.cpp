#include <iostream>

#include "suite/commands/program.h"

int main(int argc, char** argv) {
  return convscope::run_program({argv + 1, argv + argc}, std::cout, std::cerr);
}

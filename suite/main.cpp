#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "suite/commands/program.h"

namespace {

/// A network asks for the same large blocks for every batch. By default each goes back to the
/// system and comes again as pages to be cleared, which takes as long as the arithmetic.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  mallopt(M_TOP_PAD, 16 << 20);
#endif
}

/// A file that is opened later must not become what was closed: what is printed would go into it.
void open_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) < 0) open("/dev/null", O_RDWR);  // the lowest number that is free
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  keep_freed_memory();
  const int code = convscope::run_program({argv + 1, argv + argc}, std::cout, std::cerr);
  // Everything is written and closed; LibTorch would take another 30 ms to put its tables away.
  std::_Exit(code);
}

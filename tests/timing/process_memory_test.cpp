// The guard that keeps a trial from taking the machine's memory, in a process of its own.
#include "suite/timing/process_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace convscope {
namespace {

constexpr size_t mib = 1 << 20;

bool gets(size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
         MAP_FAILED;
}

TEST(ProcessMemory, GrowsToItsLimitAndNoFurther) {
  const pid_t child = fork();
  if (child == 0) {
    if (!gets(200 * mib)) _exit(1);
    limit_memory_growth(64 * mib);
    if (gets(80 * mib)) _exit(2);
    _exit(gets(32 * mib) && !gets(40 * mib) ? 0 : 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace convscope

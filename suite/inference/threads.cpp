#include "suite/inference/threads.h"

#include <dlfcn.h>
#include <torch/utils.h>

namespace convscope {

void use_threads(int threads) {
  torch::set_num_threads(threads);
  // An OpenBLAS with threads of its own would use every core, whatever `threads` says, and these
  // go on spinning after each call, against LibTorch's: with them a frozen MobileNet V2 on two
  // cores takes up to 40 % longer, and only AlexNet's large matrices gain, a sixth.
  using Set = void (*)(int);
  if (auto set = reinterpret_cast<Set>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {
    set(1);
  }
}

}  // namespace convscope

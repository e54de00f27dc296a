// Any bytes as a header of safetensors, with values of as many bytes as a few tensors need.
#include "tests/fuzz/read_all.h"
#include "tests/weights/made_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convscope;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  read_all(bytes);
  read_all(made::safetensors("{" + bytes, std::string(24, 'x')));
  return 0;
}

// Any bytes as a file; and as the pickle of an archive whose checksums are right, which no fuzzer
// finds by itself.
#include "tests/fuzz/read_all.h"
#include "tests/weights/made_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convscope;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string values = made::floats({1, 2, 3, 4});
  read_all(bytes);
  if (bytes.empty() || bytes[0] != '\x80') return 0;
  read_all(made::zip({{"a/data.pkl", bytes}, {"a/data/0", values}}));
  read_all(made::zip({{"a/data.pkl", bytes}, {"a/data/0", values}, {"a/constants.pkl", ""}}));
  return 0;
}

// Any bytes as a pickle that may refer to anything.
#include "suite/weights/pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convscope;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  size_t position = 0;
  PickleValues memory;
  try {
    while (position < bytes.size()) {
      const PickleValue& root = read_pickle(
          bytes, position, "fuzz", [](std::string_view, const std::string&) {}, memory);
      if (describe(root).empty()) __builtin_trap();
      root.find("state_dict");
    }
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

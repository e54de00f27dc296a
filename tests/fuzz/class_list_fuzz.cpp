// A list of classes of any bytes is read, or refused by an exception that names it.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "suite/data/datasets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const convscope::ClassList list = convscope::parse_class_list({data, data + size}, "fuzz");
    if (list.names.empty() || list.names.size() != list.ids.size()) std::abort();
  } catch (const std::invalid_argument& error) {
    if (std::string(error.what()).rfind("fuzz: ", 0) != 0) std::abort();
  }
  return 0;
}

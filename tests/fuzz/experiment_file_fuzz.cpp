// Experiment files: any text is either sections or one sentence that names the file and the line.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "suite/commands/experiment_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& section : convscope::parse_experiment(text, "x.ini")) {
      if (section.name.empty() || section.line < 1) std::abort();
      for (const auto& setting : section.settings) {
        if (setting.key.empty() || setting.line <= section.line) std::abort();
      }
    }
  } catch (const std::invalid_argument& error) {
    const std::string said = error.what();
    if (said.rfind("x.ini:", 0) != 0 || said.find('\n') != std::string::npos) std::abort();
  }
  return 0;
}

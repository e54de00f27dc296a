#include "suite/weights/cache_folder.h"

#include <cstdlib>
#include <stdexcept>

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// An absolute path in the environment: the XDG specification has others ignored.
fs::path folder_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value == '/' ? fs::path(value) : fs::path();
}

}  // namespace

fs::path cache_folder(const std::string& name) {
  const fs::path cache = folder_of("XDG_CACHE_HOME"), home = folder_of("HOME");
  if (cache.empty() && home.empty()) {
    throw std::invalid_argument(
        "no folder for the cache: expected an absolute path in XDG_CACHE_HOME or HOME, found "
        "neither; set one of them");
  }
  return (cache.empty() ? home / ".cache" : cache) / "convscope" / name;
}

}  // namespace convscope

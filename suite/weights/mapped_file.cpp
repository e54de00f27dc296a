#include "suite/weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>

namespace convscope {
namespace {

// Memory that is no file would read as zeros after its pages were given up.
struct Mappings {
  std::mutex mutex;
  std::map<uintptr_t, size_t> sizes;  // by address
};

Mappings& mappings() {
  static Mappings all;
  return all;
}

uintptr_t address(Bytes bytes) { return reinterpret_cast<uintptr_t>(bytes.data()); }

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  // A pipe would wait here for its writer.
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat about = {};
  if (file.number < 0 || fstat(file.number, &about) != 0) {
    fail("cannot be read: " + std::string(std::strerror(errno)));
  }
  if (S_ISDIR(about.st_mode)) fail("is a folder; expected a file of weights");
  if (!S_ISREG(about.st_mode)) fail("is not a regular file; expected a file of weights");
  if (about.st_size == 0) fail("is empty; expected a file of weights");
  const auto size = static_cast<size_t>(about.st_size);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (memory == MAP_FAILED) fail("cannot be mapped: " + std::string(std::strerror(errno)));
  bytes_ = {static_cast<const char*>(memory), size};
  const std::lock_guard<std::mutex> lock(mappings().mutex);
  mappings().sizes[address(bytes_)] = size;
}

MappedFile::~MappedFile() {
  const std::lock_guard<std::mutex> lock(mappings().mutex);
  mappings().sizes.erase(address(bytes_));
  munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

void release_pages(Bytes bytes) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (address(bytes) + page - 1) / page * page;
  const uintptr_t end = (address(bytes) + bytes.size()) / page * page;
  if (begin >= end) return;
  const std::lock_guard<std::mutex> lock(mappings().mutex);
  auto mapping = mappings().sizes.upper_bound(address(bytes));
  if (mapping == mappings().sizes.begin()) return;
  --mapping;
  if (address(bytes) + bytes.size() > mapping->first + mapping->second) return;
  // The whole pages of the part begin at `begin`, inside the mapping.
  madvise(const_cast<char*>(bytes.data()) + (begin - address(bytes)), end - begin, MADV_DONTNEED);
}

}  // namespace convscope

#include "suite/weights/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace convscope {

namespace fs = std::filesystem;

OutputFile::OutputFile(const fs::path& path)
    : path_(path), unfinished_(path.string() + ".unfinished") {
  descriptor_ = open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail();
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(unfinished_.c_str());
}

void OutputFile::write(std::string_view bytes) {
  write_at(size_, bytes);
  size_ += bytes.size();
}

void OutputFile::overwrite(uint64_t position, std::string_view bytes) { write_at(position, bytes); }

void OutputFile::commit() {
  // On the disk before it has its name: a power cut leaves the old file or the new one.
  if (fsync(descriptor_) != 0) fail();
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (close(descriptor) != 0 || rename(unfinished_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    unlink(unfinished_.c_str());
    errno = error;
    fail();
  }
}

void OutputFile::write_at(uint64_t position, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail();
    position += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void OutputFile::fail() const {
  throw std::invalid_argument(path_.string() + ": cannot be written: " + std::strerror(errno));
}

}  // namespace convscope

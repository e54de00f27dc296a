#include "suite/weights/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

namespace convscope {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw std::invalid_argument(path.string() + ": cannot be written: " + why);
}

/// Where the file is to appear: links are followed, and what is no file is not replaced by one.
fs::path place_of(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  switch (type) {
    case fs::file_type::none:
      refuse(path, error.message());
    case fs::file_type::not_found:
      if (fs::is_symlink(path, error)) refuse(path, "it is a link that leads nowhere");
      return path;
    case fs::file_type::directory:
      refuse(path, "it is a folder");
    case fs::file_type::regular:
      break;
    default:
      refuse(path, "it is not a regular file");
  }
  fs::path place = fs::canonical(path, error);
  if (error) refuse(path, error.message());
  return place;
}

}  // namespace

OutputFile::OutputFile(const fs::path& path) : path_(path), place_(place_of(path)) {
  // Of two processes that write the same file each has an unfinished one of its own; a number that
  // is taken already is of another machine or of a process that was killed.
  const std::string start = place_.string() + "." + std::to_string(getpid()) + "-";
  for (int i = 0; descriptor_ < 0; ++i) {
    unfinished_ = start + std::to_string(i) + ".unfinished";
    descriptor_ = open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) fail();
  }
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
  if (close(descriptor) != 0 || rename(unfinished_.c_str(), place_.c_str()) != 0) {
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

void OutputFile::fail() const { refuse(path_, std::strerror(errno)); }

}  // namespace convscope

// A file in memory without reading it: what is looked at comes from the disk, the rest does not.
#pragma once

#include <filesystem>

#include "suite/weights/bytes.h"

namespace convscope {

class MappedFile {
 public:
  /// Throws std::invalid_argument without the path, as all readers here do.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  Bytes bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

/// Gives up the whole pages inside `bytes`, if they belong to a mapped file.
void release_pages(Bytes bytes);

}  // namespace convscope

// A file that appears under its name only when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace convscope {

/// Written beside its place, under a name of its own that ends in ".unfinished", which goes away if
/// commit() is not reached. A link is followed; what is there and no regular file (a folder, a
/// device, a pipe) is refused. Throws std::invalid_argument with the path and the reason.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view bytes);
  /// Over bytes that were written.
  void overwrite(uint64_t position, std::string_view bytes);
  uint64_t size() const { return size_; }
  void commit();

 private:
  void write_at(uint64_t position, std::string_view bytes);
  [[noreturn]] void fail() const;

  std::filesystem::path path_;   ///< as the caller has it
  std::filesystem::path place_;  ///< where links lead
  std::filesystem::path unfinished_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace convscope

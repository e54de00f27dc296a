// A file that appears under its name only when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace convscope {

/// Written as `path`.unfinished, which goes away if commit() is not reached. Throws
/// std::invalid_argument with the path and the reason.
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

  std::filesystem::path path_;
  std::filesystem::path unfinished_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace convscope

#include "suite/weights/tar.h"

#include <algorithm>

namespace convscope {
namespace {

constexpr uint64_t block = 512;

// Digits in base 8, or in the GNU form, for what those cannot hold, a number in base 256.
uint64_t number_of(Bytes field) {
  uint64_t number = 0;
  if ((field[0] & 0x80) != 0) {
    for (size_t i = 1; i < field.size(); ++i) {
      number = sum(product(number, 256), static_cast<unsigned char>(field[i]));
    }
    return number;
  }
  for (const char c : field) {
    if (c == ' ' && number == 0) continue;
    if (c < '0' || c > '7') break;
    number = number * 8 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

bool is_header(Bytes header) {
  uint64_t sum_of_bytes = 0;
  for (size_t i = 0; i < block; ++i) {
    const bool checksum = i >= 148 && i < 156;
    sum_of_bytes += checksum ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return header[0] != '\0' && sum_of_bytes == number_of(header.substr(148, 8));
}

}  // namespace

bool is_tar(Bytes file) { return file.size() >= block && is_header(file.substr(0, block)); }

std::map<std::string, Bytes> read_tar(Bytes file) {
  std::map<std::string, Bytes> files;
  for (uint64_t at = 0; at < file.size();) {
    const Bytes header = part(file, at, block, "a header of the tar archive ends");
    if (header.find_first_not_of('\0') == Bytes::npos) break;
    if (!is_header(header)) {
      fail("is a damaged tar archive: expected a header at byte " + std::to_string(at));
    }
    std::string name(header.substr(0, std::min<size_t>(header.find('\0'), 100)));
    while (name.compare(0, 2, "./") == 0) name.erase(0, 2);
    const uint64_t size = number_of(header.substr(124, 12));
    const char type = header[156];
    at += block;
    const Bytes bytes = part(file, at, size, "its record " + in_quotes(name) + " ends");
    const bool regular = type == '0' || type == '\0';
    if (regular && !files.emplace(name, bytes).second) {
      fail("is a damaged tar archive: file " + in_quotes(name) + " appears twice");
    }
    at = sum(at, sum(size, block - 1) / block * block);
  }
  return files;
}

}  // namespace convscope

#include "suite/weights/zip.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

namespace convscope {
namespace {

// Sizes and signatures of the structures, from PKWARE's APPNOTE.
constexpr uint32_t local_signature = 0x04034b50;
constexpr uint32_t central_signature = 0x02014b50;
constexpr uint32_t end_signature = 0x06054b50;
constexpr uint32_t end64_signature = 0x06064b50;
constexpr uint32_t end64_locator_signature = 0x07064b50;
constexpr uint64_t local_size = 30;
constexpr uint64_t central_size = 46;
constexpr uint64_t end_size = 22;
constexpr uint64_t end64_size = 56;
constexpr uint64_t end64_locator_size = 20;
constexpr uint64_t longest_comment = 0xffff;
constexpr uint32_t in_zip64 = 0xffffffff;

struct Directory {
  uint64_t begin;
  uint64_t size;
  uint64_t entries;
};

struct Extent {
  uint64_t begin;
  uint64_t end;
  const std::string* name;
};

[[noreturn]] void fail_record(const std::string& name, const std::string& what) {
  fail("is a damaged zip archive: record " + in_quotes(name) + " " + what);
}

std::string at_byte(uint64_t position) { return "at byte " + std::to_string(position); }

// 0 if there is none.
uint64_t find_end(Bytes file) {
  if (file.size() >= end_size) {
    const uint64_t last = file.size() - end_size;
    const uint64_t first = last > longest_comment ? last - longest_comment : 0;
    for (uint64_t at = last + 1; at-- > first;) {
      if (number_at<uint32_t>(file, at) != end_signature) continue;
      if (number_at<uint16_t>(file, at + 20) <= file.size() - at - end_size) return at;
    }
  }
  return 0;
}

Directory find_directory(Bytes file) {
  const uint64_t end = find_end(file);
  if (end == 0) fail("is a zip archive without records");
  Directory directory = {number_at<uint32_t>(file, end + 16), number_at<uint32_t>(file, end + 12),
                         number_at<uint16_t>(file, end + 10)};
  uint64_t limit = end;
  if (end >= end64_locator_size &&
      number_at<uint32_t>(file, end - end64_locator_size) == end64_locator_signature) {
    const auto at = number_at<uint64_t>(file, end - end64_locator_size + 8);
    limit = end - end64_locator_size;
    if (limit < end64_size || at > limit - end64_size ||
        number_at<uint32_t>(file, at) != end64_signature) {
      fail("is a damaged zip archive: its zip64 directory is not " + at_byte(at));
    }
    limit = at;
    directory = {number_at<uint64_t>(file, at + 48), number_at<uint64_t>(file, at + 40),
                 number_at<uint64_t>(file, at + 32)};
  }
  if (directory.begin > limit || directory.size > limit - directory.begin) {
    fail("is a damaged zip archive: its directory of " + counted(directory.size, "byte") + " " +
         at_byte(directory.begin) + " does not end before " + at_byte(limit));
  }
  if (directory.entries > directory.size / central_size) {
    fail("is a damaged zip archive: its directory of " + counted(directory.size, "byte") +
         " claims " + counted(directory.entries, "record"));
  }
  return directory;
}

struct Zip64 {
  uint64_t* value;
  bool there;
};

// The 64-bit numbers of a header, in the order of the standard, where the 32-bit ones are all ones.
void read_zip64(Bytes extra, const std::vector<Zip64>& numbers, const std::string& name) {
  if (std::none_of(numbers.begin(), numbers.end(), [](const Zip64& n) { return n.there; })) return;
  while (extra.size() >= 4) {
    const auto id = number_at<uint16_t>(extra, 0);
    const auto size = number_at<uint16_t>(extra, 2);
    if (size > extra.size() - 4) break;
    Bytes field = extra.substr(4, size);
    extra.remove_prefix(4 + size);
    if (id != 1) continue;
    for (const Zip64& number : numbers) {
      if (!number.there) continue;
      if (field.size() < 8) fail_record(name, "has no 64-bit sizes where it says so");
      *number.value = number_at<uint64_t>(field, 0);
      field.remove_prefix(8);
    }
    return;
  }
  fail_record(name, "has no 64-bit sizes where it says so");
}

void check_name(const std::string& name) {
  bool climbs = false;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    climbs = climbs || name.compare(begin, end - begin, "..") == 0;
    begin = end + 1;
  }
  if (name.empty() || name[0] == '/' || climbs || name.find('\0') != std::string::npos) {
    fail_record(name, "has a name that leads out of the archive");
  }
}

}  // namespace

bool has_directory(Bytes file) { return find_end(file) != 0; }

ZipRecords read_zip(Bytes file) {
  const Directory directory = find_directory(file);
  ZipRecords records;
  std::vector<Extent> extents;
  uint64_t at = directory.begin;
  const uint64_t end = directory.begin + directory.size;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (end - at < central_size || number_at<uint32_t>(file, at) != central_signature) {
      fail("is a damaged zip archive: expected record " + std::to_string(i + 1) + " of " +
           std::to_string(directory.entries) + " of its directory " + at_byte(at));
    }
    const Bytes header = file.substr(at, central_size);
    const uint64_t name_size = number_at<uint16_t>(header, 28);
    const uint64_t extra_size = number_at<uint16_t>(header, 30);
    const uint64_t comment_size = number_at<uint16_t>(header, 32);
    if (name_size + extra_size + comment_size > end - at - central_size) {
      fail("is a damaged zip archive: a name " + at_byte(at) + " leaves its directory");
    }
    const std::string name(file.substr(at + central_size, name_size));
    const Bytes extra = file.substr(at + central_size + name_size, extra_size);
    at += central_size + name_size + extra_size + comment_size;
    check_name(name);

    const auto flags = number_at<uint16_t>(header, 8);
    ZipRecord record = {number_at<uint16_t>(header, 10), number_at<uint32_t>(header, 16), {}};
    uint64_t packed = number_at<uint32_t>(header, 20);
    uint64_t size = number_at<uint32_t>(header, 24);
    uint64_t local = number_at<uint32_t>(header, 42);
    read_zip64(
        extra,
        {{&size, size == in_zip64}, {&packed, packed == in_zip64}, {&local, local == in_zip64}},
        name);
    if ((flags & 1) != 0) fail_record(name, "is encrypted, which torch.save never does");
    if (record.method == 0 && packed != size) {
      fail_record(
          name, "is stored, but with " + counted(packed, "byte") + " for " + std::to_string(size));
    }

    if (local > directory.begin || directory.begin - local < local_size ||
        number_at<uint32_t>(file, local) != local_signature) {
      fail_record(name, "does not begin " + at_byte(local) + " as the directory says");
    }
    const Bytes second = file.substr(local, local_size);
    const uint64_t second_name_size = number_at<uint16_t>(second, 26);
    const uint64_t second_extra_size = number_at<uint16_t>(second, 28);
    const uint64_t data = local + local_size + second_name_size + second_extra_size;
    if (data > directory.begin || packed > directory.begin - data) {
      fail_record(name, "of " + counted(packed, "byte") + " " + at_byte(data) +
                            " runs into the directory " + at_byte(directory.begin));
    }
    if (file.substr(local + local_size, second_name_size) != name) {
      fail_record(name, "has another name " + at_byte(local));
    }
    uint64_t second_packed = number_at<uint32_t>(second, 18);
    uint64_t second_size = number_at<uint32_t>(second, 22);
    // A writer that did not know the sizes yet left them open and put them behind the data.
    const bool open =
        (number_at<uint16_t>(second, 6) & 8) != 0 && (second_size == 0 || second_size == in_zip64);
    if (!open) {
      read_zip64(
          file.substr(local + local_size + second_name_size, second_extra_size),
          {{&second_size, second_size == in_zip64}, {&second_packed, second_packed == in_zip64}},
          name);
      if (second_size != size || second_packed != packed) {
        fail_record(name, "has " + counted(size, "byte") + " by the directory and " +
                              std::to_string(second_size) + " by its own header " + at_byte(local));
      }
    }
    if (number_at<uint16_t>(second, 8) != record.method) {
      fail_record(name, "is compressed by only one of its two headers");
    }

    record.bytes = file.substr(data, packed);
    const auto [place, added] = records.emplace(name, record);
    if (!added) fail_record(name, "appears twice");
    extents.push_back({local, data + packed, &place->first});
  }

  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) {
      fail_record(*extents[i].name, "overlaps record " + in_quotes(*extents[i - 1].name) + " " +
                                        at_byte(extents[i].begin));
    }
  }
  return records;
}

Bytes stored(const ZipRecords& records, const std::string& name) {
  const auto found = records.find(name);
  if (found == records.end()) fail("has no record " + in_quotes(name));
  if (found->second.method != 0) {
    fail("is compressed: expected record " + in_quotes(name) +
         " to be stored as torch.save does it, found method " +
         std::to_string(found->second.method) + "; unpack the archive and pack it with zip -0");
  }
  return found->second.bytes;
}

Bytes verified(const ZipRecords& records, const std::string& name) {
  const Bytes bytes = stored(records, name);
  const uint32_t expected = records.at(name).crc32;
  const auto found = static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  if (found != expected) fail_record(name, "does not have the checksum that the directory names");
  return bytes;
}

size_t first_record_data(Bytes file, std::string_view name) {
  if (file.size() < local_size || number_at<uint32_t>(file, 0) != local_signature) return 0;
  const uint64_t name_size = number_at<uint16_t>(file, 26);
  const uint64_t data = local_size + name_size + number_at<uint16_t>(file, 28);
  if (data >= file.size() || name_size < name.size()) return 0;
  const bool called_so = file.substr(local_size + name_size - name.size(), name.size()) == name;
  return called_so ? data : 0;
}

}  // namespace convscope

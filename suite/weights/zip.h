// The zip archives that torch.save and torch.jit.save write: records stored as they are, so that
// values are used where they lie in the file.
#pragma once

#include <map>
#include <string>

#include "suite/weights/bytes.h"

namespace convscope {

struct ZipRecord {
  uint16_t method;  ///< 0 is stored; anything else is compressed
  uint32_t crc32;
  Bytes bytes;  ///< as they lie in the file
};

using ZipRecords = std::map<std::string, ZipRecord>;

/// Whether the end is there, where a zip archive has its directory.
bool has_directory(Bytes file);

/// All records of an archive. Throws unless each lies in a place of its own and both of its
/// headers agree.
ZipRecords read_zip(Bytes file);

/// The bytes of a record that is stored.
Bytes stored(const ZipRecords& records, const std::string& name);

/// The same, with its checksum verified: for records that are read from end to end anyway.
Bytes verified(const ZipRecords& records, const std::string& name);

/// What a file whose directory is lost begins with: where the data of its first record begin, if
/// that is called `.../name`; else 0.
size_t first_record_data(Bytes file, std::string_view name);

}  // namespace convscope

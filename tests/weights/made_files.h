// Files of weights put together by hand, right ones and wrong ones: pickles from their operations,
// archives from their headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace convscope::made {

using Parts = std::vector<std::string>;

/// The bytes of a number, lowest first.
template <class Number>
std::string raw(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

inline std::string joined(const Parts& parts) {
  std::string result;
  for (const std::string& part : parts) result += part;
  return result;
}

// ---- pickles: each gives the operations that push one value

inline const std::string none = "N";
inline const std::string no = "\x89";
inline const std::string empty_dict = "}";

inline std::string text(const std::string& value) {
  return "X" + raw(static_cast<uint32_t>(value.size())) + value;
}

inline std::string integer(int64_t value) { return "\x8a\x08" + raw(value); }

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string tuple(const Parts& items) { return "(" + joined(items) + "t"; }
inline std::string list(const Parts& items) { return "](" + joined(items) + "e"; }

inline std::string integers(const std::vector<int64_t>& values) {
  std::string items;
  for (const int64_t value : values) items += integer(value);
  return "(" + items + "t";
}

inline std::string call(const std::string& function, const Parts& arguments) {
  return function + tuple(arguments) + "R";
}

inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string result = "}(";
  for (const auto& [key, value] : items) result += text(key) + value;
  return result + "u";
}

inline std::string ordered_dict() { return call(global("collections", "OrderedDict"), {}); }

inline std::string storage(const std::string& type, const std::string& key, int64_t elements,
                           const Parts& more = {}) {
  return tuple({text("storage"), global("torch", type), text(key), text("cuda:0"),
                integer(elements), joined(more)}) +
         "Q";
}

inline std::string tensor(const std::string& of, int64_t offset, const std::vector<int64_t>& sizes,
                          const std::vector<int64_t>& strides) {
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {of, integer(offset), integers(sizes), integers(strides), no, ordered_dict()});
}

/// A vector of float32 that is all of its storage.
inline std::string vector_of(int64_t elements, const std::string& key = "0") {
  return tensor(storage("FloatStorage", key, elements), 0, {elements}, {1});
}

inline std::string pickle(const std::string& operations) { return "\x80\x02" + operations + "."; }

// ---- archives

inline uint32_t checksum(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

/// A record, and where its headers are to lie.
struct Record {
  std::string name;
  std::string bytes;
  uint16_t method = 0;
  uint16_t flags = 0;
  int64_t more_in_directory = 0;  ///< bytes that only the directory claims
  int64_t directory_begin = -1;   ///< where the directory says that it begins, if not where it does
  std::optional<std::string> local_name = std::nullopt;  ///< if it is another than the directory's
};

inline std::string zip(const std::vector<Record>& records) {
  std::string file;
  std::string directory;
  for (const Record& record : records) {
    const auto common = [&](int64_t more) {
      const auto size = static_cast<uint32_t>(static_cast<int64_t>(record.bytes.size()) + more);
      return raw(uint16_t{20}) + raw(record.flags) + raw(record.method) + raw(uint32_t{0}) +
             raw(checksum(record.bytes)) + raw(size) + raw(size);
    };
    const auto name_size = [](const std::string& name) {
      return raw(static_cast<uint16_t>(name.size())) + raw(uint16_t{0});
    };
    const std::string local_name = record.local_name.value_or(record.name);
    const auto begin =
        static_cast<uint32_t>(record.directory_begin < 0 ? file.size() : record.directory_begin);
    file += "PK\x03\x04" + common(0) + name_size(local_name) + local_name + record.bytes;
    directory += "PK\x01\x02" + raw(uint16_t{20}) + common(record.more_in_directory) +
                 name_size(record.name) + std::string(10, '\0') + raw(begin) + record.name;
  }
  const auto count = static_cast<uint16_t>(records.size());
  return file + directory + "PK\x05\x06" + raw(uint32_t{0}) + raw(count) + raw(count) +
         raw(static_cast<uint32_t>(directory.size())) + raw(static_cast<uint32_t>(file.size())) +
         raw(uint16_t{0});
}

/// A file of torch.save whose pickle pushes `root`, with a record for each storage.
inline std::string torch_zip(const std::string& root, const std::vector<Record>& storages) {
  std::vector<Record> records = {{"net/data.pkl", pickle(root)}};
  for (Record record : storages) {
    record.name = "net/data/" + record.name;
    records.push_back(record);
  }
  records.push_back({"net/version", "3\n"});
  return zip(records);
}

inline std::string tar(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string result;
  for (const auto& [name, bytes] : files) {
    std::string header = name;
    header.resize(124);
    for (int shift = 30; shift >= 0; shift -= 3) {
      header += static_cast<char>('0' + ((bytes.size() >> shift) & 7));
    }
    header.resize(148);
    header += std::string(8, ' ') + "0";
    header.resize(512);
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    for (size_t i = 0; i < 6; ++i) {
      header[148 + i] = static_cast<char>('0' + ((sum >> (15 - 3 * i)) & 7));
    }
    header[154] = '\0';
    result += header + bytes;
    result.resize((result.size() + 511) / 512 * 512);
  }
  return result + std::string(1024, '\0');
}

// ---- the two old forms of torch.save

inline std::string system_info(bool little_endian = true) {
  return pickle("}" + text("little_endian") + (little_endian ? "\x88" : "\x89") + "s");
}

inline const std::string magic =
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";

/// `values` are what stands behind the pickles: for each key the number of elements, and those.
inline std::string legacy(const std::string& root, const Parts& keys, const std::string& values) {
  std::string key_texts;
  for (const std::string& key : keys) key_texts += text(key);
  return magic + system_info() + pickle(root) + pickle(list({key_texts})) + values;
}

inline std::string floats(const std::vector<float>& values) {
  std::string result;
  for (const float value : values) result += raw(value);
  return result;
}

// ---- safetensors

inline std::string safetensors(const std::string& header, const std::string& values) {
  return raw(uint64_t{header.size()}) + header + values;
}

}  // namespace convscope::made

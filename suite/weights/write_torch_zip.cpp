// The zip form of torch.save, in the small part of it that torch.load(weights_only=True) reads.
#include <zlib.h>

#include <limits>

#include "suite/weights/output_file.h"
#include "suite/weights/weights_file.h"
#include "suite/weights/write_values.h"

namespace convscope {
namespace {

constexpr const char* storage_names[] = {"Double", "Float", "Half", "BFloat16", "Long",
                                         "Int",    "Short", "Char", "Byte",     "Bool"};
constexpr uint64_t alignment = 64;  // as torch has it, so that values can be used in place
constexpr uint32_t in_zip64 = 0xffffffff;
constexpr char folder[] = "archive/";

template <class Number>
void put(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// ---- the pickle

void put_global(std::string& out, const std::string& module, const std::string& name) {
  out += "c" + module + "\n" + name + "\n";
}

void put_text(std::string& out, std::string_view text) {
  out += 'X';
  put(out, static_cast<uint32_t>(text.size()));
  out += text;
}

void put_integer(std::string& out, int64_t integer) {
  if (integer >= 0 && integer <= std::numeric_limits<int32_t>::max()) {
    out += 'J';
    put(out, static_cast<int32_t>(integer));
  } else {
    out += "\x8a\x08";
    put(out, integer);
  }
}

void put_integers(std::string& out, const std::vector<int64_t>& integers) {
  out += '(';
  for (const int64_t integer : integers) put_integer(out, integer);
  out += 't';
}

void put_ordered_dict(std::string& out) {
  put_global(out, "collections", "OrderedDict");
  out += ")R";
}

std::string pickle_of(const std::vector<StoredTensor>& tensors) {
  std::string out = "\x80\x02";
  put_ordered_dict(out);
  out += '(';
  for (size_t i = 0; i < tensors.size(); ++i) {
    const StoredTensor& tensor = tensors[i];
    put_text(out, tensor.name);
    put_global(out, "torch._utils", "_rebuild_tensor_v2");
    out += "((";
    put_text(out, "storage");
    put_global(out, "torch",
               std::string(storage_names[static_cast<size_t>(tensor.type)]) + "Storage");
    put_text(out, std::to_string(i));
    put_text(out, "cpu");
    put_integer(out, tensor.elements());
    out += "tQ";
    put_integer(out, 0);
    put_integers(out, tensor.shape);
    put_integers(out, contiguous_strides(tensor.shape));
    out += '\x89';          // wants no gradient
    put_ordered_dict(out);  // has no hooks
    out += "tR";
  }
  return out + "u.";
}

// ---- the archive

class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path& path) : file_(path) {}

  /// Begins a record of `size` bytes, whose values then begin at a multiple of 64.
  void begin(const std::string& name, uint64_t size) {
    record_ = {folder + name, file_.size(), size, 0};
    std::string extra;
    if (size >= in_zip64) {
      put(extra, uint16_t{1});
      put(extra, uint16_t{16});
      put(extra, size);
      put(extra, size);
    }
    const uint64_t unaligned = file_.size() + 30 + record_.name.size() + extra.size() + 4;
    const uint64_t padding = (alignment - unaligned % alignment) % alignment;
    extra += "FB";
    put(extra, static_cast<uint16_t>(padding));
    extra.append(padding, 'Z');

    std::string header = "PK\x03\x04";
    put_common(header, record_, static_cast<uint16_t>(extra.size()));
    file_.write(header + record_.name + extra);
  }

  void write(Bytes bytes) {
    record_.crc32 = static_cast<uint32_t>(
        crc32_z(record_.crc32, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    file_.write(bytes);
  }

  void end() {
    std::string checksum;
    put(checksum, record_.crc32);
    file_.overwrite(record_.begin + 14, checksum);
    records_.push_back(record_);
  }

  void record(const std::string& name, Bytes bytes) {
    begin(name, bytes.size());
    write(bytes);
    end();
  }

  void commit() {
    const uint64_t begin = file_.size();
    std::string directory;
    for (const Record& record : records_) put_central(directory, record);
    const uint64_t end = begin + directory.size();
    const bool large = records_.size() >= 0xffff || end >= in_zip64;
    if (large) {
      directory += "PK\x06\x06";
      put(directory, uint64_t{44});  // of what follows in this structure
      put(directory, version);
      put(directory, version);
      put(directory, uint64_t{0});  // disks
      put(directory, uint64_t{records_.size()});
      put(directory, uint64_t{records_.size()});
      put(directory, end - begin);
      put(directory, begin);
      directory += "PK\x06\x07";
      put(directory, uint32_t{0});
      put(directory, end);
      put(directory, uint32_t{1});
    }
    const auto count = static_cast<uint16_t>(large ? 0xffff : records_.size());
    directory += "PK\x05\x06";
    put(directory, uint32_t{0});  // disks
    put(directory, count);
    put(directory, count);
    put(directory, large ? in_zip64 : static_cast<uint32_t>(end - begin));
    put(directory, large ? in_zip64 : static_cast<uint32_t>(begin));
    put(directory, uint16_t{0});  // comment
    file_.write(directory);
    file_.commit();
  }

 private:
  struct Record {
    std::string name;
    uint64_t begin;
    uint64_t size;
    uint32_t crc32;
  };

  static constexpr uint16_t version = 45;  // the first with zip64

  static void put_common(std::string& out, const Record& record, uint16_t extra_size) {
    const uint32_t size = record.size >= in_zip64 ? in_zip64 : static_cast<uint32_t>(record.size);
    put(out, version);
    put(out, uint16_t{0x0800});      // names are UTF-8
    put(out, uint16_t{0});           // stored
    put(out, uint32_t{0x00210000});  // 1980-01-01: the same tensors are the same bytes
    put(out, record.crc32);
    put(out, size);
    put(out, size);
    put(out, static_cast<uint16_t>(record.name.size()));
    put(out, extra_size);
  }

  static void put_central(std::string& out, const Record& record) {
    std::string numbers;
    if (record.size >= in_zip64) {
      put(numbers, record.size);
      put(numbers, record.size);
    }
    if (record.begin >= in_zip64) put(numbers, record.begin);
    std::string extra;
    if (!numbers.empty()) {
      put(extra, uint16_t{1});
      put(extra, static_cast<uint16_t>(numbers.size()));
      extra += numbers;
    }
    out += "PK\x01\x02";
    put(out, version);
    put_common(out, record, static_cast<uint16_t>(extra.size()));
    put(out, uint16_t{0});  // comment
    put(out, uint16_t{0});  // disk
    put(out, uint16_t{0});  // attributes
    put(out, uint32_t{0});
    put(out, record.begin >= in_zip64 ? in_zip64 : static_cast<uint32_t>(record.begin));
    out += record.name + extra;
  }

  OutputFile file_;
  Record record_ = {};
  std::vector<Record> records_;
};

}  // namespace

void write_torch_zip(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors) {
  check_names(path, tensors);
  ZipWriter zip(path);
  zip.record("data.pkl", pickle_of(tensors));
  zip.record("byteorder", "little");
  for (size_t i = 0; i < tensors.size(); ++i) {
    zip.begin("data/" + std::to_string(i), value_bytes(tensors[i]));
    for_each_piece(tensors[i], [&](Bytes piece) { zip.write(piece); });
    zip.end();
  }
  zip.record("version", "3\n");
  zip.commit();
}

}  // namespace convscope

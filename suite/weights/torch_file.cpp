#include "suite/weights/torch_file.h"

#include <charconv>
#include <unordered_map>

#include "suite/weights/tar.h"
#include "suite/weights/torch_tree.h"
#include "suite/weights/zip.h"

namespace convscope {
namespace {

using Kind = PickleValue::Kind;

const CheckGlobal plain_globals = [](std::string_view name, const std::string& where) {
  check_global(name, where, false);
};

const CheckGlobal torchscript_globals = [](std::string_view name, const std::string& where) {
  check_global(name, where, true);
};

// The numbers 0x1950a86a20f9469cfc6c and 1001 say that a pickle stream is one of torch.save.
constexpr std::string_view magic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr int64_t protocol = 1001;

std::string to_text(uint64_t number) { return std::to_string(number); }

void check_byte_order(const PickleValue& system) {
  const PickleValue* little = system.find("little_endian");
  if (little != nullptr && little->is(Kind::boolean) && little->integer == 0) {
    fail("was saved on a big-endian machine, which is not supported");
  }
}

/// The bytes of all storages that the pickles refer to, each counted once.
uint64_t storage_bytes(const PickleValues& memory) {
  std::unordered_map<std::string_view, uint64_t> sizes;
  uint64_t total = 0;
  for (const PickleValue& value : memory.values) {
    if (!value.is(Kind::persistent)) continue;
    const StorageId id = storage_id(*value.items[0]);
    if (sizes.emplace(id.key, id.bytes).second) total = sum(total, id.bytes);
  }
  return total;
}

// Without its directory an archive still begins with the pickle, which tells the sizes.
[[noreturn]] void fail_without_directory(Bytes bytes) {
  const std::string what = "is cut short: a zip archive ends with its directory, which is missing";
  size_t position = first_record_data(bytes, "data.pkl");
  if (position == 0) fail(what + " from this file of " + counted(bytes.size(), "byte"));
  PickleValues memory;
  read_pickle(bytes, position, "", torchscript_globals, memory);
  const uint64_t wanted = sum(storage_bytes(memory), position);
  if (wanted <= bytes.size()) fail(what);
  fail(what + "; its values alone need " + counted(wanted, "byte") + ", the file has " +
       to_text(bytes.size()) + "; at least " + to_text(wanted - bytes.size()) + " missing");
}

/// What stands before "data.pkl" in the names of records: "resnet18/".
std::string archive_folder(const ZipRecords& records) {
  constexpr std::string_view pickle = "data.pkl";
  std::string folder;
  int found = 0;
  for (const auto& [name, record] : records) {
    const size_t slash = name.find('/');
    const size_t begin = slash == std::string::npos ? 0 : slash + 1;
    if (name.compare(begin, std::string::npos, pickle) != 0) continue;
    folder = name.substr(0, begin);
    ++found;
  }
  if (found != 1) {
    fail(
        "is a zip archive, but not one of torch.save: expected one record 'NAME/data.pkl', found " +
        std::to_string(found) + " among " + counted(records.size(), "record"));
  }
  return folder;
}

/// Reads the number of elements that stands before a storage, and its values.
Bytes storage_values(Bytes bytes, size_t& position, uint64_t element, const std::string& name) {
  const Bytes head = part(bytes, position, 8, "the head of " + name + " ends");
  const auto elements = number_at<int64_t>(head, 0);
  if (elements < 0) fail("is damaged: " + name + " has " + std::to_string(elements) + " elements");
  const Bytes values =
      part(bytes, position + 8, product(static_cast<uint64_t>(elements), element), name + " ends");
  position += 8 + values.size();
  return values;
}

}  // namespace

void read_torch_zip(Bytes bytes, WeightsFile& file) {
  if (!has_directory(bytes)) fail_without_directory(bytes);
  const ZipRecords records = read_zip(bytes);
  const std::string folder = archive_folder(records);
  const bool torchscript = records.count(folder + "constants.pkl") != 0;
  file.format = torchscript ? WeightsFormat::torchscript : WeightsFormat::zip;
  if (records.count(folder + "byteorder") != 0) {
    const Bytes order = verified(records, folder + "byteorder");
    if (order == "big") fail("was saved on a big-endian machine, which is not supported");
    if (order != "little")
      fail("has values in byte order " + in_quotes(order) + "; expected 'little'");
  }

  PickleValues memory;
  size_t position = 0;
  const PickleValue& root =
      read_pickle(verified(records, folder + "data.pkl"), position, "record data.pkl",
                  torchscript ? torchscript_globals : plain_globals, memory);
  Outside outside;
  outside.storage = [&](const PickleValue& value) {
    const StorageId id = storage_id(value);
    const std::string name = "data/" + std::string(id.key);
    const Bytes values = stored(records, folder + name);
    if (values.size() != id.bytes) {
      fail("is damaged: record " + in_quotes(name) + " has " + counted(values.size(), "byte") +
           " where its storage has " + to_text(id.bytes));
    }
    return Storage{id.type, values};
  };
  torchscript ? find_attributes(root, outside, file) : find_state_dict(root, outside, file);
}

void read_legacy_pickle(Bytes bytes, WeightsFile& file) {
  file.format = WeightsFormat::legacy_pickle;
  PickleValues memory;
  size_t position = 0;
  const auto next = [&]() -> const PickleValue& {
    return read_pickle(bytes, position, "", plain_globals, memory);
  };
  const PickleValue& first = next();
  if (!first.is(Kind::long_integer) || first.text != magic) {
    fail("is a pickle, but not one of torch.save: expected its magic number, found " +
         describe(first));
  }
  const PickleValue& version = next();
  if (!version.is(Kind::integer) || version.integer != protocol) {
    fail("has a form of torch.save that is not supported: expected protocol 1001, found " +
         describe(version));
  }
  check_byte_order(next());
  const PickleValue& root = next();

  // One storage may be referred to often, in old files as a view of another.
  struct Declared {
    uint64_t element;
    uint64_t bytes;
    Bytes values;
    bool found;
  };
  std::unordered_map<std::string_view, Declared> storages;
  for (const PickleValue& value : memory.values) {
    if (!value.is(Kind::persistent)) continue;
    const StorageId id = storage_id(*value.items[0]);
    const auto element = static_cast<uint64_t>(bytes_of(id.type));
    const Declared& declared =
        storages.emplace(id.key, Declared{element, id.bytes, {}, false}).first->second;
    if (declared.bytes != id.bytes) {
      fail("is damaged: storage " + in_quotes(id.key) + " has " + to_text(declared.bytes) +
           " bytes in one place and " + to_text(id.bytes) + " in another");
    }
  }

  const PickleValue& keys = next();
  if (!keys.is(Kind::list)) fail("is damaged: its list of storages is " + describe(keys));
  uint64_t end = position;
  for (const PickleValue* key : keys.items) {
    const auto declared = storages.find(key->text);
    if (!key->is_text() || declared == storages.end()) {
      fail("is damaged: its list of storages has " + describe(*key) + ", to which nothing refers");
    }
    if (declared->second.found)
      fail("is damaged: storage " + in_quotes(key->text) + " appears twice");
    declared->second.found = true;
    end = sum(end, sum(8, declared->second.bytes));
  }
  if (end > bytes.size()) fail_cut_short(end, bytes.size(), "its values end");
  for (const PickleValue* key : keys.items) {
    Declared& declared = storages.at(key->text);
    const std::string name = "storage " + in_quotes(key->text);
    declared.values = storage_values(bytes, position, declared.element, name);
    if (declared.values.size() != declared.bytes) {
      fail("is damaged: " + name + " has " + counted(declared.values.size(), "byte") +
           " where its tensors say " + to_text(declared.bytes));
    }
  }

  Outside outside;
  outside.storage = [&](const PickleValue& value) {
    const StorageId id = storage_id(value);
    const Declared& declared = storages.at(id.key);
    if (!declared.found) fail("is damaged: storage " + in_quotes(id.key) + " is not in the file");
    if (id.view == nullptr) return Storage{id.type, declared.values};
    if (!id.view->is(Kind::tuple) || id.view->items.size() != 3) {
      fail("is damaged: a view of storage " + in_quotes(id.key) + " is " + describe(*id.view));
    }
    const auto element = static_cast<uint64_t>(bytes_of(id.type));
    const uint64_t begin = product(natural(*id.view->items[1], "view"), element);
    const uint64_t size = product(natural(*id.view->items[2], "view"), element);
    if (sum(begin, size) > declared.values.size()) {
      fail("is damaged: a view of storage " + in_quotes(id.key) + " ends at byte " +
           to_text(begin + size) + " of " + to_text(declared.values.size()));
    }
    return Storage{id.type, declared.values.substr(begin, size)};
  };
  find_state_dict(root, outside, file);
}

namespace {

/// What the two records `storages` and `tensors` hold, under the numbers that stand in the pickles.
struct TarContents {
  std::unordered_map<int64_t, Storage> storages;
  std::unordered_map<int64_t, StridedTensor> tensors;
};

int64_t tar_key(const PickleValue& value, const std::string& what) {
  if (!value.is(Kind::integer)) fail("is damaged: the key of " + what + " is " + describe(value));
  return value.integer;
}

const Storage& tar_storage(const TarContents& contents, const PickleValue& key) {
  const auto found = contents.storages.find(tar_key(key, "a storage"));
  if (found == contents.storages.end()) {
    fail("is damaged: it refers to storage " + std::to_string(key.integer) + ", which it lacks");
  }
  return found->second;
}

void expect_tuple(const PickleValue& value, size_t size, const std::string& what) {
  if (value.is(Kind::tuple) && value.items.size() == size) return;
  fail("is damaged: expected a tuple of " + std::to_string(size) + " for " + what + ", found " +
       describe(value));
}

void read_tar_storages(Bytes record, PickleValues& memory, TarContents& contents) {
  size_t position = 0;
  const auto next = [&]() -> const PickleValue& {
    return read_pickle(record, position, "record storages", plain_globals, memory);
  };
  const uint64_t count = natural(next(), "number of storages");
  for (uint64_t i = 0; i < count; ++i) {
    const PickleValue& about = next();
    expect_tuple(about, 3, "a storage");
    const int64_t key = tar_key(*about.items[0], "a storage");
    const std::optional<ScalarType> type = storage_type(about.items[2]->text);
    if (!type) {
      fail("holds a storage of a type that is not supported, " + describe(*about.items[2]));
    }
    const Bytes values = storage_values(record, position, static_cast<uint64_t>(bytes_of(*type)),
                                        "storage " + std::to_string(key) + " of record storages");
    if (!contents.storages.emplace(key, Storage{*type, values}).second) {
      fail("is damaged: storage " + std::to_string(key) + " appears twice");
    }
  }
  const PickleValue& views = next();
  for (const PickleValue* view : views.items) {
    expect_tuple(*view, 4, "a view of a storage");
    const Storage& root = tar_storage(contents, *view->items[1]);
    const auto element = static_cast<uint64_t>(bytes_of(root.type));
    const uint64_t begin = product(natural(*view->items[2], "view"), element);
    const uint64_t size = product(natural(*view->items[3], "view"), element);
    if (sum(begin, size) > root.bytes.size()) {
      fail("is damaged: a view ends at byte " + to_text(begin + size) + " of a storage that has " +
           to_text(root.bytes.size()));
    }
    contents.storages[tar_key(*view->items[0], "a view")] = {root.type,
                                                             root.bytes.substr(begin, size)};
  }
}

void read_tar_tensors(Bytes record, PickleValues& memory, TarContents& contents) {
  size_t position = 0;
  const auto next = [&]() -> const PickleValue& {
    return read_pickle(record, position, "record tensors", plain_globals, memory);
  };
  const std::string end_of_head = "the head of a tensor of record tensors ends";
  const uint64_t count = natural(next(), "number of tensors");
  for (uint64_t i = 0; i < count; ++i) {
    const PickleValue& about = next();
    expect_tuple(about, 3, "a tensor");
    const int64_t key = tar_key(*about.items[0], "a tensor");
    // Dimensions as 4 bytes and 4 of nothing, sizes, strides, offset.
    const auto dimensions = number_at<uint32_t>(part(record, position, 8, end_of_head), 0);
    const uint64_t size = product(dimensions, 8);
    const Bytes numbers = part(record, position + 8, sum(product(size, 2), 8), end_of_head);
    position += 8 + numbers.size();
    StridedTensor tensor = {
        tar_storage(contents, *about.items[1]), number_at<uint64_t>(numbers, 2 * size), {}, {}};
    for (uint64_t at = 0; at < size; at += 8) {
      tensor.sizes.push_back(number_at<uint64_t>(numbers, at));
      tensor.strides.push_back(number_at<uint64_t>(numbers, size + at));
    }
    if (!contents.tensors.emplace(key, std::move(tensor)).second) {
      fail("is damaged: tensor " + std::to_string(key) + " appears twice");
    }
  }
}

}  // namespace

void read_torch_tar(Bytes bytes, WeightsFile& file) {
  file.format = WeightsFormat::tar;
  const std::map<std::string, Bytes> records = read_tar(bytes);
  const auto record = [&](const std::string& name) {
    const auto found = records.find(name);
    if (found == records.end()) {
      fail("is a tar archive, but not one of torch.save: it has no record " + in_quotes(name));
    }
    return found->second;
  };
  PickleValues memory;
  const auto read = [&](const std::string& name) -> const PickleValue& {
    size_t position = 0;
    return read_pickle(record(name), position, "record " + name, plain_globals, memory);
  };
  check_byte_order(read("sys_info"));
  TarContents contents;
  read_tar_storages(record("storages"), memory, contents);
  read_tar_tensors(record("tensors"), memory, contents);

  Outside outside;
  outside.tensor = [&](const PickleValue& id) {
    // Written as text.
    int64_t key = id.integer;
    if (id.is_text()) {
      const char* end = id.text.data() + id.text.size();
      const auto [stop, error] = std::from_chars(id.text.data(), end, key);
      if (error != std::errc() || stop != end) key = -1;
    }
    const auto found = contents.tensors.find(key);
    if (found == contents.tensors.end()) {
      fail("is damaged: it refers to tensor " + describe(id) + ", which it lacks");
    }
    return found->second;
  };
  find_state_dict(read("pickle"), outside, file);
}

}  // namespace convscope

#include "suite/weights/safetensors.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

namespace convscope {
namespace {

using nlohmann::json;

constexpr uint64_t head_size = 8;
constexpr uint64_t longest_header = 100'000'000;  // the limit of safetensors itself
constexpr size_t most_dimensions = 64;

constexpr const char* type_names[] = {"F64", "F32", "F16", "BF16", "I64",
                                      "I32", "I16", "I8",  "U8",   "BOOL"};

struct Entry {
  std::string name;
  std::string type;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> offsets;
};

// Reads the one shape that a header has, and nothing nested deeper or twice: a tree of JSON would
// keep the last of two equal keys and lose the order.
class HeaderReader : public nlohmann::json_sax<json> {
 public:
  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string problem;

  bool start_object(size_t) override {
    if (++depth_ > 2 || array_ != nullptr) return refuse("an object nested too deep");
    if (depth_ == 2 && !in_metadata_) entries.push_back({top_key_, "", {}, {}});
    fields_.clear();
    return true;
  }

  bool end_object() override {
    if (--depth_ == 1 && !in_metadata_ && fields_.size() != 3) {
      return refuse("a tensor without one of dtype, shape and data_offsets");
    }
    return true;
  }

  bool key(string_t& key) override {
    if (depth_ == 1) {
      top_key_ = key;
      in_metadata_ = key == safetensors_metadata;
      return top_keys_.insert(key).second || refuse("this key twice");
    }
    field_ = key;
    if (!fields_.insert(key).second) return refuse("field " + in_quotes(key) + " twice");
    const bool known = key == "dtype" || key == "shape" || key == "data_offsets";
    return in_metadata_ || known || refuse("an unknown field " + in_quotes(key));
  }

  bool string(string_t& text) override {
    if (depth_ == 2 && in_metadata_) {
      metadata.emplace_back(field_, text);
      return true;
    }
    if (depth_ != 2 || field_ != "dtype" || array_ != nullptr) return refuse("an unexpected text");
    entries.back().type = text;
    return true;
  }

  bool start_array(size_t) override {
    const bool expected = depth_ == 2 && !in_metadata_ && array_ == nullptr && field_ != "dtype";
    if (!expected) return refuse("an unexpected list");
    array_ = field_ == "shape" ? &entries.back().shape : &entries.back().offsets;
    return true;
  }

  bool end_array() override {
    array_ = nullptr;
    return true;
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (array_ == nullptr) return refuse("an unexpected number");
    array_->push_back(number);
    return array_->size() <= most_dimensions || refuse("more than 64 dimensions");
  }

  bool number_integer(number_integer_t) override { return refuse("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return refuse("a fraction"); }
  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("a truth value"); }
  bool binary(json::binary_t&) override { return refuse("bytes"); }

  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    problem = "is damaged: its header is no JSON at byte " + std::to_string(head_size + position);
    return false;
  }

 private:
  bool refuse(const std::string& what) {
    problem = "is damaged: its header has " + what;
    if (!top_key_.empty()) problem += ", under " + in_quotes(top_key_);
    return false;
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  std::string top_key_;
  std::string field_;
  std::vector<uint64_t>* array_ = nullptr;
  std::unordered_set<std::string> top_keys_;
  std::unordered_set<std::string> fields_;
};

std::optional<ScalarType> type_of(const std::string& name) {
  for (size_t i = 0; i < std::size(type_names); ++i) {
    if (name == type_names[i]) return static_cast<ScalarType>(i);
  }
  return {};
}

StoredTensor tensor_of(const Entry& entry, Bytes values) {
  const std::string name = in_quotes(entry.name);
  const std::optional<ScalarType> type = type_of(entry.type);
  if (!type)
    fail("holds tensor " + name + " of type " + in_quotes(entry.type) + ", which is not supported");
  if (entry.offsets.size() != 2 || entry.offsets[0] > entry.offsets[1]) {
    fail("is damaged: tensor " + name + " has no beginning and end");
  }
  StoredTensor tensor = {entry.name, *type, {}, {}, nullptr};
  uint64_t elements = 1;
  uint64_t span = 1;  // without the sizes that are 0, so that no order of multiplying overflows
  for (const uint64_t size : entry.shape) {
    elements = product(elements, size);
    span = product(span, std::max<uint64_t>(size, 1));
    tensor.shape.push_back(static_cast<int64_t>(size));
  }
  const auto element = static_cast<uint64_t>(bytes_of(*type));
  const uint64_t bytes = entry.offsets[1] - entry.offsets[0];
  if (product(span, element) > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
      product(elements, element) != bytes) {
    fail("is damaged: tensor " + name + " of " + counted(elements, "element") + " has " +
         counted(bytes, "byte"));
  }
  tensor.strides = contiguous_strides(tensor.shape);
  tensor.data = reinterpret_cast<const std::byte*>(values.data() + entry.offsets[0]);
  return tensor;
}

// The values cover what follows the header, each byte once: a hole could hide anything.
void check_cover(const std::vector<Entry>& entries, uint64_t header_end, uint64_t file_size) {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries) {
    if (entry.offsets.size() != 2) {
      fail("is damaged: tensor " + in_quotes(entry.name) + " has no beginning and end");
    }
    order.push_back(&entry);
  }
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return a->offsets < b->offsets; });
  uint64_t end = 0;
  for (const Entry* entry : order) {
    if (entry->offsets[0] != end) {
      fail("is damaged: tensor " + in_quotes(entry->name) + " begins at byte " +
           std::to_string(entry->offsets[0]) + " of the values where the one before ends at " +
           std::to_string(end));
    }
    end = entry->offsets[1];
  }
  const uint64_t wanted = sum(header_end, end);
  if (wanted > file_size) fail_cut_short(wanted, file_size, "its values end");
  if (wanted < file_size) {
    fail("is damaged: its values end at byte " + std::to_string(wanted) + ", the file at byte " +
         std::to_string(file_size));
  }
}

}  // namespace

std::string safetensors_type(ScalarType type) { return type_names[static_cast<size_t>(type)]; }

bool is_safetensors(Bytes bytes) {
  return bytes.size() > head_size && bytes[head_size] == '{' &&
         number_at<uint64_t>(bytes, 0) <= longest_header;
}

void read_safetensors(Bytes bytes, WeightsFile& file) {
  file.format = WeightsFormat::safetensors;
  const Bytes header = part(bytes, head_size, number_at<uint64_t>(bytes, 0), "its header ends");
  HeaderReader reader;
  if (!json::sax_parse(header.begin(), header.end(), &reader)) fail(reader.problem);
  if (reader.entries.empty()) fail("holds no tensors");
  const uint64_t values_begin = head_size + header.size();
  check_cover(reader.entries, values_begin, bytes.size());
  for (const Entry& entry : reader.entries) {
    file.tensors.push_back(tensor_of(entry, bytes.substr(values_begin)));
  }
  file.beside = std::move(reader.metadata);
}

}  // namespace convscope

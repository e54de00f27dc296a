#include <nlohmann/json.hpp>
#include <unordered_set>

#include "suite/weights/output_file.h"
#include "suite/weights/safetensors.h"
#include "suite/weights/weights_file.h"
#include "suite/weights/write_values.h"

namespace convscope {
namespace {

std::string json_text(const std::filesystem::path& path, const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    fail(path.string() + ": cannot be written: safetensors needs UTF-8, found " + in_quotes(text));
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  check_names(path, tensors);
  std::string header = "{";
  std::unordered_set<std::string> keys;
  if (!metadata.empty()) header += json_text(path, safetensors_metadata) + ":{";
  for (const auto& [key, value] : metadata) {
    if (!keys.insert(key).second) {
      fail(path.string() + ": cannot be written: the metadata have " + in_quotes(key) + " twice");
    }
    header += (keys.size() == 1 ? "" : ",") + json_text(path, key) + ":" + json_text(path, value);
  }
  if (!metadata.empty()) header += "}";
  uint64_t offset = 0;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.name == safetensors_metadata) {
      fail(path.string() + ": cannot be written: safetensors has no tensor " +
           in_quotes(tensor.name));
    }
    std::string shape;
    for (const int64_t size : tensor.shape) {
      shape += (shape.empty() ? "" : ",") + std::to_string(size);
    }
    const uint64_t end = offset + value_bytes(tensor);
    header += (header.size() == 1 ? "" : ",") + json_text(path, tensor.name) + ":{\"dtype\":\"" +
              safetensors_type(tensor.type) + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  header += "}";
  // The values then begin where numbers of 8 bytes may.
  header.append((8 - header.size() % 8) % 8, ' ');

  OutputFile file(path);
  const uint64_t size = header.size();
  file.write({reinterpret_cast<const char*>(&size), sizeof size});
  file.write(header);
  for (const StoredTensor& tensor : tensors) {
    for_each_piece(tensor, [&](Bytes piece) { file.write(piece); });
  }
  file.commit();
}

}  // namespace convscope

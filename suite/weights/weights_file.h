// A file of weights as plain data: names, types, shapes, and where the values lie. The readers of
// all formats give this; nothing here knows torch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace convscope {

enum class ScalarType {
  float64,
  float32,
  float16,
  bfloat16,
  int64,
  int32,
  int16,
  int8,
  uint8,
  boolean
};

/// "float32".
std::string to_string(ScalarType type);
int64_t bytes_of(ScalarType type);

/// A tensor in a file. Every element that `shape` and `strides` reach lies inside the file.
struct StoredTensor {
  std::string name;
  ScalarType type;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  ///< in elements, as many as `shape`
  const std::byte* data;         ///< the first element; perhaps not aligned

  int64_t elements() const;
  bool contiguous() const;
};

/// In elements, of values in order of `shape`: {12, 4, 1} for {2, 3, 4}. A size of 0 counts as 1.
std::vector<int64_t> contiguous_strides(const std::vector<int64_t>& shape);

enum class WeightsFormat { zip, legacy_pickle, tar, torchscript, safetensors };

/// "zip .pth (torch.save since 1.6)" and so on, for people.
std::string to_string(WeightsFormat format);

/// What a file of weights holds. Lives as long as its mapping does, which `owner` keeps.
struct WeightsFile {
  std::filesystem::path path;
  WeightsFormat format;
  std::vector<StoredTensor> tensors;  ///< the state dict, in its own order, names as in the file
  std::string wrapped_in;             ///< the key the state dict was found under: "state_dict", ""
  /// What stands beside the state dict, for people: {"best_prec1", "92.6"}, {"optimizer", "161
  /// tensors"}, and the metadata of safetensors.
  std::vector<std::pair<std::string, std::string>> beside;
  std::shared_ptr<const void> owner;  ///< keeps the memory that `data` points into
};

/// Reads any of the formats, known by its first bytes and not by its name. The file is mapped, and
/// values are not touched. Throws std::invalid_argument: path, what is wrong, and where in the
/// file.
WeightsFile read_weights(const std::filesystem::path& path);

/// The same for a file in memory, which must outlive the result; `name` stands in its errors.
WeightsFile read_weights(const std::byte* data, size_t size, const std::string& name);

/// Copies a tensor's values, in order of its shape, to `out`: elements() x bytes_of(type) bytes.
void copy_values(const StoredTensor& tensor, void* out);

/// Tells the system that this tensor's pages of the file are not needed soon, so that reading a
/// large file does not hold all of it beside the copy. Does nothing for values in memory.
void release_values(const StoredTensor& tensor);

/// Write `tensors` under their names; `metadata` becomes safetensors' __metadata__. The zip form is
/// read by Python's torch.load(..., weights_only=True). The file appears under its name only when
/// it is complete. Throw std::invalid_argument if it cannot be written or a name appears twice.
void write_safetensors(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata = {});
void write_torch_zip(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors);

}  // namespace convscope

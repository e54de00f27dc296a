// What the pickles of torch.save mean: which names they may refer to, which values are tensors,
// and which of them are the state dict.
#pragma once

#include <functional>
#include <optional>

#include "suite/weights/pickle.h"
#include "suite/weights/weights_file.h"

namespace convscope {

struct Storage {
  ScalarType type;
  Bytes bytes;
};

/// A tensor as the files have it; nothing is checked yet.
struct StridedTensor {
  Storage storage;
  uint64_t offset;  ///< in elements, as the strides
  std::vector<uint64_t> sizes;
  std::vector<uint64_t> strides;
};

/// How a form of file finds what lies outside its pickle.
struct Outside {
  std::function<Storage(const PickleValue& id)> storage;
  /// In the tar form alone; else empty.
  std::function<StridedTensor(const PickleValue& id)> tensor;
};

/// What a storage's id says of it, in the forms that have one for each storage.
struct StorageId {
  ScalarType type;
  std::string_view key;
  uint64_t bytes;
  const PickleValue* view;  ///< null in the zip form
};

/// ("storage", torch.FloatStorage, "17", "cuda:0", 1000) and what follows. Where the values were
/// does not matter.
StorageId storage_id(const PickleValue& id);

/// "torch.FloatStorage": float32.
std::optional<ScalarType> storage_type(std::string_view global);

/// A number that is not negative; `what` names it in the error.
uint64_t natural(const PickleValue& value, const std::string& what);

/// Refuses each name that weights do not need. TorchScript's have types of their own.
void check_global(std::string_view name, const std::string& where, bool torchscript);

/// The tensor with its bounds checked.
StoredTensor stored_tensor(std::string name, const StridedTensor& tensor);

/// Finds the state dict under `root` and fills tensors, wrapped_in and beside.
void find_state_dict(const PickleValue& root, const Outside& outside, WeightsFile& file);

/// The tensors of a TorchScript module: attributes, and attributes of attributes.
void find_attributes(const PickleValue& root, const Outside& outside, WeightsFile& file);

}  // namespace convscope

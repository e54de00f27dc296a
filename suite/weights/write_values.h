// What both writers do with tensors: names are checked, values are written piece by piece.
#pragma once

#include <filesystem>
#include <functional>

#include "suite/weights/bytes.h"
#include "suite/weights/weights_file.h"

namespace convscope {

/// Throws if two tensors have one name.
void check_names(const std::filesystem::path& path, const std::vector<StoredTensor>& tensors);

uint64_t value_bytes(const StoredTensor& tensor);

/// Hands out the values in order, in pieces that a cache holds.
void for_each_piece(const StoredTensor& tensor, const std::function<void(Bytes)>& take);

}  // namespace convscope

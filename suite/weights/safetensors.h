// Files of safetensors: a length, a header in JSON, the values one behind the other.
#pragma once

#include "suite/weights/bytes.h"
#include "suite/weights/weights_file.h"

namespace convscope {

/// The key in the header under which there is no tensor, but text.
constexpr char safetensors_metadata[] = "__metadata__";

/// Whether a file begins as one of safetensors does.
bool is_safetensors(Bytes bytes);

/// Fills what `file` says of the tensors; its path and owner are the caller's.
void read_safetensors(Bytes bytes, WeightsFile& file);

/// "F32", as safetensors calls a type.
std::string safetensors_type(ScalarType type);

}  // namespace convscope

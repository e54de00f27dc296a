// Files of safetensors: a length, a header in JSON, the values one behind the other.
#pragma once

#include "suite/weights/bytes.h"
#include "suite/weights/weights_file.h"

namespace convscope {

/// Whether a file begins as one of safetensors does.
bool is_safetensors(Bytes bytes);

/// Fills what `file` says of the tensors; its path and owner are the caller's.
void read_safetensors(Bytes bytes, WeightsFile& file);

/// "F32", as safetensors calls a type.
std::string safetensors_type(ScalarType type);

}  // namespace convscope

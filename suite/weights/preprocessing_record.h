// Preprocessing as text that travels with weights: the metadata of a safetensors file.
#pragma once

#include <optional>
#include <string>

#include "architectures/preprocessing.h"
#include "suite/weights/weights_file.h"

namespace convscope {

/// {"resize":256,"crop":224,"interpolation":"bilinear","mean":[...],"deviation":[...],...}.
std::string preprocessing_record(const Preprocessing& preprocessing);

/// What preprocessing_record() wrote into a file's metadata under "preprocessing"; nothing if there
/// is none. Throws std::invalid_argument, which names the file, for one that cannot be understood.
std::optional<Preprocessing> recorded_preprocessing(const WeightsFile& file);

/// Throws std::invalid_argument that lists the names there are.
Interpolation parse_interpolation(const std::string& text);

}  // namespace convscope

// What the readers of the data formats share: a file's bytes, and images among other bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "suite/data/image.h"

namespace convscope {

/// Bytes, and what messages call them: mostly a path.
struct NamedBytes {
  std::string name;
  std::vector<uint8_t> bytes;
};

constexpr uint64_t gibibyte = uint64_t{1} << 30;
constexpr uint64_t largest_image_file = gibibyte;
constexpr uint64_t largest_file = 16 * gibibyte;  ///< all of a dataset's images in one

/// A regular file of at most `limit` bytes; nothing is allocated for one that is larger. Throws
/// std::invalid_argument with the path and the reason, also where memory does not suffice.
NamedBytes read_file(const std::filesystem::path& path, uint64_t limit = largest_file);

bool is_gzip(const std::vector<uint8_t>& bytes);

/// At most `limit` bytes of what gzip holds; memory grows with what comes out, not with what a
/// header promises. Throws std::invalid_argument if it is damaged or cut short before that.
std::vector<uint8_t> gunzip(const NamedBytes& compressed, size_t limit);

/// Grey becomes three equal channels; colour becomes grey by the weights of ITU-R 601, rounded as
/// Pillow and libjpeg do.
Image in_channels(Image image, int64_t channels);

}  // namespace convscope

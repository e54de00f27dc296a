#include "suite/data/idx.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace convscope {
namespace {

/// An idx file without its header.
struct Idx {
  std::vector<uint64_t> shape;
  std::vector<uint8_t> values;
};

std::string hexadecimal(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%08llx", static_cast<unsigned long long>(value));
  return text;
}

uint64_t big_endian(const uint8_t* bytes) {
  return uint64_t{bytes[0]} << 24 | uint64_t{bytes[1]} << 16 | uint64_t{bytes[2]} << 8 | bytes[3];
}

/// Unsigned bytes in `dimensions` dimensions, of `things`.
Idx read_idx(const NamedBytes& file, size_t dimensions, const std::string& things) {
  const auto refuse = [&](const std::string& reason) {
    throw std::invalid_argument(file.name + ": " + reason);
  };
  const size_t header_size = 4 + 4 * dimensions;
  const bool compressed = is_gzip(file.bytes);
  std::vector<uint8_t> header;
  if (compressed) {
    header = gunzip(file, header_size);
  } else {
    header.assign(file.bytes.begin(), file.bytes.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                               header_size, file.bytes.size())));
  }

  const uint64_t magic = 0x800 + dimensions;
  const uint64_t found_magic = header.size() < 4 ? magic : big_endian(header.data());
  if (found_magic != magic) {
    const uint64_t other = 0x800 + (dimensions == 3 ? 1 : 3);
    refuse("expected an idx file of " + things + ", which begins with " + hexadecimal(magic) +
           ", found " + hexadecimal(found_magic) +
           (found_magic == other
                ? std::string(": these are ") + (dimensions == 3 ? "labels" : "images") +
                      ", perhaps the two files were exchanged"
                : "; is it another kind of file?"));
  }
  if (header.size() < header_size) {
    refuse("expected a header of " + std::to_string(header_size) + " bytes, found only " +
           std::to_string(header.size()) + ": the file is truncated; download it again");
  }

  Idx idx;
  for (size_t i = 0; i < dimensions; ++i) idx.shape.push_back(big_endian(&header[4 + 4 * i]));
  uint64_t total = idx.shape[0];
  for (size_t i = 1; i < dimensions; ++i) {
    // Three numbers of 32 bits may overflow; no image is so large.
    if (idx.shape[i] < 1 || idx.shape[i] > 65535) {
      refuse("expected images of 1 to 65535 pixels a side, found " + std::to_string(idx.shape[i]));
    }
    total *= idx.shape[i];
  }

  uint64_t found = file.bytes.size() - std::min(header_size, file.bytes.size());
  if (compressed) {
    // One byte more than there should be, to see whether there is more.
    idx.values = gunzip(file, header_size + total + 1);
    idx.values.erase(idx.values.begin(),
                     idx.values.begin() + static_cast<std::ptrdiff_t>(header_size));
    found = idx.values.size();
  } else if (found == total) {
    idx.values.assign(file.bytes.begin() + static_cast<std::ptrdiff_t>(header_size),
                      file.bytes.end());
  }
  if (found != total) {
    refuse("expected " + std::to_string(total) + " bytes for " + std::to_string(idx.shape[0]) +
           " " + things + ", found " +
           (found < total ? std::to_string(found) + ": the file is truncated; download it again"
                          : (compressed ? "more" : std::to_string(found)) +
                                ": the file is damaged, or its header is"));
  }
  return idx;
}

struct IdxDataset : Dataset {
  std::string images_name;
  Idx images, labels;
  std::vector<std::string> names;
  int64_t channels;

  size_t size() const override { return labels.values.size(); }
  Image image(size_t index, const WantedRegion& = {}) const override {
    const Size full = {static_cast<int64_t>(images.shape[1]),
                       static_cast<int64_t>(images.shape[2])};
    const std::ptrdiff_t bytes = full.height * full.width;
    const auto begin = images.values.begin() + static_cast<std::ptrdiff_t>(index) * bytes;
    return in_channels(
        {full, {0, 0, full.height, full.width}, 1, std::vector<uint8_t>(begin, begin + bytes)},
        channels);
  }
  int64_t label(size_t index) const override { return labels.values[index]; }
  std::string name(size_t index) const override {
    return images_name + ": image " + std::to_string(index);
  }
  const std::vector<std::string>& classes() const override { return names; }
};

}  // namespace

std::unique_ptr<Dataset> idx_dataset(const NamedBytes& images, const NamedBytes& labels,
                                     std::vector<std::string> classes, int64_t channels) {
  auto dataset = std::make_unique<IdxDataset>();
  // The labels first: they are the smaller file.
  dataset->labels = read_idx(labels, 1, "labels");
  dataset->images = read_idx(images, 3, "images");
  const std::vector<uint8_t>& values = dataset->labels.values;
  if (dataset->images.shape[0] != values.size()) {
    throw std::invalid_argument(images.name + " has " + std::to_string(dataset->images.shape[0]) +
                                " images, but " + labels.name + " has " +
                                std::to_string(values.size()) +
                                " labels: they are not of the same set");
  }
  if (values.empty()) {
    throw std::invalid_argument(images.name + ": expected images, found a file of none");
  }
  if (classes.empty()) {
    const size_t count = size_t{*std::max_element(values.begin(), values.end())} + 1;
    for (size_t i = 0; i < std::max<size_t>(10, count); ++i) classes.push_back(std::to_string(i));
  }
  const auto wrong = std::find_if(values.begin(), values.end(),
                                  [&](uint8_t label) { return label >= classes.size(); });
  if (wrong != values.end()) {
    throw std::invalid_argument(labels.name + ": expected labels from 0 to " +
                                std::to_string(classes.size() - 1) + ", found " +
                                std::to_string(*wrong) + " for image " +
                                std::to_string(wrong - values.begin()) +
                                "; if there are more classes, give a list of their names");
  }
  dataset->images_name = images.name;
  dataset->names = std::move(classes);
  dataset->channels = channels;
  return dataset;
}

}  // namespace convscope

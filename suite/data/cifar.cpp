#include "suite/data/cifar.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "suite/data/known_classes.h"

namespace convscope {
namespace {

constexpr size_t side = 32, plane = side * side;

struct CifarDataset : Dataset {
  std::vector<NamedBytes> files;
  std::vector<size_t> first;  ///< the index of each file's first record
  size_t count = 0;
  size_t record_bytes;
  std::vector<std::string> names;
  int64_t channels;

  /// The file and the number of the record in it.
  std::pair<const NamedBytes&, size_t> find(size_t index) const {
    const auto after = std::upper_bound(first.begin(), first.end(), index);
    const size_t file = static_cast<size_t>(after - first.begin()) - 1;
    return {files[file], index - first[file]};
  }

  size_t size() const override { return count; }
  Image image(size_t index, const WantedRegion& = {}) const override {
    const auto& [file, record] = find(index);
    const uint8_t* planes = &file.bytes[(record + 1) * record_bytes - 3 * plane];
    Image image{{side, side}, {0, 0, side, side}, 3, std::vector<uint8_t>(3 * plane)};
    for (size_t i = 0; i < plane; ++i) {
      for (size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = planes[c * plane + i];
    }
    return in_channels(std::move(image), channels);
  }
  int64_t label(size_t index) const override {
    const auto& [file, record] = find(index);
    return file.bytes[(record + 1) * record_bytes - 3 * plane - 1];
  }
  std::string name(size_t index) const override {
    const auto& [file, record] = find(index);
    return file.name + ": image " + std::to_string(record);
  }
  const std::vector<std::string>& classes() const override { return names; }
};

std::vector<std::string> default_classes(Cifar kind) {
  if (kind == Cifar::ten) return cifar10_classes();
  std::vector<std::string> numbers;
  for (int i = 0; i < 100; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

}  // namespace

size_t record_size(Cifar kind) { return 3 * plane + (kind == Cifar::ten ? 1 : 2); }

std::unique_ptr<Dataset> cifar_dataset(std::vector<NamedBytes> files, Cifar kind,
                                       std::vector<std::string> classes, int64_t channels) {
  auto dataset = std::make_unique<CifarDataset>();
  const size_t bytes = record_size(kind);
  for (const NamedBytes& file : files) {
    const size_t left_over = file.bytes.size() % bytes;
    if (left_over != 0 || file.bytes.empty()) {
      throw std::invalid_argument(
          file.name + ": expected records of " + std::to_string(bytes) + " bytes, as CIFAR-" +
          (kind == Cifar::ten ? "10" : "100") + " has them, found " +
          std::to_string(file.bytes.size() / bytes) + " of them and " + std::to_string(left_over) +
          " bytes left over: the file is truncated or of another kind; download it again");
    }
    dataset->first.push_back(dataset->count);
    dataset->count += file.bytes.size() / bytes;
  }
  dataset->files = std::move(files);
  dataset->record_bytes = bytes;
  dataset->names = classes.empty() ? default_classes(kind) : std::move(classes);
  dataset->channels = channels;

  const auto limit = static_cast<int64_t>(dataset->names.size());
  for (size_t i = 0; i < dataset->count; ++i) {
    if (dataset->label(i) < limit) continue;
    throw std::invalid_argument(dataset->name(i) + ": expected a label from 0 to " +
                                std::to_string(limit - 1) + ", found " +
                                std::to_string(dataset->label(i)) +
                                "; the file is damaged or of another kind");
  }
  return dataset;
}

}  // namespace convscope

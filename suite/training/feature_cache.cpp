#include "suite/training/feature_cache.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "suite/weights/sha256.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

struct Entry {
  fs::file_time_type used;
  int64_t bytes;
  fs::path path;
};

/// Least recently used first. Other processes may add and remove files at any time.
std::vector<Entry> entries_in(const fs::path& folder) {
  std::vector<Entry> all;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error)) {
    if (file.path().extension() != ".safetensors") continue;
    const auto used = file.last_write_time(error);
    if (error) continue;
    const auto bytes = file.file_size(error);
    if (!error) all.push_back({used, static_cast<int64_t>(bytes), file.path()});
  }
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  return all;
}

}  // namespace

FeatureCache::FeatureCache(fs::path folder, int64_t most_bytes, std::string maker)
    : folder_(std::move(folder)), most_bytes_(most_bytes), maker_(std::move(maker)) {}

fs::path FeatureCache::path_of(const std::string& key) const {
  return folder_ / (sha256_of_text(maker_ + "\n" + key) + ".safetensors");
}

std::optional<WeightsFile> FeatureCache::find(const std::string& key) const {
  const fs::path path = path_of(key);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  try {
    WeightsFile file = read_weights(path);
    if (file.tensors.size() != 2) return std::nullopt;
    fs::last_write_time(path, fs::file_time_type::clock::now(), error);
    return file;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

void FeatureCache::keep(const std::string& key, const std::vector<StoredTensor>& tensors) {
  int64_t bytes = 4096;  // names and shapes
  for (const StoredTensor& tensor : tensors) bytes += tensor.elements() * bytes_of(tensor.type);
  if (bytes > most_bytes_) return;
  try {
    fs::create_directories(folder_);
    make_room(bytes);
    write_safetensors(path_of(key), tensors);
  } catch (const std::invalid_argument&) {
  } catch (const fs::filesystem_error&) {
  }
}

int64_t FeatureCache::bytes() const {
  int64_t sum = 0;
  for (const Entry& entry : entries_in(folder_)) sum += entry.bytes;
  return sum;
}

void FeatureCache::make_room(int64_t bytes) {
  int64_t there = this->bytes();
  for (const Entry& entry : entries_in(folder_)) {
    if (there + bytes <= most_bytes_) return;
    std::error_code error;
    fs::remove(entry.path, error);
    there -= entry.bytes;
  }
}

}  // namespace convscope

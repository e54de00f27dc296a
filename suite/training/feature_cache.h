// Features of frozen stages on disk, so that the next run on the same images need not compute them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "suite/weights/weights_file.h"

namespace convscope {

class FeatureCache {
 public:
  /// At most so many bytes in `folder`; what was used longest ago goes first. `maker` is a part of
  /// every key: who computes the values.
  FeatureCache(std::filesystem::path folder, int64_t most_bytes, std::string maker = "");

  /// What was kept under a key: everything that the values depend on, as text of any length. A file
  /// that is damaged counts as none.
  std::optional<WeightsFile> find(const std::string& key) const;

  /// Leaves nothing where it does not fit or the disk is full: then it is computed again.
  void keep(const std::string& key, const std::vector<StoredTensor>& tensors);

  int64_t bytes() const;

 private:
  std::filesystem::path path_of(const std::string& key) const;
  void make_room(int64_t bytes);

  std::filesystem::path folder_;
  int64_t most_bytes_;
  std::string maker_;
};

}  // namespace convscope

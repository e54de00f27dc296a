// Labelled images, from wherever they come: one interface for folders, idx, CIFAR and made-up ones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "suite/data/image.h"

namespace convscope {

/// Something that should have been an image, left out because the user allowed that.
struct Skipped {
  std::string name;
  std::string reason;  ///< never begins with the name
};

/// Takes the name away from the beginning of a message that has it.
inline Skipped skipped_because(const std::string& name, const std::string& message) {
  if (name.empty() || message.compare(0, name.size(), name) != 0) return {name, message};
  const size_t reason = message.find_first_not_of(": ", name.size());
  // "image 12" does not begin with the name "image 1".
  if (reason == name.size()) return {name, message};
  return {name, reason == std::string::npos ? std::string() : message.substr(reason)};
}

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual size_t size() const = 0;
  /// Decodes the image; may be called by several threads at once. Throws BrokenImage, which names
  /// the file or the record.
  virtual Image image(size_t index, const WantedRegion& wanted = {}) const = 0;
  virtual int64_t label(size_t index) const = 0;     ///< from 0, below classes().size()
  virtual std::string name(size_t index) const = 0;  ///< a path, or "train-images: image 17"
  virtual const std::vector<std::string>& classes() const = 0;  ///< the name of each class
  /// What was left out when the dataset was opened.
  virtual std::vector<Skipped> skipped() const { return {}; }
};

}  // namespace convscope

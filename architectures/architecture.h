// What the catalogue knows of a network before it is built: plain data, so that commands can list,
// match and check networks without seeing torch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace convscope {

struct Network;

/// The shape of one image, in elements. Written "3x224x224".
struct ImageShape {
  int64_t channels, height, width;
};

/// What a network is built for.
struct Settings {
  ImageShape image;
  int64_t classes;
  double width;            ///< multiplies the channels, where the family has such a multiplier
  bool auxiliary = false;  ///< with the heads that only training uses, where the family has them
};

/// An accuracy that others state.
struct PublishedAccuracy {
  std::string dataset;  ///< on whose validation or test images: "ImageNet-1K"
  double top1 = 0;      ///< percent; 0: none is stated
  std::string source;   ///< "Howard et al. 2017, table 8"
};

/// One network of the catalogue, with the settings of its paper.
struct Architecture {
  std::string name;
  int year;
  std::string paper;
  std::string variant;  ///< which of the published forms it is
  Settings settings;    ///< what the paper built; `width` 0 says that the family has no multiplier
  std::function<std::shared_ptr<Network>(const Settings&)> build;
  PublishedAccuracy stated = {};  ///< by the paper; weights that are published have their own
  bool dense = false;            ///< answers for each position of the image, not once for the image
  bool self_organising = false;  ///< learns by a rule of its own, not by gradients
};

/// Most networks here were published for ImageNet: 3x224x224, 1000 classes.
inline constexpr Settings imagenet = {{3, 224, 224}, 1000, 0};

}  // namespace convscope

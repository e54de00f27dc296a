#include "suite/data/known_classes.h"

namespace convscope {

const std::vector<std::string>& cifar10_classes() {
  static const std::vector<std::string> names = {
      "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  return names;
}

ClassList known_classes(int64_t classes, int64_t channels, int64_t side) {
  if (classes == 1000) return imagenet_classes();
  if (classes != 10) return {};
  std::vector<std::string> names = cifar10_classes();
  if (channels == 1) names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  if (channels != 1 && side != 32) return {};
  return {names, names};
}

}  // namespace convscope

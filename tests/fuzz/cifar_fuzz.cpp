// CIFAR's binary files of any bytes are read, or refused by an exception: the first byte says of
// which kind they are, and whether they are one file or two.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#include "suite/data/cifar.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convscope;
  if (size < 1) return 0;
  const Cifar kind = (data[0] & 1) != 0 ? Cifar::hundred : Cifar::ten;
  std::vector<NamedBytes> files = {{"first", {data + 1, data + size}}};
  if ((data[0] & 2) != 0) files.push_back(files[0]);
  try {
    const auto dataset = cifar_dataset(std::move(files), kind, {}, (data[0] & 4) != 0 ? 1 : 3);
    for (size_t i = 0; i < dataset->size(); ++i) {
      const Image image = dataset->image(i);
      const bool sound = image.pixels.size() == static_cast<size_t>(32 * 32 * image.channels) &&
                         static_cast<size_t>(dataset->label(i)) < dataset->classes().size();
      if (!sound || dataset->name(i).empty()) std::abort();
    }
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

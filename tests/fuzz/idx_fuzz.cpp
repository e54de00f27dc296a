// Two idx files of any bytes are read, or refused by an exception: two bytes say how long the first
// is, the images; the labels follow it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>

#include "suite/data/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t* middle = data + std::min<size_t>(size, 2 + data[0] * 256u + data[1]);
  try {
    const auto dataset = convscope::idx_dataset({"images", {data + 2, middle}},
                                                {"labels", {middle, data + size}}, {}, 3);
    for (size_t i = 0; i < dataset->size(); ++i) {
      const convscope::Image image = dataset->image(i);
      const bool sound =
          image.pixels.size() == static_cast<size_t>(image.part.height * image.part.width * 3) &&
          static_cast<size_t>(dataset->label(i)) < dataset->classes().size();
      if (!sound) std::abort();
    }
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

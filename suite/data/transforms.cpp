#include "suite/data/transforms.h"

namespace convscope {}  // namespace convscope

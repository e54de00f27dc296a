// The tar archives that torch.save wrote before PyTorch 0.1.12.
#pragma once

#include <map>
#include <string>

#include "suite/weights/bytes.h"

namespace convscope {

/// Whether a file begins with the header of a tar archive: its checksum is right.
bool is_tar(Bytes file);

/// Its files by name; `./` before a name is left out. Throws for one that ends before it should.
std::map<std::string, Bytes> read_tar(Bytes file);

}  // namespace convscope

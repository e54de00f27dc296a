// The files of torch.save in the three forms that it had, and those of torch.jit.save.
#pragma once

#include "suite/weights/bytes.h"
#include "suite/weights/weights_file.h"

namespace convscope {

/// Fill what `file` says of the state dict; its path and owner are the caller's.
void read_torch_zip(Bytes bytes, WeightsFile& file);
void read_legacy_pickle(Bytes bytes, WeightsFile& file);
void read_torch_tar(Bytes bytes, WeightsFile& file);

}  // namespace convscope

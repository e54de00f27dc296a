// How many threads compute.
#pragma once

namespace convscope {

/// From now on, operators called by this thread use this many.
void use_threads(int threads);

}  // namespace convscope

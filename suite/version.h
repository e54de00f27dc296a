// Which convscope this is. The build writes version.cpp.
#pragma once

namespace convscope {

extern const char* const version;
extern const char* const commit;  ///< "unknown" where it was not built from a checkout

}  // namespace convscope

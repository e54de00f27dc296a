#include "suite/report/page.h"

#include <stdexcept>

namespace convscope {

std::string html(const Page&) { throw std::logic_error("not yet"); }

std::string markdown(const Page&) { throw std::logic_error("not yet"); }

}  // namespace convscope

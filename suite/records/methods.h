// How results were made, in words, from what their manifest recorded.
#pragma once

#include <string>
#include <vector>

#include "suite/records/manifest.h"
#include "suite/records/records.h"

namespace convscope {

/// Paragraphs for the methods section of a paper: what was counted, timed and trained, on what,
/// how often, and how sure the numbers are. Only what the records say.
std::vector<std::string> methods(const Records& records, const Manifest& manifest);

}  // namespace convscope

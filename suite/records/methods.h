// How results were made, in words and as commands, from what their manifest recorded.
#pragma once

#include <string>
#include <vector>

#include "suite/records/manifest.h"
#include "suite/records/records.h"
#include "suite/report/table.h"

namespace convscope {

/// Paragraphs for the methods section of a paper: what was counted, timed and trained, on what,
/// how often, and how sure the numbers are. Only what the records say.
std::vector<std::string> methods(const Records& records, const Manifest& manifest);

/// An experiment file that makes the records again; "" if the manifest does not say how.
std::string repeat_file(const Manifest& manifest);

/// A word for a shell: in single quotes where it would read something into it.
std::string shell_word(const std::string& text);

/// Adds a column "repeat": the command that makes the row again. Of records whose rows no single
/// command makes, nothing.
void add_commands(const std::string& record, const Manifest& manifest, Table& table);

}  // namespace convscope

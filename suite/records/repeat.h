// How results are made again: as an experiment file, and as a command for each row.
#pragma once

#include <string>

#include "suite/records/manifest.h"
#include "suite/report/table.h"

namespace convscope {

/// An experiment file that makes the records again; "" if the manifest does not say how.
std::string repeat_file(const Manifest& manifest);

/// A word for a shell: in single quotes where it would read something into it.
std::string shell_word(const std::string& text);

/// Adds a column "repeat": the command that makes the row again. Of records whose rows no single
/// command makes, nothing.
void add_commands(const std::string& record, const Manifest& manifest, Table& table);

}  // namespace convscope

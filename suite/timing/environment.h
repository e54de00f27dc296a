// Where a result was measured: the software and the machine, as columns and manifests record it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace convscope {

/// Names and values, in the order to show them: version, commit, compiler, libtorch, onednn, cpu,
/// cores, affinity, memory_bytes, governor, os. What the machine does not tell is "unknown". Where
/// there is a GPU also gpu, gpu_driver, cuda, cudnn; elsewhere these are left out.
using Environment = std::vector<std::pair<std::string, std::string>>;

Environment environment();

/// Sixteen hexadecimal digits that are the same for the same environment.
std::string environment_id(const Environment& environment);

/// The environment without version, commit and compiler of this program: what its peaks depend on.
Environment machine_of(const Environment& environment);

/// The processes that wanted a core over the last minute, on average; -1 if unknown.
double load_average();

}  // namespace convscope

// Reads back samples.csv, the raw times of `bench`, and what the manifest beside it says of the
// environments where they were taken.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "suite/records/manifest.h"
#include "suite/timing/verdict.h"

namespace convscope {

struct MeasuredCase {
  std::string name;         ///< name_of() of the case
  std::string env;          ///< environment_id() of where it was measured
  Measurement measurement;  ///< milliseconds, without the warm-up
};

struct SampleFile {
  std::filesystem::path path;
  std::vector<MeasuredCase> cases;  ///< in the order of the file
  Environments environments;        ///< empty without a manifest
};

/// Reads the samples of a results folder, of a bench.csv (samples.csv beside it), or of a
/// samples.csv. A case that begins again, because a killed run was resumed, counts as it was
/// measured last. A torn last row is left out, which `err` is told. Throws std::invalid_argument
/// with one line that names the file and, where there is one, the line.
SampleFile read_samples(const std::filesystem::path& path, std::ostream& err);

}  // namespace convscope

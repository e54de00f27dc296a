// samples.csv and the manifest beside it: any bytes are either cases or one sentence. A byte says
// how long the manifest is.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>

#include "suite/records/sample_file.h"
#include "tests/report/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const convscope::TemporaryFolder folder;
  if (size < 1) return 0;
  const uint8_t* middle = data + std::min<size_t>(size, 1 + data[0]);
  convscope::put(folder.path / "manifest.json", {data + 1, middle});
  convscope::put(folder.path / "samples.csv", {middle, data + size});
  std::ostringstream err;
  try {
    const convscope::SampleFile file = convscope::read_samples(folder.path, err);
    if (file.cases.empty()) std::abort();
    for (const auto& one : file.cases) {
      if (one.measurement.repetitions.size() != one.measurement.disturbed.size()) std::abort();
      convscope::judge({{one.measurement, one.measurement}}, 2);
    }
  } catch (const std::invalid_argument& error) {
    const std::string said = error.what();
    if (said.empty() || said.find('\n') != std::string::npos) std::abort();
  }
  return 0;
}

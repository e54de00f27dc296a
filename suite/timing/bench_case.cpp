#include "suite/timing/bench_case.h"

#include <fmt/format.h>

#include "suite/analysis/torchscript.h"

namespace convscope {

BenchCase usual_case(const Architecture& architecture) {
  BenchCase usual;
  usual.architecture = architecture;
  usual.settings = architecture.settings;
  return usual;
}

std::string name_of(const BenchCase& c) {
  const Settings& usual = c.architecture.settings;
  std::string model = c.architecture.name;
  if (c.settings.width != usual.width) model += fmt::format(":width={}", c.settings.width);
  if (c.settings.classes != usual.classes) model += fmt::format(":classes={}", c.settings.classes);
  if (c.settings.auxiliary && !usual.auxiliary) model += ":auxiliary";
  const ImageShape& image = c.settings.image;
  return fmt::format("{}/{}x{}x{}/{}/t{}/b{}/{}/{}/{}/{}/{}", model, image.channels, image.height,
                     image.width, c.device, c.threads, c.batch, c.precision, c.layout, c.engine,
                     c.mode, c.scenario);
}

std::string refusal_of(const BenchCase& c) {
  const bool cpu = c.device == "cpu";
  if (c.scenario == "latency" && c.batch != 1) {
    return "latency is of one image after another; a batch of " + std::to_string(c.batch) +
           " is throughput";
  }
  if (cpu && (c.precision == "float16" || c.precision == "tf32")) {
    return c.precision + " is for GPUs";
  }
  if (!script_file(c.architecture).empty() && c.mode == "train") {
    return "a TorchScript file is timed in inference only: it does not say how it is trained";
  }
  if (c.engine == "frozen" && c.mode == "train") return "a frozen network does not train";
  if (c.engine == "frozen" && !cpu) return "the frozen engine is for CPUs";
  if (c.engine == "frozen" && c.precision != "float32") {
    return "the frozen engine computes in float32 only on a CPU";
  }
  return "";
}

}  // namespace convscope

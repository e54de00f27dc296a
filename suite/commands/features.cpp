// convscope features: what a layer of a network computes on images, for use elsewhere.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/progress.h"
#include "suite/inference/classifier.h"
#include "suite/report/table.h"
#include "suite/weights/preprocessing_record.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

/// One tensor that the file will hold.
template <class Value>
StoredTensor stored(const std::string& name, ScalarType type, std::vector<int64_t> shape,
                    const std::vector<Value>& values) {
  std::vector<int64_t> strides = contiguous_strides(shape);
  return {name, type, std::move(shape), std::move(strides),
          reinterpret_cast<const std::byte*>(values.data())};
}

/// Before the work, not after it.
void check_writable(const fs::path& out) {
  const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
  if (fs::is_directory(out))
    throw UsageError("cannot write '" + out.string() + "': it is a folder");
  if (access(folder.c_str(), W_OK) != 0) {
    throw UsageError("cannot write '" + out.string() + "': " + std::strerror(errno));
  }
}

/// All of them are in memory until the file is written.
void check_memory(const std::string& layer, size_t values_of_image, size_t images) {
  const double wanted = static_cast<double>(values_of_image) * static_cast<double>(images) * 4;
  const double there =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (wanted < 0.8 * there) return;
  throw UsageError("the features at '" + layer + "' take " +
                   human_text(Cell(static_cast<int64_t>(wanted)), Human::bytes) +
                   ", and the machine has " +
                   human_text(Cell(static_cast<int64_t>(there)), Human::bytes) +
                   ": choose a later layer or fewer images");
}

int run(const Invocation& invocation) {
  const std::string& layer = invocation.text("at");
  const std::string& out = invocation.text("out");
  const WeightedNetwork network = weighted_network(invocation, Needed::layers);
  const Speed chosen = speed(invocation, network);
  Classifier classifier(network.architecture, network.fit, network.file, chosen.threads);
  if (invocation.flag("layers")) {
    for (const std::string& name : classifier.layers()) invocation.out << name << "\n";
    return done;
  }
  if (layer.empty()) throw UsageError("features: name a layer with --at; --layers lists them");
  if (fs::path(out).extension() != ".safetensors") {
    throw UsageError("features: name the file to write with --out FILE.safetensors");
  }
  const auto dataset = open_data(invocation, network, /*same_classes=*/false);
  Loader loader(*dataset, loader_options(invocation, network, chosen));

  check_writable(out);
  std::vector<float> features;
  std::vector<int64_t> shape, labels, indices;
  Progress progress(invocation.err, network.architecture.name,
                    static_cast<int64_t>(dataset->size()), "images");
  for (Batch batch; loader.next(batch);) {
    const Activations result = classifier.activations(batch.values, batch.size, layer);
    if (shape.empty()) {
      const size_t of_image = result.values.size() / static_cast<size_t>(batch.size);
      check_memory(layer, of_image, dataset->size());
      features.reserve(of_image * dataset->size());
    }
    shape = result.shape;
    features.insert(features.end(), result.values.begin(), result.values.end());
    labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    for (const size_t index : batch.indices) indices.push_back(static_cast<int64_t>(index));
    progress.update(static_cast<int64_t>(labels.size()));
  }
  progress.finish();
  report_images(invocation, network, *dataset, loader);
  if (labels.empty()) throw UsageError(invocation.text("data") + ": no image could be read");

  const auto count = static_cast<int64_t>(labels.size());
  shape[0] = count;
  write_safetensors(out,
                    {stored("features", ScalarType::float32, shape, features),
                     stored("labels", ScalarType::int64, {count}, labels),
                     stored("indices", ScalarType::int64, {count}, indices)},
                    {{"model", network.architecture.name},
                     {"layer", layer},
                     {"weights", network.file.path.filename().string()},
                     {"data", invocation.text("data")},
                     {"preprocessing", preprocessing_record(network.preprocessing)}});
  invocation.err << out << ": " << count << " images, " << features.size() / labels.size()
                 << " values each\n";
  return done;
}

}  // namespace

Command features_command() {
  Command command{"features",
                  "what a layer computes on images, as a file",
                  "convscope features resnet18 --weights resnet18.pth --data photos --at avgpool "
                  "--out features.safetensors",
                  {},
                  {"model"},
                  run};
  add_weights_options(command.options);
  add_data_options(command.options);
  add_speed_options(command.options);
  command.options.add_options()  //
      ("at", text_value(), "LAYER: as 'cost --layers' names it, or what it is in: layer1.0")(
          "layers", po::bool_switch(), "list the layers and stop")(
          "out", text_value(),
          "FILE.safetensors: features (images first), labels, and indices in the data");
  return command;
}

}  // namespace convscope

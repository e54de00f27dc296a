// convscope features: what a layer of a network computes on images, for use elsewhere.
#include <ostream>

#include "suite/commands/command.h"
#include "suite/commands/inference_options.h"
#include "suite/commands/progress.h"
#include "suite/inference/classifier.h"
#include "suite/weights/preprocessing_record.h"

namespace convscope {
namespace {

/// One tensor that the file will hold.
template <class Value>
StoredTensor stored(const std::string& name, ScalarType type, std::vector<int64_t> shape,
                    const std::vector<Value>& values) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return {name, type, std::move(shape), std::move(strides),
          reinterpret_cast<const std::byte*>(values.data())};
}

int run(const Invocation& invocation) {
  const std::string& layer = invocation.text("at");
  const std::string& out = invocation.text("out");
  const WeightedNetwork network = weighted_network(invocation);
  const Speed chosen = speed(invocation, network);
  Classifier classifier(network.architecture, network.fit, network.file, chosen.threads,
                        /*head_needed=*/false);
  if (invocation.flag("layers")) {
    for (const std::string& name : classifier.layers()) invocation.out << name << "\n";
    return done;
  }
  if (layer.empty()) throw UsageError("features: name a layer with --at; --layers lists them");
  if (out.empty()) throw UsageError("features: name the file to write with --out FILE.safetensors");
  const auto dataset = open_data(invocation, network, /*same_classes=*/false);
  Loader loader(*dataset, loader_options(invocation, network));

  std::vector<float> features;
  std::vector<int64_t> shape, labels, indices;
  Progress progress(invocation.err, network.architecture.name,
                    static_cast<int64_t>(dataset->size()), "images");
  for (Batch batch; loader.next(batch);) {
    const Activations result = classifier.activations(batch.values, batch.size, layer);
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

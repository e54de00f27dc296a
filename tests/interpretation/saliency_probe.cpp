// Prints what saliency maps and unit gradients of a network with a file's weights are, for a script
// that finds the same in another way: saliency_probe MODEL WEIGHTS VALUES CLASS LAYER OUT
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "architectures/catalogue.h"
#include "suite/analysis/effective_field.h"
#include "suite/inference/loaded_network.h"
#include "suite/interpretation/saliency.h"
#include "suite/interpretation/unit_gradients.h"
#include "suite/weights/weights_file.h"

namespace {

template <class Value>
void append(std::ofstream& out, const std::vector<Value>& values) {
  for (const Value value : values) {
    const auto number = static_cast<double>(value);
    out.write(reinterpret_cast<const char*>(&number), sizeof number);
  }
}

}  // namespace

int main(int count, char** words) {
  using namespace convscope;
  if (count != 7) return 2;
  const Architecture& architecture = find_architecture(words[1]);
  const WeightsFile file = read_weights(words[2]);
  const Fit fitted = fit(architecture, architecture.settings, file, false);
  const LoadedNetwork network = loaded_network(architecture, fitted, file);
  const ImageShape& shape = network.settings.image;
  std::vector<float> image(static_cast<size_t>(shape.channels * shape.height * shape.width));
  std::ifstream(words[3], std::ios::binary)
      .read(reinterpret_cast<char*>(image.data()),
            static_cast<std::streamsize>(image.size() * sizeof(float)));
  const int64_t class_index = std::atoll(words[4]);
  std::ofstream out(words[6], std::ios::binary);
  SaliencySettings settings;
  settings.map_call = last_map_call(network.graph);
  settings.largest_gap = 0.002;
  for (const char* method : {"gradient", "guided", "integrated", "grad-cam", "occlusion"}) {
    append(out, saliency(network, method, image, class_index, settings).values);
  }
  const auto map = saliency(network, "grad-cam", image, class_index, settings).values;
  append(out, deletion_curve(network, image, map, class_index, 4));
  const MapLayer layer = map_layer(network.graph, words[5]);
  append(out, unit_gradients(network, {layer}, image, 1, 1, 0)[0]);
}

#include "suite/inference/network_tensors.h"

#include <stdexcept>

#include "architectures/nearest.h"
#include "architectures/network.h"
#include "suite/analysis/trace.h"
#include "suite/inference/state_dict.h"

namespace convscope {
namespace {

std::vector<StateTensor> without_memory(const Architecture& architecture,
                                        const Settings& settings) {
  const WithoutMemory on;
  return state_dict(*architecture.build(settings));
}

}  // namespace

std::vector<NetworkTensor> network_tensors(const Architecture& architecture,
                                           const Settings& settings) {
  Settings one_more = settings;
  ++one_more.classes;
  std::vector<StateTensor> other;
  try {
    other = without_memory(architecture, one_more);
  } catch (const std::invalid_argument&) {
    // A network whose number of classes is fixed has no head that could be exchanged.
  }
  std::vector<NetworkTensor> tensors;
  for (const StateTensor& own : without_memory(architecture, settings)) {
    NetworkTensor tensor{own.name, own.tensor.sizes().vec(), !own.tensor.is_floating_point(), -1};
    const auto shape = other.empty() ? tensor.shape : other.at(tensors.size()).tensor.sizes().vec();
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] != tensor.shape[axis]) tensor.class_axis = static_cast<int>(axis);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

Fit fit(const Architecture& architecture, Settings settings, const WeightsFile& file,
        bool keep_classes) {
  std::vector<NetworkTensor> tensors = network_tensors(architecture, settings);
  Match found = match(tensors, file.tensors);
  const auto classes = classes_in_file(tensors, file.tensors, found);
  if (classes && !keep_classes) {
    settings.classes = *classes;
    tensors = network_tensors(architecture, settings);
    found = match(tensors, file.tensors);
  }
  return {settings, std::move(tensors), std::move(found)};
}

void require_fit(const Architecture& architecture, const Fit& fit, const WeightsFile& file,
                 bool head_needed) {
  const std::string& network = architecture.name;
  std::vector<std::string> missing, misshapen;
  for (const size_t i : fit.match.missing) {
    if (head_needed || fit.tensors[i].class_axis < 0) missing.push_back(fit.tensors[i].name);
  }
  for (const Match::Pair& pair : fit.match.misshapen) {
    const NetworkTensor& tensor = fit.tensors[pair.network];
    if (head_needed || tensor.class_axis < 0) misshapen.push_back(tensor.name);
  }
  if (missing.empty() && misshapen.empty()) return;
  throw std::invalid_argument(
      file.path.string() + ": these are not the weights of " + network + ": " +
      (missing.empty() ? some_of(misshapen) +
                             (misshapen.size() == 1 ? " has another shape" : " have other shapes")
                       : "it lacks " + some_of(missing)) +
      " ('convscope weights inspect FILE --against " + network + "' shows all)");
}

}  // namespace convscope

// convscope filters: a convolution's kernels as a sheet.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "architectures/nearest.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"
#include "suite/commands/picture_output.h"
#include "suite/commands/subject.h"
#include "suite/pictures/kernels.h"
#include "suite/records/figures.h"
#include "suite/report/text.h"

namespace convscope {
namespace {

/// The weights of the network's convolutions, in their order.
std::vector<const NetworkTensor*> convolutions(const std::vector<NetworkTensor>& tensors) {
  std::vector<const NetworkTensor*> found;
  for (const NetworkTensor& tensor : tensors) {
    if (tensor.shape.size() == 4 && !tensor.counter) found.push_back(&tensor);
  }
  return found;
}

/// "features.0.0" of "features.0.0.weight".
std::string layer_of(const NetworkTensor& tensor) {
  return tensor.name.substr(0, tensor.name.rfind('.'));
}

const NetworkTensor& chosen(const LoadedNetwork& network, const std::vector<NetworkTensor>& tensors,
                            const std::string& layer) {
  const auto all = convolutions(tensors);
  if (all.empty())
    throw UsageError(network.architecture.name + " has no convolution over height and width");
  if (layer.empty()) return *all[0];
  std::vector<std::string> names;
  for (const NetworkTensor* tensor : all) {
    if (layer_of(*tensor) == layer) return *tensor;
    names.push_back(layer_of(*tensor));
  }
  throw UsageError("--at: " + network.architecture.name + " has no convolution '" + layer + "'" +
                   did_you_mean(layer, names) + "; there are " + joined(names));
}

std::string key_of(const KernelBank& bank) {
  if (bank.in == 3) return "In colour: grey is a weight of 0; each by its own largest weight.";
  if (bank.in == 1) return "Blue is above 0, red below; each by its own largest weight.";
  return "The darker, the larger the norm over the input channels at that place.";
}

Figure sheet_of(const Subject& seen, const KernelBank& bank, int64_t most) {
  std::vector<int64_t> kernels = strongest(bank);
  const auto all = kernels.size();
  kernels.resize(std::min(all, static_cast<size_t>(most)));
  const std::string of = bank.layer + " of " + seen.name();
  Sheet sheet;
  sheet.key = key_of(bank);
  if (bank.height == 1 && bank.width == 1 && bank.in > 3) {
    sheet.tiles.push_back(tile("", matrix_picture(bank, kernels)));
    sheet.columns = 1;
    sheet.key = "A row for each kernel, a column for each channel; blue is above 0, red below.";
  } else {
    const double largest = largest_norm(bank);
    for (const int64_t kernel : kernels) {
      sheet.tiles.push_back(
          tile(std::to_string(kernel),
               kernel_picture(bank, kernel, largest, seen.weighted.preprocessing.bgr)));
    }
  }
  const std::string count = kernels.size() < all
                                ? fmt::format("{} of the {} kernels", kernels.size(), all)
                                : fmt::format("The {} kernels", all);
  return {file_name("filters_" + seen.name() + "_" + bank.layer + seen.name_end()),
          fmt::format("{} of {}{}", count, of, seen.title_end()), sheet,
          fmt::format("Kernels of {} x {}, those with the largest norm first, with their numbers.",
                      bank.height, bank.width)};
}

int run(const Invocation& invocation) {
  const std::string started = utc_now();
  const int64_t most = positive_integer(invocation, "most");
  if (most > 1024) throw UsageError("--most: expected from 1 to 1024");
  const Subject seen = subject(invocation, Needed::layers);
  const auto tensors = network_tensors(seen.network.architecture, seen.network.settings);
  const NetworkTensor& tensor = chosen(seen.network, tensors, invocation.text("at"));
  check_picture_options(invocation);
  const KernelBank bank{layer_of(tensor), tensor.shape[0],
                        tensor.shape[1],  tensor.shape[2],
                        tensor.shape[3],  tensor_values(seen.network, tensor.name)};
  draw_pictures(invocation, {sheet_of(seen, bank, most)});
  record_run(results_folder(invocation), invocation, started,
             seen.network.architecture.name + " " + bank.layer, facts_of(seen));
  return done;
}

}  // namespace

Command filters_command() {
  Command command{"filters",
                  "a convolution's kernels as a sheet of pictures",
                  "convscope filters mobilenet_v2 --weights mobilenet_v2.pth",
                  {},
                  {"model"},
                  run};
  add_subject_options(command.options);
  command.options.add_options()  //
      ("at", text_value(), "LAYER: which convolution (default: the first)")(
          "most", text_value("128"), "so many kernels, those with the largest norm");
  add_picture_options(command.options);
  return command;
}

}  // namespace convscope

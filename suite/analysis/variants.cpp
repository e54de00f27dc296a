#include "suite/analysis/variants.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "architectures/network.h"
#include "suite/analysis/network_trace.h"

namespace convscope {
namespace {

using namespace torch::nn;

Conv2d same_size(int64_t in, int64_t out, int64_t kernel, int64_t groups = 1,
                 int64_t dilation = 1) {
  return Conv2d(Conv2dOptions(in, out, kernel)
                    .padding(dilation * (kernel - 1) / 2)
                    .groups(groups)
                    .dilation(dilation)
                    .bias(false));
}

struct LayersInTurn : Network {
  explicit LayersInTurn(const Sequential& in_turn) : layers(register_module("layers", in_turn)) {}
  torch::Tensor forward(torch::Tensor maps) override { return layers->forward(maps); }

  Sequential layers;
};

}  // namespace

std::vector<Architecture> layer_variants(int64_t channels, int64_t kernel, int64_t size) {
  if (channels < 1 || size < 1) {
    throw std::invalid_argument("channels and size must be at least 1");
  }
  if (kernel < 1 || kernel % 2 == 0) {
    throw std::invalid_argument("kernel " + std::to_string(kernel) +
                                " is even: only an odd one can keep the size");
  }
  if (kernel > 1001 || channels > 100'000) {
    throw std::invalid_argument("kernel may be up to 1001, channels up to 100000");
  }
  constexpr int64_t most = 2'000'000'000;  // whose square, in the fully connected layer, fits
  if (channels > most / size / size) {
    throw std::invalid_argument("channels x size x size is more than " + std::to_string(most));
  }
  const std::string k = std::to_string(kernel) + "x" + std::to_string(kernel);
  const int64_t wide = 2 * kernel - 1;
  const std::string w = std::to_string(wide) + "x" + std::to_string(wide);
  const int64_t groups = std::gcd(channels, int64_t{4});
  const int64_t narrow = std::max<int64_t>(channels / 4, 1);

  const Settings settings = {{channels, size, size}, channels, 0};
  std::vector<Architecture> variants;
  // The layers are made anew for each network that is built.
  const auto add = [&](const std::string& name, const std::function<Sequential()>& layers) {
    variants.push_back({name, 0, "", "", settings, [layers](const Settings&) {
                          return std::make_shared<LayersInTurn>(layers());
                        }});
  };
  const auto standard = [=] { return same_size(channels, channels, kernel); };
  const auto pointwise = [=] { return same_size(channels, channels, 1); };
  add("standard " + k, [=] { return Sequential(standard()); });
  add("grouped " + k + ", " + std::to_string(groups) + " groups",
      [=] { return Sequential(same_size(channels, channels, kernel, groups)); });
  add("depthwise separable " + k,
      [=] { return Sequential(same_size(channels, channels, kernel, channels), pointwise()); });
  add("1x1", [=] { return Sequential(pointwise()); });
  add("bottleneck 1x1, " + k + ", 1x1", [=] {
    return Sequential(same_size(channels, narrow, 1), same_size(narrow, narrow, kernel),
                      same_size(narrow, channels, 1));
  });
  add("dilated " + k + ", dilation 2",
      [=] { return Sequential(same_size(channels, channels, kernel, 1, 2)); });
  add("two stacked " + k, [=] { return Sequential(standard(), standard()); });
  add("one " + w, [=] { return Sequential(same_size(channels, channels, wide)); });
  add("fully connected", [=] {
    const int64_t elements = channels * size * size;
    return Sequential(Flatten(), Linear(LinearOptions(elements, elements).bias(false)));
  });
  return variants;
}

Cost variant_cost(const Architecture& variant) {
  Cost result = cost(trace_network(variant, variant.settings));
  const ImageShape& map = variant.settings.image;
  if (result.linear_layers > 0) {
    result.field = {{map.height, 1, 0}, {map.width, 1, 0}};  // it sees the whole map
  }
  return result;
}

}  // namespace convscope

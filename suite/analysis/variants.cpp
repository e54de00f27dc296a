#include "suite/analysis/variants.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "suite/analysis/trace.h"

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

}  // namespace

std::vector<Variant> layer_variants(int64_t channels, int64_t kernel, int64_t size) {
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

  const WithoutMemory on;
  std::vector<std::pair<std::string, Sequential>> ways = {
      {"standard " + k, Sequential(same_size(channels, channels, kernel))},
      {"grouped " + k + ", " + std::to_string(groups) + " groups",
       Sequential(same_size(channels, channels, kernel, groups))},
      {"depthwise separable " + k, Sequential(same_size(channels, channels, kernel, channels),
                                              same_size(channels, channels, 1))},
      {"1x1", Sequential(same_size(channels, channels, 1))},
      {"bottleneck 1x1, " + k + ", 1x1",
       Sequential(same_size(channels, narrow, 1), same_size(narrow, narrow, kernel),
                  same_size(narrow, channels, 1))},
      {"dilated " + k + ", dilation 2", Sequential(same_size(channels, channels, kernel, 1, 2))},
      {"two stacked " + k,
       Sequential(same_size(channels, channels, kernel), same_size(channels, channels, kernel))},
      {"one " + w, Sequential(same_size(channels, channels, wide))},
      {"fully connected",
       Sequential(
           Flatten(),
           Linear(LinearOptions(channels * size * size, channels * size * size).bias(false)))},
  };
  std::vector<Variant> variants;
  for (auto& [name, layers] : ways) {
    Cost result = cost(trace(*layers, {channels, size, size}));
    if (result.linear_layers > 0) result.field.assign(2, {size, 1, 0});  // it sees the whole map
    variants.push_back({name, std::move(result)});
  }
  return variants;
}

}  // namespace convscope

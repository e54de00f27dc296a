// EfficientNetV2: the lower stages, where a depthwise convolution has few channels and many pixels
// and uses a processor badly, have ordinary ones instead; found by a search that weighs the speed
// of training. Tan, Le, "EfficientNetV2: smaller models and faster training", 2021.
#include "architectures/efficientnet.h"
#include "architectures/families.h"

namespace convscope {
namespace {

using namespace torch::nn;

/// The paper's Fig. 2: the first two convolutions of an MBConv as one, without
/// squeeze-and-excitation as in all rows of Table 4.
void fused_mbconv(Sequential& path, const EfficientNetPath& shape) {
  const int64_t wide = shape.in * shape.expansion;
  const bool expands = wide != shape.in;
  path->push_back(shape.convolution(
      Conv2dOptions(shape.in, expands ? wide : shape.out, shape.kernel).stride(shape.stride)));
  if (expands) path->push_back(shape.projection());
}

EfficientNetForm v2_form(int64_t first, std::vector<EfficientNetRow> rows, double dropout) {
  return {first, std::move(rows), 1280, dropout, 1e-3, 0.1};
}

}  // namespace

std::vector<Architecture> families::efficientnet_v2() {
  const std::string paper = "Tan and Le 2021";
  const auto at = [](int64_t side) { return Settings{{3, side, side}, 1000, 0}; };
  // Table 4 is S; M and L are from the authors' program.
  const EfficientNetForm s = v2_form(24,
                                     {{fused_mbconv, 1, 3, 1, 24, 2},
                                      {fused_mbconv, 4, 3, 2, 48, 4},
                                      {fused_mbconv, 4, 3, 2, 64, 4},
                                      {mbconv, 4, 3, 2, 128, 6},
                                      {mbconv, 6, 3, 1, 160, 9},
                                      {mbconv, 6, 3, 2, 256, 15}},
                                     0.2);
  const EfficientNetForm m = v2_form(24,
                                     {{fused_mbconv, 1, 3, 1, 24, 3},
                                      {fused_mbconv, 4, 3, 2, 48, 5},
                                      {fused_mbconv, 4, 3, 2, 80, 5},
                                      {mbconv, 4, 3, 2, 160, 7},
                                      {mbconv, 6, 3, 1, 176, 14},
                                      {mbconv, 6, 3, 2, 304, 18},
                                      {mbconv, 6, 3, 1, 512, 5}},
                                     0.3);
  const EfficientNetForm l = v2_form(32,
                                     {{fused_mbconv, 1, 3, 1, 32, 4},
                                      {fused_mbconv, 4, 3, 2, 64, 7},
                                      {fused_mbconv, 4, 3, 2, 96, 7},
                                      {mbconv, 4, 3, 2, 192, 10},
                                      {mbconv, 6, 3, 1, 224, 19},
                                      {mbconv, 6, 3, 2, 384, 25},
                                      {mbconv, 6, 3, 1, 640, 7}},
                                     0.4);
  // torchvision evaluates at these sizes; training uses smaller ones.
  return {
      {"efficientnet_v2_s", 2021, paper, "torchvision", at(384), build<EfficientNet>(s)},
      {"efficientnet_v2_m", 2021, paper, "torchvision", at(480), build<EfficientNet>(m)},
      {"efficientnet_v2_l", 2021, paper, "torchvision", at(480), build<EfficientNet>(l)},
  };
}

}  // namespace convscope

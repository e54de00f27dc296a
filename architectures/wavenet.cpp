// WaveNet: what a sound does next, from what it did up to now: convolutions in one dimension whose
// dilation doubles from layer to layer, and that never look ahead.
// Van den Oord et al., "WaveNet: a generative model for raw audio", 2016.
#include <stdexcept>

#include "architectures/families.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

// The paper tells no numbers of channels: these, a first convolution of one sample and biases are
// those of github.com/vincentherrmann/pytorch-wavenet, WaveNet_demo.ipynb.
constexpr int64_t residual_channels = 32, gated_channels = 32, skip_channels = 1024,
                  end_channels = 512;
constexpr int64_t stacks = 3, layers_of_stack = 10;

Conv1d pointwise(int64_t in, int64_t out) { return Conv1d(in, out, 1); }

/// A gated convolution of a sample and the one `dilation` before it. The last layer hands nothing
/// on: it has no residual convolution, whose result nobody would read.
struct GatedLayer : Module {
  int64_t dilation;
  Conv1d filter, gate, residual{nullptr}, skip;

  GatedLayer(int64_t reach, bool last)
      : dilation(reach),
        filter(register_module("filter", dilated())),
        gate(register_module("gate", dilated())),
        skip(register_module("skip", pointwise(gated_channels, skip_channels))) {
    if (!last) residual = register_module("residual", pointwise(gated_channels, residual_channels));
  }

  Conv1d dilated() const {
    return Conv1d(Conv1dOptions(residual_channels, gated_channels, 2).dilation(dilation));
  }

  /// Changes x to what the next layer sees; returns what the end sees.
  torch::Tensor forward(torch::Tensor& x) {
    const torch::Tensor past = torch::constant_pad_nd(x, {dilation, 0});
    torch::Tensor y = torch::tanh(filter(past));
    y = y * torch::sigmoid(gate(past));
    if (!residual.is_empty()) x = residual(y) + x;
    return skip(y);
  }
};

/// A signal is an image that is one pixel high; its channels are the levels of the quantised
/// samples, one of which is 1.
struct WaveNet : StagedNetwork {
  Conv1d start;
  std::vector<std::shared_ptr<GatedLayer>> gated;
  Conv1d end1, end2;

  explicit WaveNet(const Settings& to)
      : start(register_module("start", pointwise(to.image.channels, residual_channels))),
        gated(register_layers()),
        end1(register_module("end1", pointwise(skip_channels, end_channels))),
        end2(register_module("end2", pointwise(end_channels, to.classes))) {
    if (to.image.height == 1) return;
    throw std::invalid_argument(c10::str("wavenet takes signals, images one pixel high such as ",
                                         "1x4096, not ", to.image.height, "x", to.image.width));
  }

  std::vector<Stage> stages() override {
    return {
        {"start", [this](torch::Tensor x) { return start(x.squeeze(2)); }},
        {"layers", [this](torch::Tensor x) { return skipped(std::move(x)); }},
        {"head", [this](torch::Tensor x) { return end2(end1(x.relu_()).relu_()).unsqueeze(2); }}};
  }

  torch::Tensor skipped(torch::Tensor x) {
    torch::Tensor sum;
    for (const auto& layer : gated) {
      const torch::Tensor skip = layer->forward(x);
      sum = sum.defined() ? sum += skip : skip;
    }
    return sum;
  }

  std::vector<std::shared_ptr<GatedLayer>> register_layers() {
    const auto list = register_module("layers", ModuleList());
    std::vector<std::shared_ptr<GatedLayer>> all;
    for (int64_t i = 0; i < stacks * layers_of_stack; ++i) {
      const bool last = i + 1 == stacks * layers_of_stack;
      all.push_back(std::make_shared<GatedLayer>(int64_t{1} << i % layers_of_stack, last));
      list->push_back(all.back());
    }
    return all;
  }
};

}  // namespace

std::vector<Architecture> families::wavenet() {
  return {
      {"wavenet",
       2016,
       "van den Oord et al. 2016",
       "30 layers, dilations 1 to 512 three times; 256 levels",
       {{256, 1, 4096}, 256, 0},
       build<WaveNet>(),
       /*stated=*/{},
       /*dense=*/true},
  };
}

}  // namespace convscope

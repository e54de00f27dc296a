// The network of PyTorch's tutorial on adversarial examples (Inkawhich, 2018), for the digits of
// MNIST: what a network of one's own looks like, in full.
#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

struct MnistTutorial : StagedNetwork {
  Conv2d conv1, conv2;
  Dropout2d conv2_drop;
  Linear fc1;
  Dropout dropout;
  Linear fc2;

  explicit MnistTutorial(const Settings& to)
      : conv1(register_module("conv1", Conv2d(to.image.channels, 10, 5))),
        conv2(register_module("conv2", Conv2d(10, 20, 5))),
        conv2_drop(register_module("conv2_drop", Dropout2d(0.5))),
        fc1(register_module("fc1", Linear(20 * side(to.image.height) * side(to.image.width), 50))),
        dropout(register_module("dropout", Dropout(0.5))),
        fc2(register_module("fc2", Linear(50, to.classes))) {}

  std::vector<Stage> stages() override {
    return {
        {"conv1", [this](torch::Tensor x) { return torch::relu(torch::max_pool2d(conv1(x), 2)); }},
        {"conv2",
         [this](torch::Tensor x) {
           return torch::relu(torch::max_pool2d(conv2_drop(conv2(x)), 2)).flatten(1);
         }},
        {"fc1", [this](torch::Tensor x) { return torch::relu(fc1(x)); }},
        {"head", [this](torch::Tensor x) { return fc2(dropout(x)); }}};
  }

  static int64_t side(int64_t pixels) { return side_after({{5}, {2, 2}, {5}, {2, 2}}, pixels); }
};

}  // namespace

std::vector<Architecture> families::mnist_tutorial() {
  return {{"mnist_tutorial",
           2018,
           "Inkawhich 2018",
           "PyTorch's FGSM tutorial",
           {{1, 28, 28}, 10, 0},
           build<MnistTutorial>()}};
}

}  // namespace convscope

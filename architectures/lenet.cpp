// LeNet-5: convolution, subsampling, convolution, subsampling, and a classifier, trained end to
// end. LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition",
// 1998.
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "architectures/families.h"
#include "architectures/layers.h"
#include "architectures/network.h"

namespace convscope {
namespace {

using namespace torch::nn;

enum class Pooling { max, average };

/// The form that textbooks and tutorials build: full connections, ReLU, pooling without weights.
struct LeNet5 : StagedNetwork {
  Pooling pooling;
  Conv2d conv1, conv2;
  Linear fc1, fc2, fc3;

  LeNet5(const Settings& to, Pooling kind, int64_t padding)
      : pooling(kind),
        conv1(register_module("conv1",
                              Conv2d(Conv2dOptions(to.image.channels, 6, 5).padding(padding)))),
        conv2(register_module("conv2", Conv2d(6, 16, 5))),
        fc1(register_module(
            "fc1",
            Linear(16 * side(to.image.height, padding) * side(to.image.width, padding), 120))),
        fc2(register_module("fc2", Linear(120, 84))),
        fc3(register_module("fc3", Linear(84, to.classes))) {}

  std::vector<Stage> stages() override {
    return {{"conv1", [this](torch::Tensor x) { return pool(torch::relu(conv1(x))); }},
            {"conv2", [this](torch::Tensor x) { return pool(torch::relu(conv2(x))).flatten(1); }},
            {"fc1", [this](torch::Tensor x) { return torch::relu(fc1(x)); }},
            {"fc2", [this](torch::Tensor x) { return torch::relu(fc2(x)); }},
            {"head", [this](torch::Tensor x) { return fc3(x); }}};
  }

  torch::Tensor pool(const torch::Tensor& x) const {
    return pooling == Pooling::max ? torch::max_pool2d(x, 2) : torch::avg_pool2d(x, 2);
  }

  static int64_t side(int64_t pixels, int64_t padding) {
    return side_after({{5, 1, padding}, {2, 2}, {5, 1}, {2, 2}}, pixels);
  }
};

/// Table I of the paper: which of the six S2 maps each of the sixteen C3 maps sees.
const std::array<std::vector<int64_t>, 16> c3_sees = {{{0, 1, 2},
                                                       {1, 2, 3},
                                                       {2, 3, 4},
                                                       {3, 4, 5},
                                                       {0, 4, 5},
                                                       {0, 1, 5},
                                                       {0, 1, 2, 3},
                                                       {1, 2, 3, 4},
                                                       {2, 3, 4, 5},
                                                       {0, 3, 4, 5},
                                                       {0, 1, 4, 5},
                                                       {0, 1, 2, 5},
                                                       {0, 1, 3, 4},
                                                       {1, 2, 4, 5},
                                                       {0, 2, 3, 5},
                                                       {0, 1, 2, 3, 4, 5}}};

/// Averages 2x2 pixels, then one trainable factor and one trainable offset for each map.
struct Subsampling : Module {
  torch::Tensor coefficient, bias;

  explicit Subsampling(int64_t channels)
      : coefficient(register_parameter("coefficient", torch::ones({channels, 1, 1}))),
        bias(register_parameter("bias", torch::zeros({channels, 1, 1}))) {}

  torch::Tensor forward(const torch::Tensor& x) {
    return torch::avg_pool2d(x, 2) * coefficient + bias;
  }
};

/// C3: sixteen convolutions, each over the maps that Table I gives it.
struct SparseConvolution : Module {
  ModuleList maps;

  SparseConvolution() : maps(register_module("maps", ModuleList())) {
    for (const auto& sees : c3_sees) {
      maps->push_back(Conv2d(static_cast<int64_t>(sees.size()), 1, 5));
    }
  }

  torch::Tensor forward(const torch::Tensor& x) {
    const std::vector<torch::Tensor> in = x.split(1, 1);
    std::vector<torch::Tensor> out;
    for (size_t map = 0; map < c3_sees.size(); ++map) {
      std::vector<torch::Tensor> seen;
      for (const int64_t channel : c3_sees[map]) seen.push_back(in[channel]);
      out.push_back(maps[map]->as<Conv2d>()->forward(torch::cat(seen, 1)));
    }
    return torch::cat(out, 1);
  }
};

/// The fixed answers of the output layer, drawn after the paper's Fig. 3: ten pictures of 7x12
/// side by side, one digit each. '#' is +1, '.' is -1.
const std::array<const char*, 12> digits = {
    "..###.....#....#####..#####......#.#######..####.#######.#####..#####.",
    ".#...#...##...#.....##.....#....##.#.......#...........##.....##.....#",
    "#.....#.#.#.........#......#...#.#.#......#...........#.#.....##.....#",
    "#.....#...#.........#......#..#..#.#......#...........#.#.....##.....#",
    "#.....#...#........#......#..#...#.######.######.....#...#####.#.....#",
    "#.....#...#.......#....###..#....#.......##.....#....#..#.....#.######",
    "#.....#...#......#........#.#######......##.....#...#...#.....#......#",
    "#.....#...#.....#..........#.....#.......##.....#...#...#.....#......#",
    "#.....#...#....#...........#.....#.......##.....#..#....#.....#......#",
    ".#...#....#...#......#.....#.....#.#.....##.....#..#....#.....#.....#.",
    "..###...#####.#######.#####......#..#####..#####...#.....#####..####..",
    "......................................................................"};

torch::Tensor digit_pictures() {
  torch::Tensor pictures = torch::empty({10, 7 * 12});
  auto pixels = pictures.accessor<float, 2>();
  for (int digit = 0; digit < 10; ++digit) {
    for (int row = 0; row < 12; ++row) {
      for (int column = 0; column < 7; ++column) {
        pixels[digit][row * 7 + column] = digits[row][digit * 7 + column] == '#' ? 1 : -1;
      }
    }
  }
  return pictures;
}

/// 1998's own. Its output is the squared distance to a fixed picture of each digit, so that the
/// smallest answer wins; it is negated here, so that the largest does as everywhere else.
struct LeNet5Of1998 : StagedNetwork {
  Conv2d c1;
  std::shared_ptr<Subsampling> s2;
  std::shared_ptr<SparseConvolution> c3;
  std::shared_ptr<Subsampling> s4;
  Conv2d c5;
  Linear f6;
  torch::Tensor pictures;

  explicit LeNet5Of1998(const Settings& to)
      : c1(register_module("c1", Conv2d(to.image.channels, 6, 5))),
        s2(register_module("s2", std::make_shared<Subsampling>(6))),
        c3(register_module("c3", std::make_shared<SparseConvolution>())),
        s4(register_module("s4", std::make_shared<Subsampling>(16))),
        c5(register_module("c5", Conv2d(16, 120, 5))),
        f6(register_module("f6", Linear(120, 7 * 12))),
        pictures(register_buffer("pictures", torch::empty({10, 7 * 12}))) {
    if (to.image.height != 32 || to.image.width != 32) {
      throw std::invalid_argument("lenet5_1998 takes 32x32 images only: its C5 maps are 1x1");
    }
    if (to.classes != 10) {
      throw std::invalid_argument("lenet5_1998 has 10 classes only: its answers are ten digits");
    }
    if (pictures.device().is_cpu()) pictures.copy_(digit_pictures());
  }

  std::vector<Stage> stages() override {
    return {
        {"c1", [this](torch::Tensor x) { return squash(s2->forward(squash(c1(x)))); }},
        {"c3", [this](torch::Tensor x) { return squash(s4->forward(squash(c3->forward(x)))); }},
        {"c5", [this](torch::Tensor x) { return squash(c5(x)).flatten(1); }},
        {"f6", [this](torch::Tensor x) { return squash(f6(x)); }},
        {"head", [this](torch::Tensor x) { return -(x.unsqueeze(1) - pictures).pow(2).sum(2); }}};
  }

  static torch::Tensor squash(const torch::Tensor& x) {
    return torch::tanh(x * (2.0 / 3)) * 1.7159;
  }
};

}  // namespace

std::vector<Architecture> families::lenet() {
  const std::string paper = "LeCun et al. 1998";
  const Settings colour = {{3, 32, 32}, 10, 0}, grey = {{1, 32, 32}, 10, 0};
  return {
      {"lenet5_1998",
       1998,
       paper,
       "paper: sparse C3, trainable subsampling, RBF output",
       grey,
       build<LeNet5Of1998>(),
       {"MNIST", 99.05, "LeCun et al. 1998, section III.B"}},
      {"lenet5", 1998, paper, "ReLU, max pooling", colour, build<LeNet5>(Pooling::max, 0)},
      {"lenet5_avgpool", 1998, paper, "ReLU, average pooling", grey,
       build<LeNet5>(Pooling::average, 0)},
      {"lenet5_mnist",
       1998,
       paper,
       "ReLU, average pooling, 28x28 padded by 2",
       {{1, 28, 28}, 10, 0},
       build<LeNet5>(Pooling::average, 2)},
  };
}

}  // namespace convscope

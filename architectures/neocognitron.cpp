// The neocognitron: planes of cells that look for one feature everywhere (S), each followed by
// cells that do not mind where exactly it was (C). The first convolutional network; it was not
// trained by gradients but organised itself.
// Fukushima, "Neocognitron: a self-organizing neural network model for a mechanism of pattern
// recognition unaffected by shift in position", Biological Cybernetics 36, 1980.
#include <algorithm>

#include "architectures/families.h"
#include "architectures/network.h"

namespace convscope {
namespace {

constexpr int64_t planes = 24, window = 5;

/// A weight for each cell of a window, less with the distance from its middle. The paper asks no
/// more of its fixed synapses c and d; powers of a base are Fukushima's form of 1988.
torch::Tensor decreasing(double base, int64_t height, int64_t width) {
  const auto squares = [](int64_t side) {
    return (torch::arange(side, torch::kFloat) - static_cast<double>(side - 1) / 2).square();
  };
  return torch::pow(base, (squares(height).unsqueeze(1) + squares(width)).sqrt());
}

/// Each plane finds one feature: what excites a cell, by `a`, is weighed against how much there is
/// to see in all, by `b`. The larger `selectivity` (the paper's r), the better the feature must
/// fit.
struct SCells : torch::nn::Module {
  int64_t padding;
  double selectivity;
  torch::Tensor a, b;  ///< learned, never negative; b begins at 0
  torch::Tensor c;     ///< fixed; sums to 1 over all its cells

  SCells(int64_t in, int64_t out, int64_t border, double r)
      : padding(border),
        selectivity(r),
        a(register_parameter("a", torch::empty({out, in, window, window}).uniform_(0, 0.01))),
        b(register_parameter("b", torch::zeros({out, 1, 1}))),
        c(register_buffer("c", decreasing(0.9, window, window).repeat({1, in, 1, 1}))) {
    c /= c.sum();
  }

  torch::Tensor forward(const torch::Tensor& u) {
    const torch::Tensor e = torch::conv2d(u, a, {}, 1, padding);
    // The square root has no slope at 0: where there is nothing to see, none is wanted.
    const torch::Tensor v = torch::conv2d(u.square(), c, {}, 1, padding).clamp_min(1e-12).sqrt();
    const torch::Tensor h = v * b * (2 * selectivity / (1 + selectivity));
    // (1 + e) / (1 + h) - 1, without the ones that would swallow small numbers.
    return selectivity * ((e - h) / (1 + h)).relu_();
  }
};

/// Each plane sees one plane of S-cells, several of them at once, and is inhibited by the mean of
/// all planes (the paper's lateral inhibition).
struct CCells : torch::nn::Module {
  static constexpr double saturation = 0.5;  ///< the paper's alpha
  int64_t stride;
  std::vector<int64_t> padding;  ///< left, right, top, bottom
  torch::Tensor d;               ///< fixed

  CCells(int64_t count, int64_t height, int64_t width, int64_t step = 1,
         std::vector<int64_t> border = {})
      : stride(step),
        padding(std::move(border)),
        d(register_buffer("d", decreasing(0.7, height, width).repeat({count, 1, 1, 1}))) {}

  torch::Tensor forward(const torch::Tensor& u) {
    const torch::Tensor seen = padding.empty() ? u : torch::constant_pad_nd(u, padding);
    const torch::Tensor s = torch::nn::functional::conv2d(
        seen, d, torch::nn::functional::Conv2dFuncOptions().stride(stride).groups(d.size(0)));
    const torch::Tensor v = s.mean(1, /*keepdim=*/true);
    const torch::Tensor x = ((s - v) / (1 + v)).relu_();
    return x / (saturation + x);
  }
};

/// The paper's simulation: 16x16, S1 16x16x24, C1 10x10x24, S2 8x8x24, C2 6x6x24, S3 2x2x24, and 24
/// C3-cells that each see everything. It tells these sizes, windows of 5x5 (of C3, 2x2), and that
/// cells lie less densely the deeper they are, but not where they lie: with a step of 2 at C1,
/// which then reaches 3 and 4 cells beyond the border, all of them fit.
struct Neocognitron : StagedNetwork {
  std::shared_ptr<SCells> s1;
  std::shared_ptr<CCells> c1;
  std::shared_ptr<SCells> s2;
  std::shared_ptr<CCells> c2;
  std::shared_ptr<SCells> s3;
  std::shared_ptr<CCells> c3;

  explicit Neocognitron(const Settings& to)
      : s1(register_module("s1", std::make_shared<SCells>(to.image.channels, planes, 2, 4.0))),
        c1(register_module("c1", std::make_shared<CCells>(planes, window, window, 2,
                                                          std::vector<int64_t>{3, 4, 3, 4}))),
        s2(register_module("s2", std::make_shared<SCells>(planes, planes, 1, 1.5))),
        c2(register_module("c2", std::make_shared<CCells>(planes, window, window, 1,
                                                          std::vector<int64_t>{1, 1, 1, 1}))),
        s3(register_module("s3", std::make_shared<SCells>(planes, to.classes, 0, 1.5))),
        c3(register_module("c3", std::make_shared<CCells>(to.classes, side_of_s3(to.image.height),
                                                          side_of_s3(to.image.width)))) {}

  std::vector<Stage> stages() override {
    return {{"s1c1", [this](torch::Tensor x) { return c1->forward(s1->forward(x)); }},
            {"s2c2", [this](torch::Tensor x) { return c2->forward(s2->forward(x)); }},
            {"head", [this](torch::Tensor x) { return c3->forward(s3->forward(x)).flatten(1); }}};
  }

  /// Half of the image's side and 2 in C1, 2 less in S2 and C2 each, 4 less in S3.
  static int64_t side_of_s3(int64_t pixels) { return std::max<int64_t>(pixels / 2 - 6, 1); }
};

}  // namespace

std::vector<Architecture> families::neocognitron() {
  return {
      {"neocognitron",
       1980,
       "Fukushima 1980",
       "paper: organises itself; forward pass only",
       {{1, 16, 16}, 24, 0},
       build<Neocognitron>(),
       /*stated=*/{},
       /*dense=*/false,
       /*self_organising=*/true},
  };
}

}  // namespace convscope

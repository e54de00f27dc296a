// The neocognitron organises itself by Fukushima's rule, on digits, and then knows each of them
// wherever it stands.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "architectures/catalogue.h"
#include "architectures/network.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"

namespace convscope {
namespace {

/// Drawn on the middle of 16x16; three rows above and four below are empty.
const std::array<std::vector<std::string>, 5> digits = {{{".....XXXXX......",  //
                                                          "....X.....X.....",  //
                                                          "....X.....X.....",  //
                                                          "....X.....X.....",  //
                                                          "....X.....X.....",  //
                                                          "....X.....X.....",  //
                                                          "....X.....X.....",  //
                                                          "....X.....X.....",  //
                                                          ".....XXXXX......"},
                                                         {".......X........",  //
                                                          "......XX........",  //
                                                          ".......X........",  //
                                                          ".......X........",  //
                                                          ".......X........",  //
                                                          ".......X........",  //
                                                          ".......X........",  //
                                                          ".......X........",  //
                                                          ".......X........"},
                                                         {".....XXXXX......",  //
                                                          "....X.....X.....",  //
                                                          "..........X.....",  //
                                                          ".........X......",  //
                                                          "........X.......",  //
                                                          "......XX........",  //
                                                          ".....X..........",  //
                                                          "....X...........",  //
                                                          "....XXXXXXX....."},
                                                         {".....XXXXX......",  //
                                                          "....X.....X.....",  //
                                                          "..........X.....",  //
                                                          "..........X.....",  //
                                                          ".......XXX......",  //
                                                          "..........X.....",  //
                                                          "..........X.....",  //
                                                          "....X.....X.....",  //
                                                          ".....XXXXX......"},
                                                         {"........X.......",  //
                                                          ".......XX.......",  //
                                                          "......X.X.......",  //
                                                          ".....X..X.......",  //
                                                          "....X...X.......",  //
                                                          "....XXXXXXX.....",  //
                                                          "........X.......",  //
                                                          "........X.......",  //
                                                          "........X......."}}};

torch::Tensor picture(const std::vector<std::string>& rows, int64_t down = 0, int64_t right = 0) {
  torch::Tensor image = torch::zeros({1, 1, 16, 16});
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t column = 0; column < rows[row].size(); ++column) {
      if (rows[row][column] != 'X') continue;
      image[0][0][3 + int64_t(row) + down][int64_t(column) + right] = 1;
    }
  }
  return image;
}

/// A module of the network: its selectivity, its padding, how strongly it is reinforced, and the
/// side of the columns in which its S-cells compete, all as the paper says.
struct Module {
  std::string name;
  double r;
  int64_t padding;
  double q;
  int64_t column;
};
const std::vector<Module> modules = {
    {"s1", 4.0, 2, 1, 5}, {"s2", 1.5, 1, 16, 5}, {"s3", 1.5, 0, 16, 2}};

std::shared_ptr<StagedNetwork> build() {
  torch::manual_seed(0);
  const Architecture& of = find_architecture("neocognitron");
  return std::dynamic_pointer_cast<StagedNetwork>(of.build(of.settings));
}

/// The rule of the paper's section 3 for one module and what lies below it.
class SelfOrganisation {
 public:
  SelfOrganisation(StagedNetwork& network, const Module& module)
      : module_(module),
        a_(network.named_parameters()[module.name + ".a"]),
        b_(network.named_parameters()[module.name + ".b"]),
        c_(network.named_buffers()[module.name + ".c"]) {}

  void see(const torch::Tensor& u) {
    const torch::Tensor v = torch::conv2d(u.square(), c_, {}, 1, module_.padding).sqrt();
    const int64_t p = module_.padding, width = v.size(3);
    const torch::Tensor seen = torch::constant_pad_nd(u, {p, p, p, p})[0];
    for (const auto& [plane, cell] : representatives(s_cells(u, v))) {
      const int64_t row = cell / width, column = cell % width;
      a_[plane] += module_.q * c_[0] * seen.slice(1, row, row + 5).slice(2, column, column + 5);
      b_[plane] += module_.q / 2 * v[0][0][row][column];
    }
  }

 private:
  torch::Tensor s_cells(const torch::Tensor& u, const torch::Tensor& v) const {
    const torch::Tensor e = torch::conv2d(u, a_, {}, 1, module_.padding);
    const torch::Tensor h = 2 * module_.r / (1 + module_.r) * b_ * v;
    return (module_.r * ((1 + e) / (1 + h) - 1)).relu();
  }

  /// For each plane that has one, its seed cell: in every column, at any plane, the cell of the
  /// largest output is a candidate, and of a plane's candidates the one of the largest output is
  /// chosen.
  std::map<int64_t, int64_t> representatives(const torch::Tensor& u) const {
    const auto [outputs, planes] = u.max(1, /*keepdim=*/true);
    const auto candidates =
        torch::max_pool2d_with_indices(outputs, module_.column, 1, (module_.column - 1) / 2);
    const torch::Tensor cells = std::get<1>(candidates).flatten();
    std::map<int64_t, int64_t> chosen;
    for (int64_t i = 0; i < cells.numel(); ++i) {
      const auto cell = cells[i].item<int64_t>();
      const auto output = [&](int64_t at) { return outputs.flatten()[at].item<float>(); };
      if (!(output(cell) > 0)) continue;
      const auto [place, is_new] = chosen.emplace(planes.flatten()[cell].item<int64_t>(), cell);
      if (!is_new && output(cell) > output(place->second)) place->second = cell;
    }
    return chosen;
  }

  const Module& module_;
  torch::Tensor a_, b_, c_;
};

/// Twenty presentations of five digits, as in the paper; but one module after the other, as
/// Fukushima did from 1988 on: all at once, most first weights let two digits share a cell.
std::shared_ptr<StagedNetwork> self_organised() {
  const torch::NoGradGuard no_grad;
  auto network = build();
  std::vector<torch::Tensor> shown;
  for (const auto& digit : digits) shown.push_back(picture(digit));
  const std::vector<Stage> stages = network->stages();
  for (size_t i = 0; i < modules.size(); ++i) {
    SelfOrganisation module(*network, modules[i]);
    for (int presentation = 0; presentation < 20; ++presentation) {
      for (const torch::Tensor& u : shown) module.see(u);
    }
    for (torch::Tensor& u : shown) u = stages[i].forward(u);
  }
  return network;
}

/// What each of the 24 C3-cells answers.
torch::Tensor answer(StagedNetwork& network, const torch::Tensor& image) {
  const torch::NoGradGuard no_grad;
  return network.forward(image)[0];
}

TEST(Neocognitron, HasThePapersSizes) {
  const Architecture& of = find_architecture("neocognitron");
  std::map<std::string, Shape> shapes;
  for (const LayerCost& layer : cost(trace_network(of, of.settings)).layers) {
    if (layer.op == "conv2d" && layer.out_shape[0] > 1) shapes[layer.layer] = layer.out_shape;
  }
  const std::map<std::string, Shape> paper = {{"s1", {24, 16, 16}}, {"c1", {24, 10, 10}},
                                              {"s2", {24, 8, 8}},   {"c2", {24, 6, 6}},
                                              {"s3", {24, 2, 2}},   {"c3", {24, 1, 1}}};
  EXPECT_EQ(shapes, paper);
}

TEST(Neocognitron, FixedSynapsesOfInhibitionSumToOne) {
  const auto network = build();
  for (const Module& module : modules) {
    EXPECT_NEAR(network->named_buffers()[module.name + ".c"].sum().item<double>(), 1, 1e-5);
  }
}

TEST(Neocognitron, GivesEachDigitACellOfItsOwnThatIsSilentForOthersWhereverTheyStand) {
  const auto network = self_organised();
  std::vector<int64_t> cell_of;
  for (const auto& digit : digits) {
    cell_of.push_back(answer(*network, picture(digit)).argmax().item<int64_t>());
  }
  const std::vector<std::pair<int64_t, int64_t>> moves = {
      {0, 0},  {-1, 0}, {1, 0},  {0, -1}, {0, 1},  {-1, -1}, {-1, 1},
      {1, -1}, {1, 1},  {-2, 0}, {2, 0},  {0, -2}, {0, 2}};
  for (size_t digit = 0; digit < digits.size(); ++digit) {
    for (const auto& [down, right] : moves) {
      const torch::Tensor answers = answer(*network, picture(digits[digit], down, right));
      EXPECT_EQ(answers.argmax().item<int64_t>(), cell_of[digit])
          << digit << " moved by " << down << " and " << right;
      for (size_t other = 0; other < digits.size(); ++other) {
        const auto output = answers[cell_of[other]].item<float>();
        EXPECT_EQ(output > 0, other == digit) << other << "'s cell at a " << digit;
      }
    }
  }
}

TEST(Neocognitron, HasLearntNothingBeforeItOrganisesItself) {
  const auto network = build();
  std::set<int64_t> cells;
  for (const auto& digit : digits) {
    cells.insert(answer(*network, picture(digit)).argmax().item<int64_t>());
  }
  EXPECT_LT(cells.size(), digits.size());
}

}  // namespace
}  // namespace convscope

// Mixup and CutMix: what the mixed image and its shares are.
#include "suite/training/mixing.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace convscope {
namespace {

/// Image i is i everywhere, and of class i.
struct Numbered {
  torch::Tensor labels = torch::arange(8);
  torch::Tensor images = labels.to(torch::kFloat).view({8, 1, 1, 1}).expand({8, 3, 6, 10}).clone();
};

TEST(Mixing, NothingIsMixedUnlessAskedFor) {
  const Numbered numbered;
  const MixedBatch batch = mixed(Recipe(), numbered.images, numbered.labels);
  EXPECT_TRUE(torch::equal(batch.images, numbered.images));
  EXPECT_FALSE(batch.others.defined());
  EXPECT_EQ(batch.share, 1);
}

TEST(Mixing, MixupIsTheWeightedMeanOfTwoImages) {
  torch::manual_seed(3);
  Recipe recipe;
  recipe.mixup = 1;
  const Numbered numbered;
  for (int i = 0; i < 20; ++i) {
    const MixedBatch batch = mixed(recipe, numbered.images, numbered.labels);
    const torch::Tensor expected = batch.share * batch.labels.to(torch::kFloat) +
                                   (1 - batch.share) * batch.others.to(torch::kFloat);
    EXPECT_TRUE(torch::allclose(batch.images, expected.view({8, 1, 1, 1}).expand_as(batch.images)));
    EXPECT_GE(batch.share, 0);
    EXPECT_LE(batch.share, 1);
  }
  EXPECT_TRUE(torch::equal(numbered.images, Numbered().images));  // the caller's are untouched
}

TEST(Mixing, CutMixTakesARectangleAndItsShare) {
  torch::manual_seed(4);
  Recipe recipe;
  recipe.cutmix = 1;
  const Numbered numbered;
  for (int i = 0; i < 50; ++i) {
    const MixedBatch batch = mixed(recipe, numbered.images, numbered.labels);
    const torch::Tensor own = batch.images == batch.labels.to(torch::kFloat).view({8, 1, 1, 1});
    const torch::Tensor other = batch.images == batch.others.to(torch::kFloat).view({8, 1, 1, 1});
    EXPECT_TRUE(torch::logical_or(own, other).all().item<bool>());
    for (int64_t k = 0; k < 8; ++k) {
      if (batch.labels[k].item<int64_t>() == batch.others[k].item<int64_t>()) continue;
      const auto pixels = own[k][0].sum().item<int64_t>();
      EXPECT_DOUBLE_EQ(batch.share, static_cast<double>(pixels) / 60);
    }
  }
  EXPECT_TRUE(torch::equal(numbered.images, Numbered().images));
}

TEST(Mixing, BothTakeTurnsByChance) {
  torch::manual_seed(5);
  Recipe recipe;
  recipe.mixup = 1;
  recipe.cutmix = 1;
  const Numbered numbered;
  int cut = 0;
  for (int i = 0; i < 100; ++i) {
    const MixedBatch batch = mixed(recipe, numbered.images, numbered.labels);
    cut += torch::equal(batch.images, batch.images.round());
  }
  EXPECT_GT(cut, 25);
  EXPECT_LT(cut, 75);
}

}  // namespace
}  // namespace convscope

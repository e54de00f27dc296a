// Training on images that the program makes itself: what moves, what does not, and that a run which
// was interrupted ends where one that was not does.
#include "suite/training/trainer.h"

#include <gtest/gtest.h>

#include <cstring>

#include "architectures/catalogue.h"
#include "suite/data/procedural.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

class TrainerTest : public testing::Test {
 protected:
  TrainerTest() {
    ProceduralOptions options;
    options.classes = 4;
    options.train = 96;
    options.val = 48;
    train = procedural_dataset(options, "train");
    validation = procedural_dataset(options, "val");
    start.architecture = find_architecture("lenet5");
    start.settings = start.architecture.settings;
    start.settings.classes = 4;
    images.train = train.get();
    images.validation = validation.get();
    images.preprocessing = usual_preprocessing(start.settings.image);
    recipe.schedule.epochs = 3;
    recipe.schedule.kind = Schedule::Kind::cosine;
    recipe.batch = 16;
    recipe.seed = 5;
  }

  /// The bytes of all tensors after so many epochs from the beginning or from a checkpoint.
  std::vector<std::pair<std::string, std::string>> trained(int64_t epochs,
                                                           const std::string& from = "",
                                                           const std::string& to = "") {
    Trainer trainer(start, recipe, images);
    if (!from.empty()) trainer.restore(folder.path / from);
    while (trainer.epochs() < epochs) last = trainer.run_epoch({});
    if (!to.empty()) trainer.save(folder.path / to);
    trainer.write_weights(folder.path / "weights.safetensors");
    const WeightsFile file = read_weights(folder.path / "weights.safetensors");
    std::vector<std::pair<std::string, std::string>> bytes;
    for (const StoredTensor& tensor : file.tensors) {
      std::string values(static_cast<size_t>(tensor.elements() * bytes_of(tensor.type)), '\0');
      copy_values(tensor, values.data());
      bytes.emplace_back(tensor.name, std::move(values));
    }
    return bytes;
  }

  TemporaryFolder folder;
  std::unique_ptr<Dataset> train, validation;
  TrainingStart start;
  Recipe recipe;
  TrainingImages images;
  EpochResult last;
};

TEST_F(TrainerTest, LearnsWhatIsThereToLearn) {
  ProceduralOptions options;
  options.classes = 4;
  options.train = 256;
  options.val = 48;
  train = procedural_dataset(options, "train");
  images.train = train.get();
  recipe.schedule.epochs = 30;
  recipe.rate = 0.02;
  trained(30);
  EXPECT_GT(last.train_top1, 0.8);
  EXPECT_GT(share(last.validation.top1, last.validation.images).value, 0.5);  // by chance: 0.25
  EXPECT_EQ(last.images, 256);
  EXPECT_EQ(last.validation.images, 48);
}

TEST_F(TrainerTest, TheSameSeedGivesTheSameBits) {
  const auto once = trained(2);
  EXPECT_EQ(once, trained(2));
  recipe.seed = 6;
  EXPECT_NE(once, trained(2));
}

TEST_F(TrainerTest, ARestoredRunEndsWithTheSameBits) {
  for (const OptimizerKind optimizer :
       {OptimizerKind::sgd, OptimizerKind::adamw, OptimizerKind::rmsprop}) {
    recipe.optimizer = optimizer;
    recipe.rate = optimizer == OptimizerKind::sgd ? 0.01 : 0.001;
    recipe.average = optimizer == OptimizerKind::adamw ? 0.9 : 0;
    recipe.accumulate = optimizer == OptimizerKind::rmsprop ? 4 : 1;
    const auto whole = trained(3);
    trained(1, "", "checkpoint");
    EXPECT_EQ(trained(3, "checkpoint"), whole);
  }
}

TEST_F(TrainerTest, BatchesOfOneImageAreTrainedOn) {
  recipe.protocol = Protocol::probe;
  recipe.batch = 1;
  trained(1);
  EXPECT_EQ(last.images, 96);
}

struct Stopped {};

TEST_F(TrainerTest, ARunThatStoppedWithinAnEpochEndsWithTheSameBits) {
  recipe.average = 0.9;
  recipe.mixup = 0.2;
  recipe.cutmix = 1;
  recipe.kept = Kept::best;
  for (const Protocol protocol : {Protocol::scratch, Protocol::partial}) {
    recipe.protocol = protocol;
    recipe.mixup = protocol == Protocol::partial ? 0 : 0.2;  // with kept features, nothing is mixed
    recipe.cutmix = protocol == Protocol::partial ? 0 : 1;
    const auto whole = trained(3);
    const double loss = last.train_loss;
    for (const int steps : {1, 4, 8, 15}) {
      Trainer trainer(start, recipe, images);
      int step = 0;
      TrainingEvents events;
      events.step = [&](int64_t, double, double) {
        if (++step == steps) throw Stopped();
      };
      try {
        for (;;) trainer.run_epoch(events);
      } catch (const Stopped&) {
        trainer.save(folder.path / "checkpoint");
      }
      EXPECT_EQ(trained(3, "checkpoint"), whole) << steps;
      EXPECT_EQ(last.train_loss, loss);
      EXPECT_EQ(last.images, 96);
    }
  }
}

TEST_F(TrainerTest, KeepsTheBestEpochAndStopsWhereNoneIsBetter) {
  recipe.kept = Kept::best;
  recipe.patience = 2;
  recipe.schedule.epochs = 40;
  recipe.rate = 0.02;
  Trainer trainer(start, recipe, images);
  double best = 0;
  while (!trainer.finished()) {
    const Evaluation result = trainer.run_epoch({}).validation;
    best = std::max(best, share(result.top1, result.images).value);
  }
  EXPECT_LT(trainer.epochs(), 40);
  EXPECT_EQ(trainer.epochs(), trainer.best().epoch + 2);
  EXPECT_EQ(trainer.best().top1, best);
  trainer.keep_the_best();
  const Evaluation kept = trainer.evaluate(*validation);
  EXPECT_EQ(share(kept.top1, kept.images).value, best);
  EXPECT_NEAR(kept.loss, trainer.best().loss, 1e-6);
}

TEST_F(TrainerTest, FeaturesOnDiskAreTheSameAndBelongToWhatTheyWereMadeOf) {
  FeatureCache cache(folder.path / "features", 1 << 24);
  recipe.protocol = Protocol::probe;
  const auto without = trained(3);
  images.cache = &cache;
  images.fingerprint = "these images";
  EXPECT_EQ(trained(3), without);
  const int64_t bytes = cache.bytes();
  EXPECT_GT(bytes, 96 * 84 * 4);
  int64_t computed = 0;
  TrainingEvents events;
  events.features = [&](int64_t, int64_t) { ++computed; };
  Trainer again(start, recipe, images);
  for (int epoch = 0; epoch < 3; ++epoch) again.run_epoch(events);
  EXPECT_EQ(computed, 0);
  EXPECT_EQ(cache.bytes(), bytes);
  recipe.seed = 6;  // other weights in the frozen stages
  Trainer other(start, recipe, images);
  other.run_epoch(events);
  EXPECT_GT(computed, 0);
}

TEST_F(TrainerTest, ARangeTestEndsWhereTheLossExplodes) {
  Trainer trainer(start, recipe, images);
  RangeTest range;
  range.to = 1e4;
  const std::vector<RatePoint> points = trainer.range_test(range, {});
  EXPECT_GT(points.size(), 40u);
  EXPECT_LT(points.size(), 100u);
  EXPECT_DOUBLE_EQ(points.front().rate, 1e-7);
  EXPECT_EQ(suggestions(points).size(), 4u);
  // More batches to a step than an epoch has: a step for each epoch, as in a run.
  recipe.accumulate = 100;
  Trainer slow(start, recipe, images);
  range.steps = 3;
  EXPECT_EQ(slow.range_test(range, {}).size(), 3u);
}

TEST_F(TrainerTest, Bfloat16IsNearAndTheWeightsStayFloat32) {
  const auto exact = trained(1);
  const double loss = last.train_loss;
  recipe.precision = Precision::bfloat16;
  const auto rounded = trained(1);
  EXPECT_NE(exact, rounded);
  EXPECT_NEAR(last.train_loss, loss, 0.02);
  EXPECT_EQ(exact.front().second.size(), rounded.front().second.size());
}

TEST_F(TrainerTest, ACheckpointOfAnotherRunIsRefused) {
  trained(1, "", "checkpoint");
  recipe.rate = 0.02;
  EXPECT_THROW(trained(3, "checkpoint"), std::invalid_argument);
  recipe.rate = 0.01;
  EXPECT_NO_THROW(trained(1, "checkpoint"));
  EXPECT_THROW(trained(1, "weights.safetensors"), std::invalid_argument);
}

TEST_F(TrainerTest, FrozenStagesStayAndTheOthersMove) {
  recipe.schedule.epochs = 1;
  recipe.protocol = Protocol::partial;
  recipe.top_stages = 2;
  const auto before = trained(0), after = trained(1);
  for (size_t i = 0; i < before.size(); ++i) {
    const std::string& name = before[i].first;
    const bool moves = name.rfind("fc2", 0) == 0 || name.rfind("fc3", 0) == 0;
    EXPECT_EQ(before[i].second != after[i].second, moves) << name;
  }
  Trainer trainer(start, recipe, images);
  trainer.run_epoch({});
  EXPECT_TRUE(trainer.moved_frozen_tensors().empty());
}

/// Normalisation of frozen stages, under each policy.
TEST_F(TrainerTest, NormalisationOfFrozenStagesIsWhatThePolicySays) {
  start.architecture = find_architecture("resnet20");
  recipe.protocol = Protocol::probe;
  recipe.schedule.epochs = 1;
  const auto before = trained(0);
  for (const FrozenNorms norms : {FrozenNorms::frozen, FrozenNorms::affine, FrozenNorms::train}) {
    recipe.norms = norms;
    const auto after = trained(1);
    for (size_t i = 0; i < before.size(); ++i) {
      const std::string& name = before[i].first;
      if (name.rfind("linear", 0) == 0) continue;
      const bool is_norm = name.find("bn") != std::string::npos;
      const bool is_affine = is_norm && (name.find("weight") != std::string::npos ||
                                         name.find("bias") != std::string::npos);
      const bool moves = norms == FrozenNorms::train    ? is_norm
                         : norms == FrozenNorms::affine ? is_affine
                                                        : false;
      EXPECT_EQ(before[i].second != after[i].second, moves) << name << to_string(norms);
    }
  }
}

TEST_F(TrainerTest, FixedStatisticsStayInTrainedStages) {
  start.architecture = find_architecture("resnet20");
  recipe.protocol = Protocol::finetune;
  recipe.fixed_statistics = true;
  recipe.schedule.epochs = 1;
  const auto before = trained(0), after = trained(1);
  for (size_t i = 0; i < before.size(); ++i) {
    const std::string& name = before[i].first;
    const bool is_statistic =
        name.find("running_") != std::string::npos || name.find("num_batches") != std::string::npos;
    EXPECT_EQ(before[i].second != after[i].second, !is_statistic) << name;
  }
}

TEST_F(TrainerTest, ThawsOneMoreStageInEachEpoch) {
  recipe.protocol = Protocol::gradual;
  recipe.schedule.epochs = 6;
  Trainer trainer(start, recipe, images);
  std::vector<int64_t> trained_stages;
  for (int epoch = 0; epoch < 6; ++epoch) {
    int64_t count = 0;
    for (const StageTraining& stage : trainer.stages()) count += stage.trained;
    trained_stages.push_back(count);
    trainer.run_epoch({});
  }
  EXPECT_EQ(trained_stages, (std::vector<int64_t>{1, 2, 3, 4, 5, 5}));
}

/// The kept features of frozen stages are the ones that the images would have had.
TEST_F(TrainerTest, KeptFeaturesChangeNothing) {
  recipe.protocol = Protocol::probe;
  Trainer trainer(start, recipe, images);
  trainer.run_epoch({});
  const Evaluation kept = trainer.evaluate(*validation);
  std::vector<JudgedImage> judged;
  const Evaluation anew = trainer.evaluate(*validation, &judged);
  EXPECT_EQ(judged.size(), 48u);
  EXPECT_EQ(kept.top1, anew.top1);
  EXPECT_NEAR(kept.loss, anew.loss, 1e-5);
}

TEST_F(TrainerTest, ALossThatIsNoNumberStopsAndSaysWhere) {
  recipe.rate = 1e30;
  try {
    trained(3);
    FAIL();
  } catch (const TrainingDiverged& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("epoch 1, step "), std::string::npos) << text;
    EXPECT_NE(text.find("learning rate "), std::string::npos) << text;
    EXPECT_NE(text.find("and 13 more"), std::string::npos) << text;
  }
}

TEST_F(TrainerTest, WhatCannotBeTrainedIsSaidBeforeTheFirstStep) {
  start.settings.classes = 5;
  EXPECT_THROW(Trainer(start, recipe, images), std::invalid_argument);
}

}  // namespace
}  // namespace convscope

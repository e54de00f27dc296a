// Schedules at the places where the papers and fastai's source say what they are.
#include "suite/training/schedule.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "suite/training/recipe.h"

namespace convscope {
namespace {

Schedule of(Schedule::Kind kind, double epochs) {
  Schedule schedule;
  schedule.kind = kind;
  schedule.epochs = epochs;
  return schedule;
}

TEST(Schedule, StepsAreTakenAfterWholeEpochs) {
  const Schedule schedule = of(Schedule::Kind::step, 25);
  EXPECT_DOUBLE_EQ(rate_at(schedule, 0), 1);
  EXPECT_DOUBLE_EQ(rate_at(schedule, 6.99), 1);
  EXPECT_DOUBLE_EQ(rate_at(schedule, 7), 0.1);
  EXPECT_NEAR(rate_at(schedule, 21), 0.001, 1e-15);
}

TEST(Schedule, CosineFallsFromAllToNothing) {
  const Schedule schedule = of(Schedule::Kind::cosine, 10);
  EXPECT_DOUBLE_EQ(rate_at(schedule, 0), 1);
  EXPECT_NEAR(rate_at(schedule, 5), 0.5, 1e-12);
  EXPECT_NEAR(rate_at(schedule, 10), 0, 1e-12);
}

TEST(Schedule, WarmUpRisesInAStraightLineAndTheRestFollows) {
  Schedule schedule = of(Schedule::Kind::cosine, 12);
  schedule.warm_up = 2;
  EXPECT_DOUBLE_EQ(rate_at(schedule, 0), 0.01);
  EXPECT_NEAR(rate_at(schedule, 1), 0.505, 1e-12);
  EXPECT_DOUBLE_EQ(rate_at(schedule, 2), 1);
  EXPECT_NEAR(rate_at(schedule, 7), 0.5, 1e-12);
}

TEST(Schedule, OneCycleIsFastais) {
  const Schedule schedule = of(Schedule::Kind::one_cycle, 4);
  EXPECT_NEAR(rate_at(schedule, 0), 1.0 / 25, 1e-15);
  EXPECT_NEAR(rate_at(schedule, 0.5), (1 + 1.0 / 25) / 2, 1e-12);
  EXPECT_DOUBLE_EQ(rate_at(schedule, 1), 1);
  EXPECT_NEAR(rate_at(schedule, 4), 1e-5, 1e-12);
  EXPECT_DOUBLE_EQ(*momentum_at(schedule, 0), 0.95);
  EXPECT_DOUBLE_EQ(*momentum_at(schedule, 1), 0.85);
  EXPECT_NEAR(*momentum_at(schedule, 4), 0.95, 1e-12);
  EXPECT_FALSE(momentum_at(of(Schedule::Kind::cosine, 4), 1));
}

TEST(Schedule, NamesAreTakenBack) {
  for (const std::string& name : schedule_names()) {
    EXPECT_EQ(schedule_names()[static_cast<size_t>(parse_schedule(name))], name);
  }
  EXPECT_THROW(parse_schedule("linear"), std::invalid_argument);
}

TEST(Recipe, ProtocolsTrainFromTheirStageOn) {
  Recipe recipe;
  const auto first = [&](Protocol protocol, int64_t epoch) {
    recipe.protocol = protocol;
    return first_trained(recipe, 6, epoch);
  };
  EXPECT_EQ(first(Protocol::scratch, 0), 0u);
  EXPECT_EQ(first(Protocol::probe, 9), 5u);
  recipe.top_stages = 2;
  EXPECT_EQ(first(Protocol::partial, 0), 4u);
  recipe.top_stages = 9;
  EXPECT_EQ(first(Protocol::partial, 0), 0u);
  EXPECT_EQ(first(Protocol::gradual, 0), 5u);
  EXPECT_EQ(first(Protocol::gradual, 2), 3u);
  EXPECT_EQ(first(Protocol::gradual, 20), 0u);
  recipe.probe_epochs = 3;
  EXPECT_EQ(first(Protocol::probe_then_finetune, 2), 5u);
  EXPECT_EQ(first(Protocol::probe_then_finetune, 3), 0u);
}

TEST(Recipe, RatesOfStagesAreGeometric) {
  Recipe recipe;
  recipe.rate = 0.1;
  recipe.lowest_rate = 0.01;
  EXPECT_DOUBLE_EQ(stage_rate(recipe, 3, 2), 0.1);
  EXPECT_NEAR(stage_rate(recipe, 3, 1), 0.01, 1e-15);
  EXPECT_NEAR(stage_rate(recipe, 3, 0), 0.001, 1e-15);
  recipe.stage_decay = 0.5;
  EXPECT_DOUBLE_EQ(stage_rate(recipe, 4, 3), 0.1);
  EXPECT_DOUBLE_EQ(stage_rate(recipe, 4, 1), 0.025);
}

}  // namespace
}  // namespace convscope

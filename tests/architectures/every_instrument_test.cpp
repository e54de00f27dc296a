// Each instrument on each network of the catalogue, on images as small as it takes: a network that
// somebody adds is shown to work everywhere without a new test. The frozen engine's turn is in
// frozen_test.cpp, the analysis's in every_architecture_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "architectures/catalogue.h"
#include "suite/analysis/map_layers.h"
#include "suite/analysis/network_trace.h"
#include "suite/data/procedural.h"
#include "suite/inference/activations.h"
#include "suite/timing/workload.h"
#include "suite/training/trainer.h"
#include "tests/architectures/small_settings.h"

namespace convscope {
namespace {

std::string name_of_network(const testing::TestParamInfo<Architecture>& network) {
  return network.param.name;
}

std::vector<Architecture> classifiers() {
  std::vector<Architecture> all;
  for (const Architecture& network : catalogue()) {
    // The sums along a thousand layers overflow while they are untrained.
    const bool overflows = network.name == "resnet1202" || network.name == "preact_resnet1001";
    if (!network.dense && !overflows) all.push_back(network);
  }
  return all;
}

class EveryNetwork : public testing::TestWithParam<Architecture> {};

TEST_P(EveryNetwork, IsTimedInInferenceAndInTraining) {
  BenchCase bench_case = usual_case(GetParam());
  bench_case.settings = small_settings(GetParam());
  bench_case.batch = 2;
  bench_case.scenario = "throughput";
  for (const char* mode : {"inference", "train"}) {
    bench_case.mode = mode;
    const auto workload = make_workload(bench_case);
    const Reading reading = workload->run(1);
    ASSERT_EQ(reading.ns.size(), workload->parts().size()) << mode;
    for (const int64_t ns : reading.ns) EXPECT_GT(ns, 0) << mode;
  }
}

TEST_P(EveryNetwork, ShowsTheMapsOfItsLayers) {
  const Settings settings = small_settings(GetParam());
  const LoadedNetwork network = initial_network(GetParam(), settings, /*seed=*/1);
  const std::vector<MapLayer> layers = map_layers(network.graph);
  if (settings.image.height == 1) {
    EXPECT_TRUE(layers.empty()) << "a signal has no maps";
    return;
  }
  ASSERT_FALSE(layers.empty());
  const MapLayer& last = layers.back();
  const ImageShape& image = settings.image;
  const std::vector<float> images(size_t(image.channels * image.height * image.width), 0.5f);
  const Activations maps = activations(network, images, 1, last.call);
  EXPECT_EQ(maps.shape, last.shape) << last.name;
  EXPECT_EQ(maps.values.size(), size_t(element_count(last.shape)));
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryNetwork, testing::ValuesIn(catalogue()), name_of_network);

class EveryClassifier : public testing::TestWithParam<Architecture> {};

TEST_P(EveryClassifier, LearnsAHeadOnFrozenFeaturesAndIsJudged) {
  TrainingStart start;
  start.architecture = GetParam();
  start.settings = small_settings(GetParam());
  // The ten answers of the first LeNet-5 are pictures of digits.
  const int64_t classes = GetParam().name == "lenet5_1998" ? 10 : 2;
  start.settings.classes = classes;
  ProceduralOptions options;
  options.classes = classes;
  options.channels = start.settings.image.channels;
  options.train = options.val = 2 * classes;
  const auto train = procedural_dataset(options, "train");
  const auto validation = procedural_dataset(options, "val");
  TrainingImages images;
  images.train = train.get();
  images.validation = validation.get();
  images.preprocessing = usual_preprocessing(start.settings.image);
  Recipe recipe;
  // The first LeNet-5's head has nothing to learn.
  recipe.protocol = classes == 10 ? Protocol::scratch : Protocol::probe;
  recipe.schedule.epochs = 1;
  recipe.batch = 2;
  recipe.rate = 1e-6;  // untrained features may be of any size
  Trainer trainer(start, recipe, images);
  const EpochResult result = trainer.run_epoch({});
  EXPECT_EQ(result.images, 2 * classes);
  EXPECT_EQ(result.validation.images, 2 * classes);
  EXPECT_TRUE(trainer.moved_frozen_tensors().empty());
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryClassifier, testing::ValuesIn(classifiers()),
                         name_of_network);

}  // namespace
}  // namespace convscope

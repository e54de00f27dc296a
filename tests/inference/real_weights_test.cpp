// Published weights on real images: what Python gives must come out, class by class. Needs the
// folder of shared data; without it the tests are skipped aloud.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "architectures/catalogue.h"
#include "suite/data/folder.h"
#include "suite/data/loader.h"
#include "suite/inference/evaluation.h"
#include "suite/report/csv_file.h"

namespace convscope {
namespace {

namespace fs = std::filesystem;

const fs::path shared_data = fs::path(CONVSCOPE_SHARED) / "data";

#define NEEDS_DATA() \
  if (!fs::exists(shared_data)) GTEST_SKIP() << "no real weights and images at " << shared_data

struct Published {
  std::string reference;  ///< its name in reference-predictions.csv
  std::string network, file;
};

const std::vector<Published> imagenet_weights = {
    {"mobilenet_v2-from-qnnpack-int8", "mobilenet_v2", "mobilenet_v2-from-qnnpack-int8.zip.pth"},
    {"mobilenet_v2-from-qnnpack-int8", "mobilenet_v2", "mobilenet_v2-from-qnnpack-int8.legacy.pth"},
    {"squeezenet1_0-from-deep-compression", "squeezenet1_0",
     "squeezenet1_0-from-deep-compression.zip.pth"},
    {"mobilenetV1X0.25_pretrain(ReLU)", "mobilenet_v1_x0_25", "mobilenetV1X0.25_pretrain.pth.tar"},
};

Classifier load(const std::string& name, const std::string& weights) {
  const Architecture& network = find_architecture(name);
  const WeightsFile file = read_weights(shared_data / "weights" / weights);
  return {network, fit(network, network.settings, file, false), file, 2};
}

class RealWeights : public testing::TestWithParam<Published> {};

TEST_P(RealWeights, GiveTheFiveLikeliestClassesAndLogitsOfPython) {
  NEEDS_DATA();
  const CsvFile reference = read_csv(shared_data / "reference-predictions.csv");
  const auto models = texts(reference, "model"), images = texts(reference, "image");
  Classifier classifier = load(GetParam().network, GetParam().file);
  std::vector<fs::path> files;
  std::vector<size_t> rows;
  for (size_t row = 0; row < models.size(); ++row) {
    if (models[row] != GetParam().reference) continue;
    files.push_back(shared_data / "datasets/imagenet-samples" / images[row]);
    rows.push_back(row);
  }
  ASSERT_EQ(files.size(), 100u);
  const auto dataset = image_files(files, 3);
  LoaderOptions options;
  options.batch = 20;
  options.preprocessing = usual_preprocessing({3, 224, 224});
  Loader loader(*dataset, options);
  classifier.freeze_batches_of(options.batch);
  double largest = 0;
  for (Batch batch; loader.next(batch);) {
    // Of the network itself for the first batch, of its fast form for the others.
    const std::vector<float> logits = classifier.logits(batch.values, batch.size);
    for (int64_t i = 0; i < batch.size; ++i) {
      const size_t row = rows[batch.indices[static_cast<size_t>(i)]];
      const std::vector<Guess> best = likeliest(logits.data() + i * 1000, 1000, 5);
      for (size_t rank = 0; rank < 5; ++rank) {
        const std::string top = "top" + std::to_string(rank + 1);
        EXPECT_EQ(best[rank].index, integers(reference, top + "_index")[row]) << images[row];
        const double logit = numbers(reference, top + "_logit")[row];
        largest = std::max(largest, std::abs(best[rank].logit - logit));
      }
    }
  }
  EXPECT_TRUE(classifier.frozen());
  EXPECT_LE(largest, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(ImageNet, RealWeights, testing::ValuesIn(imagenet_weights),
                         [](const auto& weights) {
                           std::string name = weights.param.file;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); },
                               '_');
                           return name;
                         });

/// The images of a dataset that the network gets right.
int64_t right(const std::string& network, const std::string& weights, const std::string& data,
              int64_t channels, int64_t side) {
  Classifier classifier = load(network, weights);
  DatasetOptions from;
  from.path = shared_data / "datasets" / data;
  from.channels = channels;
  const auto dataset = open_dataset(from);
  LoaderOptions options;
  options.batch = 50;
  options.workers = 1;
  options.preprocessing = usual_preprocessing({channels, side, side});
  Loader loader(*dataset, options);
  return evaluate(classifier, loader, [](int64_t) {}).top1;
}

TEST(RealAccuracy, OfTheCifarResNetsIsThePublishersOnLosslessImages) {
  NEEDS_DATA();
  const std::string images = "cifar10/data_batch_1.first4000.bin";
  EXPECT_EQ(right("resnet20", "resnet20-12fca82f.th", images, 3, 32), 3992);  // 99.80 %
  EXPECT_EQ(right("resnet56", "resnet56-4bfd9763.th", images, 3, 32), 4000);
}

TEST(RealAccuracy, OfTheTutorialsNetworkOnDigits) {
  NEEDS_DATA();
  EXPECT_EQ(right("mnist_tutorial", "lenet_mnist_model.pth", "mnist", 1, 28), 9761);
}

TEST(RealWeights, CutShortAreRefused) {
  NEEDS_DATA();
  for (const char* name : {"resnet18-5c106cde.TRUNCATED.pth", "resnet18-f37072fd.TRUNCATED.pth"}) {
    try {
      read_weights(shared_data / "weights/truncated" / name);
      ADD_FAILURE() << name;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("cut short"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace convscope

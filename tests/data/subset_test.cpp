// Parts of datasets, and datasets that are decoded once.
#include "suite/data/subset.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "suite/data/datasets.h"
#include "suite/data/loader.h"
#include "suite/data/procedural.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

/// Image i is one grey pixel of value i and of class i % 5; counts how often it was asked.
struct Counted : Dataset {
  std::vector<std::string> names = {"a", "b", "c", "d", "e"};
  mutable std::atomic<int> decoded{0};

  size_t size() const override { return 50; }
  Image image(size_t index, const WantedRegion&) const override {
    ++decoded;
    return {{1, 1}, {0, 0, 1, 1}, 1, {static_cast<uint8_t>(index)}, true};
  }
  int64_t label(size_t index) const override { return static_cast<int64_t>(index % 5); }
  std::string name(size_t index) const override { return "image " + std::to_string(index); }
  const std::vector<std::string>& classes() const override { return names; }
};

TEST(Subset, HasTheClassesInTheOrderGivenAndTheImagesInTheirs) {
  const auto part = subset(std::make_shared<Counted>(), {3, 1});
  EXPECT_EQ(part->classes(), (std::vector<std::string>{"d", "b"}));
  ASSERT_EQ(part->size(), 20u);
  EXPECT_EQ(part->name(0), "image 1");
  EXPECT_EQ(part->label(0), 1);
  EXPECT_EQ(part->name(1), "image 3");
  EXPECT_EQ(part->label(1), 0);
  EXPECT_EQ(part->image(1, {}).pixels[0], 3);
}

TEST(Subset, TakesAsManyOfEachClassByTheSeed) {
  const auto whole = std::make_shared<Counted>();
  const auto names = [&](uint64_t seed) {
    const auto part = subset(whole, {0, 1, 2, 3, 4}, 3, seed);
    std::map<int64_t, int> count;
    std::vector<std::string> all;
    for (size_t i = 0; i < part->size(); ++i) {
      ++count[part->label(i)];
      all.push_back(part->name(i));
    }
    for (const auto& [label, images] : count) EXPECT_EQ(images, 3) << label;
    EXPECT_EQ(count.size(), 5u);
    return all;
  };
  EXPECT_EQ(names(1), names(1));
  EXPECT_NE(names(1), names(2));
}

TEST(Subset, AClassThatIsNotThereOrTwiceIsRefused) {
  const auto whole = std::make_shared<Counted>();
  EXPECT_THROW(subset(whole, {5}), std::invalid_argument);
  EXPECT_THROW(subset(whole, {1, 2, 1}), std::invalid_argument);
}

TEST(KeptDecoded, DecodesEachImageOnceWhoeverAsks) {
  const auto whole = std::make_shared<Counted>();
  const auto kept = kept_decoded(whole);
  for (int pass = 0; pass < 3; ++pass) {
    for (size_t i = 0; i < kept->size(); ++i) EXPECT_EQ(kept->image(i, {}).pixels[0], i);
  }
  EXPECT_EQ(whole->decoded, 50);
  const auto shared = kept_decoded(whole);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < shared->size(); ++i) EXPECT_EQ(shared->image(i, {}).pixels[0], i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Loader, BeginsWhereAnotherStopped) {
  ProceduralOptions made;
  made.train = 30;
  const auto dataset = procedural_dataset(made, "train");
  LoaderOptions options;
  options.batch = 7;
  options.shuffle = true;
  options.preprocessing = usual_preprocessing({3, 32, 32});
  options.augmentation = Augmentation();
  options.augmentation->mirrored = 0.5;
  const auto batches = [&](int64_t from) {
    options.first_batch = from;
    std::vector<std::vector<float>> all;
    Loader loader(*dataset, options);
    for (Batch batch; loader.next(batch);) all.push_back(batch.values);
    return all;
  };
  const auto whole = batches(0);
  ASSERT_EQ(whole.size(), 5u);
  for (int64_t from = 1; from <= 5; ++from) {
    EXPECT_EQ(batches(from), std::vector<std::vector<float>>(whole.begin() + from, whole.end()));
  }
  EXPECT_TRUE(batches(9).empty());
}

TEST(Fingerprint, ChangesWithFilesAndOptions) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path / "a");
  put(folder.path / "a" / "1.png", "x");
  DatasetOptions options;
  options.path = folder.path;
  const std::string before = fingerprint(options);
  EXPECT_EQ(before, fingerprint(options));
  options.seed = 1;
  EXPECT_NE(before, fingerprint(options));
  options.seed = 0;
  put(folder.path / "a" / "2.png", "y");
  EXPECT_NE(before, fingerprint(options));
  options.path = "procedural:classes=4";
  EXPECT_NE(fingerprint(options), before);
}

}  // namespace
}  // namespace convscope

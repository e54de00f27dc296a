#include "suite/data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>

#include "suite/data/procedural.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

/// Images of one value, their index; some are broken, wrong or of another size.
struct Numbered : Dataset {
  size_t count = 20;
  std::set<size_t> broken, failing;
  std::set<size_t> larger;
  int64_t channels = 1;
  int milliseconds = 0;  ///< the first images take longest, so that later ones overtake them
  std::vector<std::string> names = {"even", "odd"};

  size_t size() const override { return count; }
  Image image(size_t index, const WantedRegion&) const override {
    if (milliseconds > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds * (3 - index % 4)));
    }
    if (broken.count(index)) throw BrokenImage(name(index) + ": not so good");
    if (failing.count(index)) throw std::runtime_error(name(index) + ": worse");
    const int64_t side = larger.count(index) ? 4 : 3;
    return {{side, 2},
            {0, 0, side, 2},
            channels,
            std::vector<uint8_t>(static_cast<size_t>(side * 2 * channels),
                                 static_cast<uint8_t>(index))};
  }
  int64_t label(size_t index) const override { return static_cast<int64_t>(index % 2); }
  std::string name(size_t index) const override { return "image " + std::to_string(index); }
  const std::vector<std::string>& classes() const override { return names; }
};

/// Says how many images were begun, and whether one was that should not have been yet.
struct Watched : Numbered {
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  mutable size_t begun = 0;
  mutable bool too_early = false;
  size_t allowed = 0;

  Image image(size_t index, const WantedRegion& wanted) const override {
    {
      const std::lock_guard lock(mutex);
      ++begun;
      too_early = too_early || index >= allowed;
    }
    changed.notify_all();
    return Numbered::image(index, wanted);
  }
  void allow(size_t images) {
    const std::lock_guard lock(mutex);
    allowed = std::min(images, count);
  }
  /// False only after a time that no load explains.
  bool wait_until_begun(size_t images) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::minutes(5), [&] { return begun >= images; });
  }
};

Preprocessing bytes_as_they_are(int64_t crop = 0) {
  Preprocessing preprocessing = {};
  preprocessing.resize = 0;
  preprocessing.crop = crop;
  preprocessing.interpolation = Interpolation::bilinear;
  preprocessing.mean = {0};
  preprocessing.deviation = {1};
  preprocessing.range = 255;
  return preprocessing;
}

LoaderOptions in_batches_of(int64_t batch, int64_t workers = 0) {
  LoaderOptions options;
  options.preprocessing = bytes_as_they_are();
  options.batch = batch;
  options.workers = workers;
  return options;
}

std::vector<Batch> all(Loader& loader) {
  std::vector<Batch> batches;
  for (Batch batch; loader.next(batch);) batches.push_back(batch);
  return batches;
}

std::vector<size_t> indices_of(const std::vector<Batch>& batches) {
  std::vector<size_t> indices;
  for (const Batch& batch : batches) {
    indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  }
  return indices;
}

const int64_t numbers_of_workers[] = {0, 1, 2, 5};

TEST(Loader, GivesEveryImageOnceInOrder) {
  Numbered dataset;
  dataset.count = 10;
  Loader loader(dataset, in_batches_of(4));
  EXPECT_EQ(loader.batches(), 3);
  const std::vector<Batch> batches = all(loader);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[2].size, 2);
  EXPECT_EQ(batches[2].indices, (std::vector<size_t>{8, 9}));
  EXPECT_EQ(batches[2].labels, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(batches[2].channels, 1);
  EXPECT_EQ(batches[2].height, 3);
  EXPECT_EQ(batches[2].width, 2);
  EXPECT_EQ(batches[2].values, (std::vector<float>{8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9}));
  Batch after;
  EXPECT_FALSE(loader.next(after)) << "and after the end there is nothing, every time";
  EXPECT_FALSE(loader.next(after));
}

TEST(Loader, LastBatchMayBeDropped) {
  Numbered dataset;
  dataset.count = 10;
  LoaderOptions options = in_batches_of(4);
  options.drop_last = true;
  Loader loader(dataset, options);
  EXPECT_EQ(loader.batches(), 2);
  EXPECT_EQ(indices_of(all(loader)).size(), 8u);
}

TEST(Loader, OrderIsByTheSeedAndTheEpoch) {
  const Numbered dataset;
  std::set<std::vector<size_t>> orders;
  for (const uint64_t seed : {0, 1}) {
    for (const uint64_t epoch : {0, 1}) {
      LoaderOptions options = in_batches_of(7);
      options.shuffle = true;
      options.seed = seed;
      options.epoch = epoch;
      Loader loader(dataset, options);
      std::vector<size_t> order = indices_of(all(loader));
      orders.insert(order);
      std::sort(order.begin(), order.end());
      std::vector<size_t> each(dataset.count);
      std::iota(each.begin(), each.end(), size_t{0});
      EXPECT_EQ(order, each);
    }
  }
  EXPECT_EQ(orders.size(), 4u);
}

TEST(Loader, AugmentedBytesAreTheSameForAnyNumberOfWorkers) {
  const auto dataset = procedural_dataset(parse_procedural("train=101"), "train");
  LoaderOptions options = in_batches_of(8);
  options.preprocessing.mean = options.preprocessing.deviation = {0.5, 0.5, 0.5};
  options.preprocessing.crop = 24;
  options.augmentation.emplace();
  options.augmentation->cropping = Cropping::random;
  options.augmentation->padding = 2;
  options.augmentation->mirrored = 0.5;
  options.augmentation->brightness = 0.4;
  options.shuffle = true;
  std::vector<Batch> expected;
  for (const int64_t workers : numbers_of_workers) {
    options.workers = workers;
    Loader loader(*dataset, options);
    const std::vector<Batch> batches = all(loader);
    if (expected.empty()) expected = batches;
    ASSERT_EQ(batches.size(), 13u);
    for (size_t i = 0; i < batches.size(); ++i) {
      EXPECT_EQ(batches[i].indices, expected[i].indices);
      EXPECT_EQ(batches[i].labels, expected[i].labels);
      EXPECT_EQ(batches[i].values, expected[i].values) << workers << " workers, batch " << i;
    }
  }
  options.epoch = 1;
  options.shuffle = false;
  Loader other_epoch(*dataset, options);
  options.epoch = 2;
  Loader another(*dataset, options);
  EXPECT_NE(all(other_epoch)[0].values, all(another)[0].values) << "each epoch has other crops";
}

TEST(Loader, ImagesThatOvertakeOthersStayInTheirPlaces) {
  Numbered dataset;
  dataset.milliseconds = 1;
  for (const int64_t batch : {1, 3, 20}) {
    Loader loader(dataset, in_batches_of(batch, 5));
    size_t expected = 0;
    for (Batch one; loader.next(one);) {
      for (int64_t i = 0; i < one.size; ++i) {
        EXPECT_EQ(one.values[static_cast<size_t>(i) * 6], static_cast<float>(expected++));
      }
    }
    EXPECT_EQ(expected, 20u);
  }
}

TEST(Loader, ReadsAheadButNotWithoutBounds) {
  Watched dataset;
  dataset.count = 1000;
  dataset.allow(20);
  Loader loader(dataset, in_batches_of(10, 2));
  // Nothing is asked for before all is read that may be: threads without a bound would go on.
  for (size_t given = 0; given < 100; ++given) {
    ASSERT_TRUE(dataset.wait_until_begun(dataset.allowed)) << "no reading ahead of " << given;
    dataset.allow((given + 3) * 10);
    Batch batch;
    ASSERT_TRUE(loader.next(batch));
  }
  const std::lock_guard lock(dataset.mutex);
  EXPECT_FALSE(dataset.too_early);
  EXPECT_EQ(dataset.begun, 1000u);
}

TEST(Loader, MemoryIsUsedAgain) {
  Numbered dataset;
  dataset.count = 100;
  for (const int64_t workers : numbers_of_workers) {
    Loader loader(dataset, in_batches_of(5, workers));
    std::set<const float*> places;
    for (Batch batch; loader.next(batch);) places.insert(batch.values.data());
    EXPECT_LE(places.size(), 4u) << workers;
  }
}

TEST(Loader, StopsEarlyWithoutAHang) {
  Numbered dataset;
  dataset.milliseconds = 1;
  dataset.count = 100000;
  for (const int64_t workers : numbers_of_workers) {
    { Loader untouched(dataset, in_batches_of(4, workers)); }
    Loader loader(dataset, in_batches_of(4, workers));
    Batch batch;
    EXPECT_TRUE(loader.next(batch));
  }
}

TEST(Loader, BrokenImageIsThrownInItsTurn) {
  Numbered dataset;
  dataset.broken = {9, 14};
  dataset.milliseconds = 1;
  for (const int64_t workers : numbers_of_workers) {
    Loader loader(dataset, in_batches_of(4, workers));
    Batch batch;
    EXPECT_TRUE(loader.next(batch));
    EXPECT_TRUE(loader.next(batch));
    for (int attempt = 0; attempt < 2; ++attempt) {
      EXPECT_EQ(message_of<BrokenImage>([&] { loader.next(batch); }), "image 9: not so good");
    }
  }
}

TEST(Loader, BrokenImagesMayBeLeftOutAndAreNamed) {
  Numbered dataset;
  dataset.broken = {0, 5, 8, 9, 10, 11, 19};
  for (const int64_t workers : numbers_of_workers) {
    LoaderOptions options = in_batches_of(4, workers);
    options.skip_broken = true;
    Loader loader(dataset, options);
    const std::vector<Batch> batches = all(loader);
    ASSERT_EQ(batches.size(), 4u) << "one of five has nothing else";
    EXPECT_EQ(batches[0].indices, (std::vector<size_t>{1, 2, 3}));
    EXPECT_EQ(batches[1].indices, (std::vector<size_t>{4, 6, 7}));
    EXPECT_EQ(batches[1].labels, (std::vector<int64_t>{0, 0, 1}));
    EXPECT_EQ(batches[1].values[6], 6);
    EXPECT_EQ(batches[1].values.size(), 18u);
    EXPECT_EQ(batches[2].indices, (std::vector<size_t>{12, 13, 14, 15}));
    ASSERT_EQ(loader.skipped().size(), 7u);
    EXPECT_EQ(loader.skipped()[1].name, "image 5");
    EXPECT_EQ(loader.skipped()[1].reason, "not so good");
  }
}

TEST(Loader, OtherErrorsAreNotSkipped) {
  Numbered dataset;
  dataset.failing = {3};
  for (const int64_t workers : numbers_of_workers) {
    LoaderOptions options = in_batches_of(4, workers);
    options.skip_broken = true;
    Loader loader(dataset, options);
    Batch batch;
    EXPECT_EQ(message_of<std::runtime_error>([&] { loader.next(batch); }), "image 3: worse");
  }
}

TEST(Loader, ImagesOfDifferentSizesAreNamed) {
  Numbered dataset;
  dataset.larger = {6, 7};
  dataset.milliseconds = 1;
  for (const int64_t workers : numbers_of_workers) {
    Loader loader(dataset, in_batches_of(4, workers));
    Batch batch;
    EXPECT_TRUE(loader.next(batch));
    EXPECT_EQ(message_of<std::invalid_argument>([&] { loader.next(batch); }),
              "expected images of one size in a batch, but image 4 gives 3x2 and image 6 gives "
              "4x2; choose a crop, or batches of one image");
    Loader single(dataset, in_batches_of(1, workers));
    EXPECT_EQ(all(single).size(), 20u);
  }
}

TEST(Loader, WrongNumberOfChannelsIsAnError) {
  Numbered dataset;
  dataset.channels = 3;
  Loader loader(dataset, in_batches_of(4));
  Batch batch;
  EXPECT_EQ(message_of<std::invalid_argument>([&] { loader.next(batch); }),
            "image 0: expected 1 channels, as the preprocessing has means, found 3; open the "
            "dataset with as many channels");
}

TEST(Loader, OptionsWithoutSenseAreRefused) {
  const Numbered dataset;
  EXPECT_THROW(Loader(dataset, in_batches_of(0)), std::invalid_argument);
  EXPECT_THROW(Loader(dataset, in_batches_of(4, -1)), std::invalid_argument);
}

TEST(Loader, TellsHowLongItWaited) {
  Watched dataset;
  dataset.milliseconds = 2;
  dataset.count = 8;
  Loader loader(dataset, in_batches_of(4));
  all(loader);
  EXPECT_GE(loader.waited_seconds(), 0.024) << "6 + 4 + 2 + 0 ms, twice";
}

TEST(Loader, WhatIsReadAheadIsNotWaitedFor) {
  Watched dataset;
  dataset.milliseconds = 20;
  dataset.count = 8;
  Loader ahead(dataset, in_batches_of(4, 1));
  // The only thread is at the fifth image, so that the first batch is there.
  ASSERT_TRUE(dataset.wait_until_begun(5));
  const auto start = std::chrono::steady_clock::now();
  Batch batch;
  ASSERT_TRUE(ahead.next(batch));
  // On a loaded machine both may be long.
  const std::chrono::duration<double> asked = std::chrono::steady_clock::now() - start;
  EXPECT_LE(ahead.waited_seconds(), asked.count());
}

TEST(Loader, ReasonOfASkippedImageDoesNotBeginWithItsName) {
  EXPECT_EQ(skipped_because("image 1", "image 1: is empty").reason, "is empty");
  EXPECT_EQ(skipped_because("image 1", "image 1 is empty").reason, "is empty");
  EXPECT_EQ(skipped_because("image 1", "image 12 is empty").reason, "image 12 is empty");
  EXPECT_EQ(skipped_because("image 1", "image 1").reason, "");
  EXPECT_EQ(skipped_because("image 1", "cannot read image 1").reason, "cannot read image 1");
  EXPECT_EQ(skipped_because("", "is empty").reason, "is empty");
}

}  // namespace
}  // namespace convscope

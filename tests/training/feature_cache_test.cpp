// Features on disk: found by their key, bounded, and never worse than none.
#include "suite/training/feature_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

struct Stored {
  std::vector<float> values;
  std::vector<int64_t> labels = {1};

  explicit Stored(size_t count, float value = 1) : values(count, value) {}
  std::vector<StoredTensor> tensors() const {
    const auto count = static_cast<int64_t>(values.size());
    return {
        {"features",
         ScalarType::float32,
         {count},
         {1},
         reinterpret_cast<const std::byte*>(values.data())},
        {"labels", ScalarType::int64, {1}, {1}, reinterpret_cast<const std::byte*>(labels.data())}};
  }
};

TEST(FeatureCache, GivesBackWhatWasKeptUnderTheSameKeyOnly) {
  const TemporaryFolder folder;
  FeatureCache cache(folder.path / "below", 1 << 20);
  EXPECT_FALSE(cache.find("a"));
  cache.keep("a", Stored(100, 3).tensors());
  const auto found = cache.find("a");
  ASSERT_TRUE(found);
  std::vector<float> values(100);
  copy_values(found->tensors[0], values.data());
  EXPECT_EQ(values, std::vector<float>(100, 3));
  EXPECT_FALSE(cache.find("b"));
}

TEST(FeatureCache, WhatWasUsedLongestAgoGoesFirst) {
  const TemporaryFolder folder;
  FeatureCache cache(folder.path, 100'000);
  for (const char* key : {"a", "b", "c"}) {
    cache.keep(key, Stored(7'000).tensors());  // 28 kB each
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(cache.find("a"));  // and so was used now
  cache.keep("d", Stored(7'000).tensors());
  EXPECT_TRUE(cache.find("a"));
  EXPECT_FALSE(cache.find("b"));
  EXPECT_TRUE(cache.find("d"));
  EXPECT_LE(cache.bytes(), 100'000);
  cache.keep("larger than all", Stored(70'000).tensors());
  EXPECT_FALSE(cache.find("larger than all"));
  EXPECT_TRUE(cache.find("d"));
}

TEST(FeatureCache, ADamagedFileCountsAsNoneAndIsReplaced) {
  const TemporaryFolder folder;
  FeatureCache cache(folder.path, 1 << 20);
  cache.keep("a", Stored(100).tensors());
  for (const auto& file : std::filesystem::directory_iterator(folder.path)) {
    std::ofstream(file.path()) << "no safetensors";
  }
  EXPECT_FALSE(cache.find("a"));
  cache.keep("a", Stored(100).tensors());
  EXPECT_TRUE(cache.find("a"));
}

TEST(FeatureCache, AFolderThatCannotBeWrittenIsNoCache) {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "file") << "in the way";
  FeatureCache cache(folder.path / "file", 1 << 20);
  cache.keep("a", Stored(100).tensors());
  EXPECT_FALSE(cache.find("a"));
  EXPECT_EQ(cache.bytes(), 0);
}

}  // namespace
}  // namespace convscope

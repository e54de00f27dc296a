// What the tests of commands that draw an untrained network's insides begin with.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/commands/convscope_with.h"
#include "tests/data/made_images.h"
#include "tests/report/temporary_folder.h"

namespace convscope {

class PictureCommand : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder.path / name).string(); }

  std::string image(const std::string& name, int64_t height = 40, int64_t width = 50) const {
    const Bytes bytes = made_jpeg(height, width, {});
    put(path(name), {bytes.begin(), bytes.end()});
    return path(name);
  }

  /// With an untrained network, one thread, SVG, and records in "results".
  Result run(std::vector<std::string> words) const {
    for (const char* word : {"--untrained", "--threads", "1", "--image-format", "svg"}) {
      words.emplace_back(word);
    }
    words.push_back("--results");
    words.push_back(path("results"));
    return convscope_with(words);
  }

  void expect_usage_error(const std::vector<std::string>& words, const std::string& said) const {
    const Result result = run(words);
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(contains(result.err, said)) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }

  TemporaryFolder folder;
};

}  // namespace convscope

#include "suite/data/procedural.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "suite/data/datasets.h"
#include "tests/report/temporary_folder.h"

namespace convscope {
namespace {

std::unique_ptr<Dataset> made(const std::string& text, const std::string& split = "train") {
  return procedural_dataset(parse_procedural(text), split);
}

/// FNV-1a.
uint64_t fingerprint(const std::vector<uint8_t>& bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

TEST(Procedural, BytesAreTheSameOnEveryMachine) {
  // Of the first run: a change here changes every result that was ever measured on these images.
  const std::pair<const char*, uint64_t> expected[] = {
      {"classes=48,size=32", 17148583119772394470u},
      {"classes=24,halves=dissimilar,size=16,seed=3", 3367731409286954236u}};
  for (const auto& [text, print] : expected) {
    const auto dataset = made(text);
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i < 48; ++i) {
      const Image image = dataset->image(i);
      bytes.insert(bytes.end(), image.pixels.begin(), image.pixels.end());
    }
    EXPECT_EQ(fingerprint(bytes), print) << text;
  }
}

TEST(Procedural, NoImageIsInTwoSplitsOrTwice) {
  std::set<uint64_t> prints;
  for (const char* split : {"train", "val", "test"}) {
    const auto dataset = made("train=200,val=200,test=200", split);
    for (size_t i = 0; i < dataset->size(); ++i) {
      prints.insert(fingerprint(dataset->image(i).pixels));
    }
  }
  EXPECT_EQ(prints.size(), 600u);
}

TEST(Procedural, HalvesShareNoBackground) {
  // The corner is background in most images; one byte in 256 is equal by chance.
  const auto a = made("half=A"), b = made("half=B");
  int equal = 0;
  for (size_t i = 0; i < 200; ++i) equal += a->image(i).pixels[0] == b->image(i).pixels[0];
  EXPECT_LT(equal, 10);
}

TEST(Procedural, EveryClassHasItsOwnShapeAndTexture) {
  for (const std::string halves : {"similar", "dissimilar"}) {
    for (int classes = 2; classes <= (halves == "similar" ? 48 : 24); ++classes) {
      const auto dataset = made("classes=" + std::to_string(classes) + ",halves=" + halves);
      const auto& names = dataset->classes();
      EXPECT_EQ(names.size(), static_cast<size_t>(classes));
      EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    }
  }
}

TEST(Procedural, HalvesShareShapesOrNothing) {
  const auto parts = [](const std::string& text, bool shapes) {
    std::set<std::string> result;
    const auto dataset = made(text);
    for (const std::string& name : dataset->classes()) {
      const size_t comma = name.find(", ");
      result.insert(shapes ? name.substr(0, comma) : name.substr(comma));
    }
    return result;
  };
  const auto common = [](const std::set<std::string>& a, const std::set<std::string>& b) {
    return std::count_if(a.begin(), a.end(), [&](const auto& item) { return b.count(item) > 0; });
  };
  const std::string similar = "classes=20,halves=similar,half=";
  EXPECT_EQ(parts(similar + "A", true), parts(similar + "B", true));
  EXPECT_EQ(common(parts(similar + "A", false), parts(similar + "B", false)), 0);
  const std::string dissimilar = "classes=20,halves=dissimilar,half=";
  EXPECT_EQ(common(parts(dissimilar + "A", true), parts(dissimilar + "B", true)), 0);
  EXPECT_EQ(common(parts(dissimilar + "A", false), parts(dissimilar + "B", false)), 0);
  EXPECT_EQ(made(similar + "B")->classes().size(), 10u);
}

TEST(Procedural, MeanColourSaysNothingOfTheClass) {
  const auto dataset = made("train=4000");
  double sum[10][3] = {}, square = 0;
  for (size_t i = 0; i < 4000; ++i) {
    const Image image = dataset->image(i);
    for (size_t c = 0; c < 3; ++c) {
      double mean = 0;
      for (size_t k = c; k < image.pixels.size(); k += 3) mean += image.pixels[k] / 1024.0;
      sum[i % 10][c] += mean / 400;
      square += (mean - 127.5) * (mean - 127.5) / 12000;
    }
  }
  // The mean of 400 images is uncertain by a twentieth of their deviation; none is off by four.
  for (const auto& of_class : sum) {
    for (const double mean : of_class) EXPECT_NEAR(mean, 127.5, 4 * std::sqrt(square) / 20);
  }
}

TEST(Procedural, SizesAndChannelsAreThoseAskedFor) {
  for (const int64_t size : {16, 33, 224}) {
    ProceduralOptions options;
    options.size = size;
    options.channels = 1;
    const Image image = procedural_dataset(options, "test")->image(7);
    EXPECT_EQ(image.full.height, size);
    EXPECT_EQ(image.channels, 1);
    EXPECT_EQ(image.pixels.size(), static_cast<size_t>(size * size));
  }
}

TEST(Procedural, PathOpensIt) {
  DatasetOptions options;
  options.path = "procedural:classes=4,size=16,test=8";
  EXPECT_EQ(dataset_splits(options), (std::vector<std::string>{"train", "val", "test"}));
  const auto dataset = open_dataset(options);
  EXPECT_EQ(dataset->size(), 8u);
  EXPECT_EQ(dataset->classes().size(), 4u);
  options.seed = 5;
  EXPECT_NE(open_dataset(options)->image(0).pixels, dataset->image(0).pixels);
  options.path = "procedural";
  options.split = "train";
  EXPECT_EQ(open_dataset(options)->size(), 5000u);
}

TEST(Procedural, WrongOptionSaysWhatItTakes) {
  const auto said = [](const std::string& text) {
    return message_of<std::invalid_argument>([&] { made(text); });
  };
  EXPECT_EQ(said("classes=1"), "procedural: expected classes from 2 to 48, found 1");
  EXPECT_EQ(said("classes=26,halves=dissimilar"),
            "procedural: expected classes from 2 to 24, found 26");
  EXPECT_EQ(said("size=8"), "procedural: expected size from 16 to 224, found 8");
  EXPECT_EQ(said("classes=5,half=A"),
            "procedural: expected an even number of classes to take half of, found 5");
  EXPECT_EQ(said("half=C"), "procedural: expected one of A, B, both for half, found 'C'");
  EXPECT_EQ(said("size=1e2"), "procedural: expected an integer for size, found '1e2'");
  EXPECT_EQ(said("clases=4"),
            "procedural: expected one of classes, size, train, val, test, halves, half, seed, "
            "found 'clases'; did you mean 'classes'?");
  EXPECT_EQ(said("size"), "procedural: expected key=value pairs with commas between, found 'size'");
}

}  // namespace
}  // namespace convscope

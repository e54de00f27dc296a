// Preprocessing that travels with weights, and what is said where it differs.
#include "suite/weights/preprocessing_record.h"

#include <gtest/gtest.h>

namespace convscope {
namespace {

const Preprocessing imagenet_images = {
    256, 224, Interpolation::bilinear, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};

TEST(PreprocessingRecord, ReadsBackWhatItWrote) {
  Preprocessing p = imagenet_images;
  p.interpolation = Interpolation::bicubic;
  p.bgr = true;
  p.range = 255;
  WeightsFile file;
  file.beside = {{"format", "pt"}, {"preprocessing", preprocessing_record(p)}};
  ASSERT_TRUE(recorded_preprocessing(file));
  EXPECT_EQ(*recorded_preprocessing(file), p);
}

TEST(PreprocessingRecord, NoneIsNoneAndNonsenseIsAnError) {
  WeightsFile file;
  EXPECT_FALSE(recorded_preprocessing(file));
  for (const char* nonsense : {"", "{}", "[1]", R"({"resize": "large"})"}) {
    file.beside = {{"preprocessing", nonsense}};
    EXPECT_THROW(recorded_preprocessing(file), std::invalid_argument) << nonsense;
  }
}

TEST(PreprocessingRecord, WhatNoImageCanBecomeIsAnErrorThatNamesTheFile) {
  using Change = void (*)(Preprocessing&);
  const Change changes[] = {
      [](Preprocessing& p) { p.crop = int64_t{1} << 32; },
      [](Preprocessing& p) { p.resize = 9'000'000'000'000'000'000; },
      [](Preprocessing& p) { p.resize = -1; },
      [](Preprocessing& p) { p.range = 0; },
      [](Preprocessing& p) { p.deviation[1] = 0; },
      [](Preprocessing& p) { p.deviation.pop_back(); },
      [](Preprocessing& p) { p.mean = p.deviation = {}; },
  };
  for (const Change change : changes) {
    Preprocessing p = imagenet_images;
    change(p);
    WeightsFile file;
    file.path = "w.safetensors";
    file.beside = {{"preprocessing", preprocessing_record(p)}};
    try {
      recorded_preprocessing(file);
      ADD_FAILURE() << preprocessing_record(p);
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("w.safetensors"), std::string::npos);
    }
  }
}

TEST(PreprocessingDifferences, AreNamedOneByOne) {
  Preprocessing other = imagenet_images;
  EXPECT_TRUE(differences(other, imagenet_images).empty());
  other.mean = {0.5, 0.5, 0.5};
  other.crop = 192;
  other.bgr = true;
  EXPECT_EQ(differences(other, imagenet_images),
            (std::vector<std::string>{"crop 192 instead of crop 224",
                                      "mean 0.5 0.5 0.5 instead of 0.485 0.456 0.406",
                                      "BGR instead of RGB"}));
}

TEST(UsualPreprocessing, IsImageNetsForItsSizes) {
  EXPECT_EQ(usual_preprocessing({3, 224, 224}), imagenet_images);
  EXPECT_EQ(usual_preprocessing({3, 299, 299}).resize, 342);  // torchvision's for Inception v3
  EXPECT_EQ(usual_preprocessing({3, 32, 32}).resize, 32);
  EXPECT_EQ(usual_preprocessing({1, 28, 28}).mean, std::vector<double>{0});
}

}  // namespace
}  // namespace convscope

#include "suite/weights/published.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "architectures/nearest.h"
#include "suite/weights/sha256.h"

namespace convscope {
namespace {

const std::vector<double> imagenet_mean = {0.485, 0.456, 0.406};
const std::vector<double> imagenet_deviation = {0.229, 0.224, 0.225};

/// How torchvision prepares ImageNet's images.
Preprocessing middle(int64_t resize, int64_t crop) {
  return {resize, crop, Interpolation::bilinear, imagenet_mean, imagenet_deviation};
}

/// For weights that were converted from TensorFlow. torchvision normalises images as for the
/// others, and its networks undo that at their first line when they have these weights
/// (transform_input in googlenet.py and inception.py): x * 0.229 / 0.5 + (0.485 - 0.5) / 0.5 and so
/// on, which leaves (value - 0.5) / 0.5. Our networks take images as they are.
Preprocessing from_tensorflow(int64_t resize, int64_t crop) {
  return {resize, crop, Interpolation::bilinear, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
}

/// "11ad3fa6" of "resnet50-11ad3fa6.pth".
std::string digits_of(const std::string& file) {
  const std::string stem = std::filesystem::path(file).stem().string();
  return stem.substr(stem.rfind('-') + 1);
}

/// The metadata of torchvision 0.14's weights, which tests/weights/published_test.py compares.
PublishedWeights torchvision(const std::string& name, const std::string& file, double top1,
                             double top5, Preprocessing preprocessing = middle(256, 224)) {
  return {name,
          name.substr(0, name.find('-')),
          file,
          "https://download.pytorch.org/models/" + file,
          digits_of(file),
          "torchvision",
          "ImageNet-1K",
          top1,
          top5,
          std::move(preprocessing)};
}

/// The README of the repository states the test error.
PublishedWeights akamaster(const std::string& name, const std::string& file, double top1) {
  return {
      name,
      name,
      file,
      "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/" + file,
      digits_of(file),
      "akamaster/pytorch_resnet_cifar10",
      "CIFAR-10",
      top1,
      0,
      middle(32, 32)};
}

std::vector<PublishedWeights> make_table() {
  return {
      torchvision("alexnet", "alexnet-owt-7be5be79.pth", 56.522, 79.066),
      torchvision("vgg11", "vgg11-8a719046.pth", 69.020, 88.628),
      torchvision("vgg11_bn", "vgg11_bn-6002323d.pth", 70.370, 89.810),
      torchvision("vgg13", "vgg13-19584684.pth", 69.928, 89.246),
      torchvision("vgg13_bn", "vgg13_bn-abd245e5.pth", 71.586, 90.374),
      torchvision("vgg16", "vgg16-397923af.pth", 71.592, 90.382),
      torchvision("vgg16_bn", "vgg16_bn-6c64b313.pth", 73.360, 91.516),
      torchvision("vgg19", "vgg19-dcbb9e9d.pth", 72.376, 90.876),
      torchvision("vgg19_bn", "vgg19_bn-c79401a0.pth", 74.218, 91.842),
      torchvision("googlenet", "googlenet-1378be20.pth", 69.778, 89.530, from_tensorflow(256, 224)),
      torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", 77.294, 93.450,
                  from_tensorflow(342, 299)),
      torchvision("resnet18", "resnet18-f37072fd.pth", 69.758, 89.078),
      torchvision("resnet34", "resnet34-b627a593.pth", 73.314, 91.420),
      torchvision("resnet50", "resnet50-0676ba61.pth", 76.130, 92.862),
      torchvision("resnet50-v2", "resnet50-11ad3fa6.pth", 80.858, 95.434, middle(232, 224)),
      torchvision("resnet101", "resnet101-63fe2227.pth", 77.374, 93.546),
      torchvision("resnet101-v2", "resnet101-cd907fc2.pth", 81.886, 95.780, middle(232, 224)),
      torchvision("resnet152", "resnet152-394f9c45.pth", 78.312, 94.046),
      torchvision("resnet152-v2", "resnet152-f82ba261.pth", 82.284, 96.002, middle(232, 224)),
      akamaster("resnet20", "resnet20-12fca82f.th", 91.73),
      akamaster("resnet32", "resnet32-d509ac18.th", 92.63),
      akamaster("resnet44", "resnet44-014dd654.th", 93.10),
      akamaster("resnet56", "resnet56-4bfd9763.th", 93.39),
      akamaster("resnet110", "resnet110-1d1ed7c2.th", 93.68),
      akamaster("resnet1202", "resnet1202-f3b1deed.th", 93.82),
      torchvision("squeezenet1_0", "squeezenet1_0-b66bff10.pth", 58.092, 80.420),
      torchvision("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 58.178, 80.624),
      torchvision("mobilenet_v2", "mobilenet_v2-b0353104.pth", 71.878, 90.286),
      torchvision("mobilenet_v2-v2", "mobilenet_v2-7ebf99e0.pth", 72.154, 90.822, middle(232, 224)),
      torchvision("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", 74.042, 91.340),
      torchvision("mobilenet_v3_large-v2", "mobilenet_v3_large-5c1a4163.pth", 75.274, 92.566,
                  middle(232, 224)),
      torchvision("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", 67.668, 87.402),
  };
}

template <class Condition>
const PublishedWeights* first(Condition condition) {
  const std::vector<PublishedWeights>& all = published_weights();
  const auto found = std::find_if(all.begin(), all.end(), condition);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<PublishedWeights>& published_weights() {
  static const std::vector<PublishedWeights> table = make_table();
  return table;
}

const PublishedWeights& find_published(const std::string& name) {
  const PublishedWeights* found = first([&](const PublishedWeights& row) {
    const bool newer = row.name != row.architecture;
    return name == row.name || (!newer && name == row.name + "-v1");
  });
  if (found) return *found;
  std::vector<std::string> names;
  for (const PublishedWeights& row : published_weights()) names.push_back(row.name);
  std::string suggestion = did_you_mean(name, names);
  if (suggestion.empty()) suggestion = did_you_mean(name.substr(0, name.find('-')), names);
  throw std::invalid_argument("no published weights are known under the name '" + name + "'" +
                              suggestion);
}

const PublishedWeights* published_for_file(const std::string& file) {
  const std::string name = std::filesystem::path(file).filename().string();
  return first([&](const PublishedWeights& row) { return row.file == name; });
}

const PublishedWeights* published_for_hash(const std::string& sha256) {
  return first([&](const PublishedWeights& row) {
    return sha256.compare(0, row.sha256_prefix.size(), row.sha256_prefix) == 0;
  });
}

const PublishedWeights* published_weights_in(const WeightsFile& file) {
  const PublishedWeights* by_name = published_for_file(file.path.string());
  return by_name ? by_name : published_for_hash(sha256_of(file.path));
}

PublishedAccuracy published_accuracy(const Architecture& architecture, const Settings& settings) {
  const Settings& paper = architecture.settings;
  if (settings.classes != paper.classes || settings.width != paper.width ||
      settings.image.channels != paper.image.channels ||
      settings.image.height != settings.image.width) {
    return {};
  }
  const PublishedWeights* weights = first([&](const PublishedWeights& row) {
    return row.architecture == architecture.name && row.top1 > 0 &&
           row.preprocessing.crop == settings.image.height;
  });
  if (weights) return {weights->dataset, weights->top1, weights->source + "'s weights"};
  return settings.image.height == paper.image.height ? architecture.stated : PublishedAccuracy();
}

}  // namespace convscope

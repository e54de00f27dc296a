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

Preprocessing bicubic(int64_t resize, int64_t crop) {
  return {resize, crop, Interpolation::bicubic, imagenet_mean, imagenet_deviation};
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

/// Accuracies of segmentation are no top-1 (here a mean IoU of 66.4 % and 92.4 % of the pixels).
/// torchvision resizes the shorter side and keeps the whole image; a network here takes images of
/// one size, which are its middle.
PublishedWeights of_segmentation(const std::string& name, const std::string& file) {
  PublishedWeights weights = torchvision(name, file, 0, 0, middle(520, 520));
  weights.dataset = "COCO-val2017-VOC-labels";
  return weights;
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
      torchvision("resnext50_32x4d", "resnext50_32x4d-7cdf4587.pth", 77.618, 93.698),
      torchvision("resnext50_32x4d-v2", "resnext50_32x4d-1a0047aa.pth", 81.198, 95.340,
                  middle(232, 224)),
      torchvision("resnext101_32x8d", "resnext101_32x8d-8ba56ff5.pth", 79.312, 94.526),
      torchvision("resnext101_32x8d-v2", "resnext101_32x8d-110c445d.pth", 82.834, 96.228,
                  middle(232, 224)),
      torchvision("resnext101_64x4d", "resnext101_64x4d-173b62eb.pth", 83.246, 96.454,
                  middle(232, 224)),
      torchvision("wide_resnet50_2", "wide_resnet50_2-95faca4d.pth", 78.468, 94.086),
      torchvision("wide_resnet50_2-v2", "wide_resnet50_2-9ba9bcbe.pth", 81.602, 95.758,
                  middle(232, 224)),
      torchvision("wide_resnet101_2", "wide_resnet101_2-32ee1156.pth", 78.848, 94.284),
      torchvision("wide_resnet101_2-v2", "wide_resnet101_2-d733dc28.pth", 82.510, 96.020,
                  middle(232, 224)),
      akamaster("resnet20", "resnet20-12fca82f.th", 91.73),
      akamaster("resnet32", "resnet32-d509ac18.th", 92.63),
      akamaster("resnet44", "resnet44-014dd654.th", 93.10),
      akamaster("resnet56", "resnet56-4bfd9763.th", 93.39),
      akamaster("resnet110", "resnet110-1d1ed7c2.th", 93.68),
      akamaster("resnet1202", "resnet1202-f3b1deed.th", 93.82),
      torchvision("densenet121", "densenet121-a639ec97.pth", 74.434, 91.972),
      torchvision("densenet161", "densenet161-8d451a50.pth", 77.138, 93.560),
      torchvision("densenet169", "densenet169-b2777c0a.pth", 75.600, 92.806),
      torchvision("densenet201", "densenet201-c1103571.pth", 76.896, 93.370),
      torchvision("squeezenet1_0", "squeezenet1_0-b66bff10.pth", 58.092, 80.420),
      torchvision("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 58.178, 80.624),
      torchvision("mobilenet_v2", "mobilenet_v2-b0353104.pth", 71.878, 90.286),
      torchvision("mobilenet_v2-v2", "mobilenet_v2-7ebf99e0.pth", 72.154, 90.822, middle(232, 224)),
      torchvision("shufflenet_v2_x0_5", "shufflenetv2_x0.5-f707e7126e.pth", 60.552, 81.746),
      torchvision("shufflenet_v2_x1_0", "shufflenetv2_x1-5666bf0f80.pth", 69.362, 88.316),
      torchvision("shufflenet_v2_x1_5", "shufflenetv2_x1_5-3c479a10.pth", 72.996, 91.086,
                  middle(232, 224)),
      torchvision("shufflenet_v2_x2_0", "shufflenetv2_x2_0-8be3c8ee.pth", 76.230, 93.006,
                  middle(232, 224)),
      torchvision("mnasnet0_5", "mnasnet0.5_top1_67.823-3ffadce67e.pth", 67.734, 87.490),
      torchvision("mnasnet0_75", "mnasnet0_75-7090bc5f.pth", 71.180, 90.496, middle(232, 224)),
      torchvision("mnasnet1_0", "mnasnet1.0_top1_73.512-f206786ef8.pth", 73.456, 91.510),
      torchvision("mnasnet1_3", "mnasnet1_3-a4c69d6f.pth", 76.506, 93.522, middle(232, 224)),
      torchvision("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", 74.042, 91.340),
      torchvision("mobilenet_v3_large-v2", "mobilenet_v3_large-5c1a4163.pth", 75.274, 92.566,
                  middle(232, 224)),
      torchvision("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", 67.668, 87.402),
      // B0 to B7 with the digits that torchvision has since 0.16.1: before, they were not those of
      // the files' hashes (pytorch/vision, issue 7744).
      torchvision("efficientnet_b0", "efficientnet_b0_rwightman-7f5810bc.pth", 77.692, 93.532,
                  bicubic(256, 224)),
      torchvision("efficientnet_b1", "efficientnet_b1_rwightman-bac287d4.pth", 78.642, 94.186,
                  bicubic(256, 240)),
      torchvision("efficientnet_b1-v2", "efficientnet_b1-c27df63c.pth", 79.838, 94.934,
                  middle(255, 240)),
      torchvision("efficientnet_b2", "efficientnet_b2_rwightman-c35c1473.pth", 80.608, 95.310,
                  bicubic(288, 288)),
      torchvision("efficientnet_b3", "efficientnet_b3_rwightman-b3899882.pth", 82.008, 96.054,
                  bicubic(320, 300)),
      torchvision("efficientnet_b4", "efficientnet_b4_rwightman-23ab8bcd.pth", 83.384, 96.594,
                  bicubic(384, 380)),
      torchvision("efficientnet_b5", "efficientnet_b5_lukemelas-1a07897c.pth", 83.444, 96.628,
                  bicubic(456, 456)),
      torchvision("efficientnet_b6", "efficientnet_b6_lukemelas-24a108a5.pth", 84.008, 96.916,
                  bicubic(528, 528)),
      torchvision("efficientnet_b7", "efficientnet_b7_lukemelas-c5b4e57e.pth", 84.122, 96.908,
                  bicubic(600, 600)),
      torchvision("efficientnet_v2_s", "efficientnet_v2_s-dd5fe13b.pth", 84.228, 96.878,
                  middle(384, 384)),
      torchvision("efficientnet_v2_m", "efficientnet_v2_m-dc08266a.pth", 85.112, 97.156,
                  middle(480, 480)),
      torchvision("efficientnet_v2_l", "efficientnet_v2_l-59c71312.pth", 85.808, 97.788,
                  {480, 480, Interpolation::bicubic, {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}),
      of_segmentation("deeplabv3_resnet50", "deeplabv3_resnet50_coco-cd0a2569.pth"),
      torchvision("vit_b_16", "vit_b_16-c867db91.pth", 81.072, 95.318),
      torchvision("vit_b_16-swag", "vit_b_16_swag-9ac1b537.pth", 85.304, 97.650, bicubic(384, 384)),
      torchvision("vit_b_16-swag-linear", "vit_b_16_lc_swag-4e70ced5.pth", 81.886, 96.180,
                  bicubic(224, 224)),
      torchvision("vit_b_32", "vit_b_32-d86f8d99.pth", 75.912, 92.466),
      torchvision("vit_l_16", "vit_l_16-852ce7e3.pth", 79.662, 94.638, middle(242, 224)),
      torchvision("vit_l_16-swag", "vit_l_16_swag-4f3808c9.pth", 88.064, 98.512, bicubic(512, 512)),
      torchvision("vit_l_16-swag-linear", "vit_l_16_lc_swag-4d563306.pth", 85.146, 97.422,
                  bicubic(224, 224)),
      torchvision("vit_l_32", "vit_l_32-c7638314.pth", 76.972, 93.070),
      torchvision("convnext_tiny", "convnext_tiny-983f1562.pth", 82.520, 96.146, middle(236, 224)),
      torchvision("convnext_small", "convnext_small-0c510722.pth", 83.616, 96.650,
                  middle(230, 224)),
      torchvision("convnext_base", "convnext_base-6075fbad.pth", 84.062, 96.870, middle(232, 224)),
      torchvision("convnext_large", "convnext_large-ea097f82.pth", 84.414, 96.976,
                  middle(232, 224)),
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

// The weights that others have published for networks of the catalogue: where they lie, how their
// file is recognised, what accuracy they reach and how their images must be prepared.
#pragma once

#include <string>
#include <vector>

#include "architectures/architecture.h"
#include "architectures/preprocessing.h"
#include "suite/weights/weights_file.h"

namespace convscope {

struct PublishedWeights {
  std::string name;          ///< "resnet50", "resnet50-v2"
  std::string architecture;  ///< the network of the catalogue that loads them
  std::string file;          ///< "resnet50-11ad3fa6.pth"
  std::string url;
  std::string
      sha256_prefix;    ///< 8 digits or 10, which the publisher made a part of the file's name
  std::string source;   ///< who published them
  std::string dataset;  ///< on whose validation images the accuracies were measured
  double top1, top5;    ///< percent, as the publisher states them; 0: not stated
  Preprocessing preprocessing;
};

const std::vector<PublishedWeights>& published_weights();

/// By name. The name of a network alone, or with "-v1", means the first weights that its publisher
/// trained: they are what papers compare with, and they stay what they are when a newer recipe
/// appears, which "-v2" asks for. Throws std::invalid_argument that suggests the nearest name.
const PublishedWeights& find_published(const std::string& name);

/// Null if no row has this file name, which may have a path before it.
const PublishedWeights* published_for_file(const std::string& file);

/// Null if no row's digits begin this SHA-256, in hexadecimal.
const PublishedWeights* published_for_hash(const std::string& sha256);

/// The row whose file this is: by its name, or else, whoever renamed it, by its bytes. Null if
/// none.
const PublishedWeights* published_weights_in(const WeightsFile& file);

/// What is published of the network's accuracy at these settings: with its first weights, else by
/// its paper. `top1` is 0 if nothing is, as for another size than theirs.
PublishedAccuracy published_accuracy(const Architecture& architecture, const Settings& settings);

}  // namespace convscope

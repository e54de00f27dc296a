// The images of `neighbours`: read as features, chosen as queries, and drawn as a sheet.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "suite/commands/inference_options.h"
#include "suite/commands/subject.h"
#include "suite/data/dataset.h"
#include "suite/interpretation/feature_space.h"
#include "suite/report/figure.h"

namespace convscope {

/// Those of a dataset that could be read.
struct SeenImages {
  std::shared_ptr<const Dataset> dataset;
  FeatureRows features;              ///< a row for each
  std::vector<size_t> indices = {};  ///< in the dataset
  std::vector<int64_t> labels = {};  ///< places in `classes`, -1: not known
  std::vector<std::string> classes = {};

  size_t count() const { return indices.size(); }
  std::string name(size_t i) const { return dataset->name(indices[i]); }
  std::string class_of(size_t i) const {
    return labels[i] < 0 ? "" : classes[static_cast<size_t>(labels[i])];
  }
};

/// What --data names: a dataset with classes, or a folder of nothing but images.
std::unique_ptr<Dataset> images_of_data(const Invocation& invocation,
                                        const WeightedNetwork& network);

/// Runs the network on all images. Throws UsageError if none could be read, std::runtime_error
/// that names the image where the network computes no finite number.
SeenImages seen_images(const Invocation& invocation, const Subject& seen, const FeaturePlace& place,
                       const Speed& chosen, std::unique_ptr<Dataset> dataset);

struct Queries {
  SeenImages images;
  std::vector<size_t> itself;  ///< the place of each in the data, no_image: it is not there
};

/// `count` images of the data, or all if there are fewer: spread over the classes, and in these by
/// `seed`.
Queries chosen_queries(const SeenImages& data, size_t count, uint64_t seed);

/// Images in files; one that is also in the data has its class.
Queries named_queries(const Invocation& invocation, const Subject& seen, const FeaturePlace& place,
                      const Speed& chosen, const SeenImages& data,
                      const std::vector<std::filesystem::path>& files);

/// A row for each query: the image, and its nearest ones as the network sees them.
Figure neighbour_sheet(const Subject& seen, const std::string& layer, const SeenImages& data,
                       const Queries& queries,
                       const std::vector<std::vector<Neighbour>>& neighbours);

}  // namespace convscope

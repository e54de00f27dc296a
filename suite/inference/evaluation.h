// How often a network is right about labelled images.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "suite/data/loader.h"
#include "suite/inference/classifier.h"

namespace convscope {

struct Evaluation {
  int64_t images = 0;  ///< each counted once
  int64_t top1 = 0, top5 = 0;
  int64_t not_finite = 0;  ///< images with a logit that is no finite number: none is right
  double loss = 0;         ///< cross-entropy in nats, the mean over the images
  std::vector<int64_t> images_of, right_of;  ///< by class
  /// How many images of the first class were taken for the second; pairs that occurred.
  std::map<std::pair<int64_t, int64_t>, int64_t> confusion;
  bool frozen = false;
  double seconds = 0;         ///< from the first image on, reading and preparing included
  double waited_seconds = 0;  ///< of these, for images
};

/// The share of `hits` of `images`, and where the true share lies with 95 % confidence (Wilson's
/// interval: Wilson 1927; it stays between 0 and 1).
struct Share {
  double value, low, high;
};
Share share(int64_t hits, int64_t images);

/// Whether all logits are numbers.
bool all_finite(const float* logits, int64_t classes);

/// One class of several, and how likely.
struct Guess {
  int64_t index;
  double logit, probability;
};

/// The `count` likeliest classes, likeliest first; among equals the lower index.
std::vector<Guess> likeliest(const float* logits, int64_t classes, int64_t count);

/// Counts images one by one.
class Tally {
 public:
  explicit Tally(int64_t classes);
  /// Throws std::invalid_argument for a label that is no class.
  void add(const float* logits, int64_t label);
  int64_t images() const { return sum_.images; }
  Evaluation result() const;

 private:
  Evaluation sum_;  ///< whose loss is not divided yet
};

/// Runs through all that `loader` gives. Throws std::invalid_argument for a class of the data that
/// the network does not have.
Evaluation evaluate(Classifier& classifier, Loader& loader,
                    const std::function<void(int64_t done)>& progress);

/// From this many images on, freezing a network saves more than it costs.
inline constexpr size_t worth_freezing = 48;

}  // namespace convscope

// A unit of a network as a function of a picture, and where that function rises.
#pragma once

#include <torch/types.h>

#include <unordered_set>

#include "suite/interpretation/dream.h"

namespace convscope {

class UnitClimb {
 public:
  /// The arguments must outlive it.
  UnitClimb(const LoadedNetwork& network, const Preprocessing& preprocessing, size_t call,
            int64_t unit, DreamObjective objective);

  /// What the unit answers to a picture of the network's size.
  double answer(const Image& picture) const;

  /// The direction in which the answer to a picture (channels x height x width, from 0 to 1) rises,
  /// by its pixels, with a root mean square of 1; 0 where it rises nowhere.
  ///
  /// A rectifier that is off has no gradient to say what would turn it on. The layer's own let
  /// gradients pass where they are off, others only where else there would be none at all. A
  /// position of a map counts as much as it answers, but at least 0.3 of what the map does:
  /// with equal weights, all that could make a convolution's mean rise would be a plain colour.
  /// Throws std::runtime_error if the network computes no finite number.
  torch::Tensor direction(const torch::Tensor& picture) const;

 private:
  torch::Tensor gradient(const torch::Tensor& picture, bool all_pass) const;

  const LoadedNetwork& network_;
  const Preprocessing& preprocessing_;
  size_t call_;
  int64_t unit_;
  DreamObjective objective_;
  std::unordered_set<size_t> own_rectifiers_;  // calls
};

}  // namespace convscope

// What one element of a tensor can see of the image, and the arithmetic of it.
// Terms and formulas: Araujo, Norris, Sim, "Computing receptive fields of convolutional neural
// networks", Distill, 2019, https://distill.pub/2019/computing-receptive-fields.
#pragma once

#include <cstdint>
#include <vector>

namespace convscope {

/// How an operator slides along one dimension.
struct SlidingWindow {
  int64_t kernel = 1, stride = 1, padding = 0, dilation = 1;

  int64_t extent() const { return dilation * (kernel - 1) + 1; }
};

/// What a feature sees along one side of the image: feature o depends on no pixel outside
/// [o * stride - padding, o * stride - padding + size - 1].
struct Field {
  int64_t size = 1, stride = 1, padding = 0;

  /// Twice the distance of feature 0's centre from the centre of pixel 0.
  int64_t doubled_centre() const { return size - 1 - 2 * padding; }
  bool operator==(const Field& other) const {
    return size == other.size && stride == other.stride && padding == other.padding;
  }
};

/// The field of features that look through this window at features of the field `below`.
Field look_through(const SlidingWindow& window, const Field& below);

/// The fields of a tensor: one for each side of the image, and which dimension runs along it.
struct Fields {
  std::vector<Field> sides;  ///< empty for what does not depend on the image
  std::vector<int> side_of;  ///< for each dimension of the tensor, -1 for batch and channels
  bool aligned = true;       ///< all paths to it agree on stride and centre
  int depth = 0;             ///< convolutions and linear layers on the longest path
  int made_by = -1;          ///< the call that made the last feature map
  bool gated = false;        ///< a gate that sees the whole image was left out here

  /// False once a global pooling or a flattening has mixed all positions; `sides` then still says
  /// what the last feature map saw.
  bool spatial() const;
};

/// What depends on all of these: the smallest interval that holds the fields of each.
Field join(const Field& a, const Field& b);

}  // namespace convscope

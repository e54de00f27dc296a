// A convolution's kernels as pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/pictures/pixels.h"

namespace convscope {

/// The weights of a convolution, out x in x height x width; `in` is that of a group.
struct KernelBank {
  std::string layer;
  int64_t out, in, height, width;
  std::vector<float> values;

  size_t size() const { return static_cast<size_t>(in * height * width); }  ///< of one kernel
  const float* kernel(int64_t k) const { return values.data() + static_cast<size_t>(k) * size(); }
};

/// The L2 norm of a kernel.
double norm(const KernelBank& bank, int64_t kernel);

/// The kernels, those with the largest norm first.
std::vector<int64_t> strongest(const KernelBank& bank);

/// One kernel. Of three channels in their colours, grey where a weight is 0, each kernel by its own
/// largest weight; `bgr` says that blue comes first. Of one channel in signed colours. Of more the
/// norm over the channels at each place, by `largest`.
Pixels kernel_picture(const KernelBank& bank, int64_t kernel, double largest, bool bgr);

/// The largest norm over the channels at a place of any kernel: what kernel_picture() divides by.
double largest_norm(const KernelBank& bank);

/// A convolution of 1x1 is a matrix: a row for each kernel in this order, a column for each
/// channel.
Pixels matrix_picture(const KernelBank& bank, const std::vector<int64_t>& kernels);

}  // namespace convscope

#include "suite/pictures/kernels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace convscope {
namespace {

/// The norm over the channels at each place of a kernel.
std::vector<float> norms(const KernelBank& bank, int64_t kernel) {
  const auto places = static_cast<size_t>(bank.height * bank.width);
  std::vector<float> found(places);
  for (size_t place = 0; place < places; ++place) {
    double sum = 0;
    for (int64_t channel = 0; channel < bank.in; ++channel) {
      const double weight = bank.kernel(kernel)[static_cast<size_t>(channel) * places + place];
      sum += weight * weight;
    }
    found[place] = static_cast<float>(std::sqrt(sum));
  }
  return found;
}

Pixels colour_picture(const KernelBank& bank, int64_t kernel, bool bgr) {
  const float* weights = bank.kernel(kernel);
  const auto places = static_cast<size_t>(bank.height * bank.width);
  double largest = 0;
  for (size_t i = 0; i < bank.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(weights[i])));
  }
  Pixels pixels{static_cast<int>(bank.width), static_cast<int>(bank.height), {}};
  for (size_t place = 0; place < places; ++place) {
    const auto channel = [&](size_t c) {
      const double weight = weights[(bgr ? 2 - c : c) * places + place];
      const double share = largest > 0 ? weight / largest : 0;
      return static_cast<uint8_t>(std::lround(127.5 + 127.5 * share));
    };
    pixels.add({channel(0), channel(1), channel(2)});
  }
  return pixels;
}

}  // namespace

double norm(const KernelBank& bank, int64_t kernel) {
  double sum = 0;
  for (size_t i = 0; i < bank.size(); ++i) {
    const double weight = bank.kernel(kernel)[i];
    sum += weight * weight;
  }
  return std::sqrt(sum);
}

std::vector<int64_t> strongest(const KernelBank& bank) {
  std::vector<int64_t> kernels(static_cast<size_t>(bank.out));
  std::iota(kernels.begin(), kernels.end(), int64_t{0});
  std::vector<double> of;
  for (const int64_t kernel : kernels) of.push_back(norm(bank, kernel));
  std::stable_sort(kernels.begin(), kernels.end(), [&](int64_t a, int64_t b) {
    return of[static_cast<size_t>(a)] > of[static_cast<size_t>(b)];
  });
  return kernels;
}

double largest_norm(const KernelBank& bank) {
  double largest = 0;
  for (int64_t kernel = 0; kernel < bank.out; ++kernel) {
    for (const float one : norms(bank, kernel)) largest = std::max<double>(largest, one);
  }
  return largest;
}

Pixels kernel_picture(const KernelBank& bank, int64_t kernel, double largest, bool bgr) {
  if (bank.in == 3) return colour_picture(bank, kernel, bgr);
  const int height = static_cast<int>(bank.height), width = static_cast<int>(bank.width);
  if (bank.in == 1) {
    return painted(bank.kernel(kernel), height, width, 0, /*negative=*/true);
  }
  return painted(norms(bank, kernel).data(), height, width, largest, /*negative=*/false);
}

Pixels matrix_picture(const KernelBank& bank, const std::vector<int64_t>& kernels) {
  std::vector<float> rows;
  for (const int64_t kernel : kernels) {
    rows.insert(rows.end(), bank.kernel(kernel), bank.kernel(kernel) + bank.size());
  }
  return painted(rows.data(), static_cast<int>(kernels.size()), static_cast<int>(bank.in), 0,
                 /*negative=*/true);
}

}  // namespace convscope

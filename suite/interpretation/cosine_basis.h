// Pictures as sums of cosines: the discrete cosine transform as a matrix, which needs no library
// for Fourier transforms, and differentiates as any product of matrices does.
#pragma once

#include <cstdint>
#include <vector>

namespace convscope {

/// `size` x `size`, row by row; row k is the cosine of k half turns over `size` samples (DCT-II,
/// Ahmed et al. 1974), scaled so that the rows are orthonormal: B x are the coefficients of x, and
/// the transposed B gives x back.
std::vector<float> cosine_basis(int64_t size);

/// What the coefficients of white noise are multiplied by to have the spectrum of photographs,
/// whose amplitude falls as 1 / frequency (Field 1987); `height` x `width`, with a root mean square
/// of 1. Below one turn in the whole picture it falls no more.
std::vector<float> natural_spectrum(int64_t height, int64_t width);

/// What a Gaussian blur of this standard deviation, in pixels, multiplies the coefficients by;
/// `height` x `width`. Beyond its borders the picture is mirrored.
std::vector<float> blurred_spectrum(int64_t height, int64_t width, double deviation);

}  // namespace convscope

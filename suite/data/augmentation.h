// Training on more images than there are: torchvision's random crops, mirroring and colours, drawn
// from a generator that the caller seeds for each image, so that no order of reading changes them.
#pragma once

#include "architectures/preprocessing.h"
#include "suite/data/image.h"
#include "suite/data/random.h"
#include "suite/data/transforms.h"

namespace convscope {

enum class Cropping {
  centre,   ///< as in evaluation
  random,   ///< Resize, then RandomCrop with `padding`
  resized,  ///< RandomResizedCrop: a part of `area` and `ratio`, resized to the crop
};

struct Augmentation {
  Cropping cropping = Cropping::centre;
  int64_t padding = 0;                 ///< black pixels at each side
  double area[2] = {0.08, 1};          ///< of the image, from and to
  double ratio[2] = {3. / 4, 4. / 3};  ///< width over height, from and to
  double mirrored = 0;                 ///< how often
  /// ColorJitter: each factor is drawn from 1 - x to 1 + x, the turn of the hue, at most a half,
  /// from -x to x; the order is drawn too.
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;

  /// Whether an image may come out in two ways.
  bool changes() const {
    return cropping != Cropping::centre || mirrored > 0 || brightness > 0 || contrast > 0 ||
           saturation > 0 || hue > 0;
  }
};

/// Where the network looks this time. The view is as large as centre_view's; RandomResizedCrop
/// without a crop in `preprocessing` gives the size of the image.
View random_view(const Augmentation& augmentation, const Preprocessing& preprocessing, Size image,
                 Random& random);

/// Changes the colours. A grey image has no saturation and no hue.
void jitter(Image& image, const Augmentation& augmentation, Random& random);

/// Pillow's ImageEnhance and torchvision's adjust_hue, byte for byte. The factor 1 changes nothing;
/// the hue turns by `turn` of a circle.
void adjust_brightness(Image& image, double factor);
void adjust_contrast(Image& image, double factor);
void adjust_saturation(Image& image, double factor);
void adjust_hue(Image& image, double turn);

}  // namespace convscope

// Images that the program makes itself, so that every experiment on training runs without a
// download: a class is a shape with a texture, and everything else about an image is chance.
#pragma once

#include <memory>
#include <string>

#include "suite/data/dataset.h"

namespace convscope {

/// How the classes are divided into halves A and B, between which learning may transfer: similar
/// halves share their shapes and differ in texture; dissimilar ones share neither: A has curved
/// shapes with grains, B has polygons with lines.
enum class Halves { similar, dissimilar };
enum class Half { both, a, b };

struct ProceduralOptions {
  int64_t classes = 10;                           ///< of both halves together
  int64_t size = 32;                              ///< of the square images: 16 to 224
  int64_t train = 5000, val = 1000, test = 1000;  ///< images in each split, whichever the half
  Halves halves = Halves::similar;
  Half half = Half::both;
  uint64_t seed = 0;
  int64_t channels = 3;
};

/// "classes=10,size=32,train=5000,val=1000,test=1000,halves=similar,half=A,seed=1" over `defaults`;
/// any of them may be left out. Throws std::invalid_argument that names the key and what it takes.
ProceduralOptions parse_procedural(const std::string& text, const ProceduralOptions& defaults = {});

/// `split` is "train", "val" or "test": no image is in two of them. The same bytes on every
/// machine. Image i is of class i modulo the number of classes.
std::unique_ptr<Dataset> procedural_dataset(const ProceduralOptions& options,
                                            const std::string& split);

}  // namespace convscope

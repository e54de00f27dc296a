// The families, one line for one file, oldest first. A family's file exports its rows of the
// catalogue.
#pragma once

#include <vector>

#include "architectures/architecture.h"

#define CONVSCOPE_FAMILIES(FAMILY) \
  FAMILY(neocognitron)             \
  FAMILY(lenet)                    \
  FAMILY(alexnet)                  \
  FAMILY(nin)                      \
  FAMILY(vgg)                      \
  FAMILY(googlenet)                \
  FAMILY(spp_net)                  \
  FAMILY(inception_v3)             \
  FAMILY(resnet)                   \
  FAMILY(resnet_cifar)             \
  FAMILY(preact_resnet)            \
  FAMILY(densenet)                 \
  FAMILY(xception)                 \
  FAMILY(squeezenet)               \
  FAMILY(wavenet)                  \
  FAMILY(mobilenet_v1)             \
  FAMILY(deeplab_v3)               \
  FAMILY(mobilenet_v2)             \
  FAMILY(mnist_tutorial)           \
  FAMILY(shufflenet_v2)            \
  FAMILY(mnasnet)                  \
  FAMILY(mobilenet_v3)             \
  FAMILY(efficientnet)             \
  FAMILY(vit)                      \
  FAMILY(efficientnet_v2)          \
  FAMILY(convnext)

namespace convscope::families {

#define CONVSCOPE_DECLARE(family) std::vector<Architecture> family();
CONVSCOPE_FAMILIES(CONVSCOPE_DECLARE)
#undef CONVSCOPE_DECLARE

}  // namespace convscope::families

// What each family's file exports: its rows of the catalogue. One line for one file.
#pragma once

#include <vector>

#include "architectures/architecture.h"

namespace convscope::families {

std::vector<Architecture> lenet();
std::vector<Architecture> alexnet();
std::vector<Architecture> vgg();
std::vector<Architecture> googlenet();
std::vector<Architecture> inception_v3();
std::vector<Architecture> resnet();
std::vector<Architecture> resnet_cifar();
std::vector<Architecture> squeezenet();
std::vector<Architecture> mobilenet_v1();
std::vector<Architecture> mobilenet_v2();
std::vector<Architecture> mnist_tutorial();
std::vector<Architecture> mobilenet_v3();

}  // namespace convscope::families

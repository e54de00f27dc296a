// Activation maximisation: from noise, the picture that makes a unit answer most (Erhan et al.
// 2009, "Visualizing higher-layer features of a deep network"), held back from what no photograph
// looks like by regularisers that each have a name (Mahendran and Vedaldi 2016, "Visualizing deep
// convolutional neural networks using natural pre-images"; Yosinski et al. 2015, "Understanding
// neural networks through deep visualization").
#pragma once

#include <cstdint>
#include <functional>

#include "architectures/preprocessing.h"
#include "suite/data/image.h"
#include "suite/inference/loaded_network.h"

namespace convscope {

/// What is changed: pixels, or a sum of cosines with the spectrum and the colours of photographs
/// (Olah et al. 2017, "Feature visualization"), in which a step changes all pixels together.
enum class DreamDomain { frequency, pixels };

/// What counts of a unit that is a map: the root mean square over its positions of what is above 0,
/// or the position in the middle. Of a unit that is a number, this number.
enum class DreamObjective { channel, centre };

/// A regulariser that is 0 is off. The objective's gradient by the pixels, which are from 0 to 1,
/// is divided by its root mean square at each step, so that the weights mean the same in every
/// layer of every network.
struct DreamOptions {
  DreamDomain domain = DreamDomain::frequency;
  DreamObjective objective = DreamObjective::channel;
  int64_t steps = 256;
  double rate = 0.05;  ///< Adam's: about what a step adds to a pixel before the sigmoid
  /// The network sees a part of a larger picture, at each step another one, moved up to so many
  /// pixels each way.
  int64_t jitter = 0;
  double blur = 0;  ///< standard deviation in pixels of a Gaussian, before every fourth step
  double total_variation = 0;  ///< weight of the sum of the lengths of the picture's gradients
  double decay = 0;            ///< weight of the sum of the squared distances from grey
  uint64_t seed = 0;
};

struct Dream {
  Image picture;  ///< of the network's size
  /// The unit's answer, as the objective has it, to the noise and to the picture, in bytes both.
  double start, end;
};

/// How many units the result of a call has: maps, or numbers. Throws std::invalid_argument if it
/// has neither.
int64_t unit_count(const Graph& graph, size_t call);

/// Of one unit of the result of a call, which is a place in Graph::calls. It depends on nothing but
/// the arguments and the number of threads. After each step, `progress` is called with how many are
/// done. Throws std::invalid_argument if there is no such unit or the network's images are no
/// pictures, and std::runtime_error if the network computes no finite number.
Dream dream(const LoadedNetwork& network, const Preprocessing& preprocessing, size_t call,
            int64_t unit, const DreamOptions& options,
            const std::function<void(int64_t)>& progress = {});

}  // namespace convscope

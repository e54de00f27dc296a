// What `shift` found over the images: shift.csv, and the table that people read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/interpretation/shift.h"
#include "suite/report/table.h"
#include "suite/timing/running_mean.h"

namespace convscope {

/// One network on some images.
struct ShiftCase {
  std::string model, weights, input;
  std::vector<MapLayer> layers;
  std::vector<int64_t> shifts;
  bool as_built;  ///< is among what is compared
};

/// Of one way of downsampling, over the images. No image is kept.
struct ShiftFound {
  struct Maps {
    RunningMean all, inner;
  };
  struct Answers {
    RunningMean distance, probability_change;
    int64_t same = 0, as_built = 0;
    int64_t compared = 0;  ///< images for which the network as it is built has an answer
  };
  /// Of each image's mean over the shifts but 0.
  struct OverShifts {
    RunningMean distance, probability_change, same, as_built;
  };

  ShiftFound(const ShiftCase& of, Downsampling one);

  /// Another image. `as_built`: what the network itself answers; null where that is not compared.
  /// One whose numbers are not finite is only counted, and false returned.
  bool add(const ShiftResponse& response, const ShiftResponse* as_built);

  Downsampling downsampling;
  std::vector<int64_t> shifts;
  std::vector<std::vector<Maps>> maps;  ///< [layer][shift]
  std::vector<Answers> answers;         ///< [shift]
  OverShifts over_shifts;
  int64_t not_finite = 0;  ///< images
};

/// shift.csv.
Table shift_record(const ShiftCase& of, const std::vector<ShiftFound>& found);

/// A row for each way of downsampling, over all shifts but 0.
Table shift_summary(const ShiftCase& of, const std::vector<ShiftFound>& found);

}  // namespace convscope

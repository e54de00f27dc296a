// What `convscope calibrate` found out about this machine, kept in the user's cache: the ceilings
// that times are compared with and the difference that is none.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "suite/timing/machine_watch.h"

namespace convscope {

/// One quantity with one number of threads.
struct Calibrated {
  /// fma, onednn, blas (GFLOP/s), triad (GB/s), operator_launch, convolution_launch (us), aa_floor
  /// (percent): see peaks.h, torch_peaks.h and aa_floor_percent().
  std::string quantity;
  int threads = 1;
  double value = 0;
  std::string unit;
  double spread_percent = 0;  ///< how far the median of the tries is from the best
  std::string disturbed;  ///< what the machine did beside each of the attempts; "": one was quiet
};

struct Calibration {
  std::string machine;  ///< environment_id(machine_of(environment()))
  std::string date;     ///< "2026-11-20T14:03:07Z"
  std::vector<std::pair<std::string, std::string>> environment;  ///< what `machine` stands for
  std::vector<Calibrated> measured;

  /// Of `threads` threads: as measured; between two measured numbers of threads on the straight
  /// line from one to the other; beyond them the nearest. Nothing where it was not measured.
  std::optional<double> value(const std::string& quantity, int threads) const;

  /// Whether something disturbed the measurement of this quantity.
  bool disturbed(const std::string& quantity) const;
};

/// `cores` with as many physical ones as do arithmetic at the same time, by the FMA rates: in a
/// virtual machine two cores may be one core's hardware threads, and the kernel is not told. As
/// they are where these rates were disturbed or not measured.
Cores measured_cores(Cores cores, const Calibration& calibration);

/// Where the calibration of this machine is or would be. Throws std::invalid_argument if the user
/// has no cache.
std::filesystem::path calibration_path(const std::string& machine);

/// Nothing if this machine was not calibrated. Throws std::invalid_argument that names the file if
/// it cannot be read, is damaged, or is another machine's under this one's name.
std::optional<Calibration> load_calibration(const std::string& machine);
std::optional<Calibration> load_calibration_file(const std::filesystem::path& path,
                                                 const std::string& machine);

/// The same for whoever can do without: where it cannot be read, nothing, and `problem` says why.
std::optional<Calibration> find_calibration(const std::string& machine, std::string& problem);

/// Throws what store_calibration_file() would, before there is anything to lose.
void require_storable(const std::filesystem::path& path);

/// Replaces the one that is there as a whole. Throws std::invalid_argument if it cannot be written.
void store_calibration(const Calibration& calibration);
void store_calibration_file(const Calibration& calibration, const std::filesystem::path& path);

/// How far two processes that measure the same case differ beyond what the intervals of their
/// Hodges-Lehmann shifts explain, in percent, with 95 %: the bias that no number of repetitions in
/// one process shows. 0 where the shifts are no larger than their intervals allow.
struct AaFloors {
  double in_turns = 0;  ///< of processes whose repetitions took turns
  double apart = 0;     ///< of processes that ran at different times: whatever else the machine did
};

/// `measure_pair` measures one case in two processes in turns, and returns the medians of the
/// repetitions of each. Processes of different pairs ran apart, and each is compared with each.
AaFloors aa_floors(
    const std::function<std::pair<std::vector<double>, std::vector<double>>()>& measure_pair,
    int pairs);

}  // namespace convscope

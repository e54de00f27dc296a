// The few things that a GPU needs and a CPU does not, through LibTorch's generic interfaces, so
// that nothing here needs CUDA's headers.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>

namespace convscope {

/// Waits until the device has done what it was given. Nothing on a CPU.
void synchronize(const c10::Device& device);

/// Measures the time between two points of the device's current stream.
class DeviceTimer {
 public:
  explicit DeviceTimer(const c10::Device& device);
  ~DeviceTimer();
  void start();
  void stop();
  /// Nanoseconds from start to stop, after the device was waited for; -1 on a CPU and where this
  /// LibTorch has no generic event that tells the time.
  double elapsed_ns() const;

 private:
  struct Events;
  std::unique_ptr<Events> events_;
};

/// The most that was allocated since the last call; -1 where nobody tells.
int64_t take_peak_bytes(const c10::Device& device);

/// What could be allocated now, without what LibTorch keeps for itself; -1 where nobody tells.
int64_t free_bytes(const c10::Device& device);

/// Full float32 products, or NVIDIA's shorter tf32.
void allow_tf32(bool allowed);

}  // namespace convscope

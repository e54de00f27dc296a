#include "suite/timing/device.h"

#include <ATen/Context.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>
#include <torch/version.h>

#include <optional>
#include <type_traits>
#include <utility>

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 9)
#include <c10/core/CachingDeviceAllocator.h>
#define CONVSCOPE_HAS_DEVICE_ALLOCATOR
#endif

namespace convscope {
namespace {

/// LibTorch 1.13's generic events can be waited for, but tell no time.
template <class Event, class = void>
struct TellsTime : std::false_type {};
template <class Event>
struct TellsTime<Event,
                 std::void_t<decltype(std::declval<Event&>().elapsedTime(std::declval<Event&>()))>>
    : std::true_type {};

template <class Event>
double nanoseconds([[maybe_unused]] Event& from, [[maybe_unused]] Event& to) {
  if constexpr (TellsTime<Event>::value) {
    return 1e6 * from.elapsedTime(to);
  } else {
    return -1;
  }
}

#ifdef CONVSCOPE_HAS_DEVICE_ALLOCATOR
/// LibTorch 2.9's allocators tell no free memory yet.
template <class Allocator, class = void>
struct TellsFree : std::false_type {};
template <class Allocator>
struct TellsFree<Allocator, std::void_t<decltype(std::declval<Allocator&>().getMemoryInfo(0))>>
    : std::true_type {};

template <class Allocator>
int64_t told_free_bytes([[maybe_unused]] Allocator& allocator,
                        [[maybe_unused]] c10::DeviceIndex device) {
  if constexpr (TellsFree<Allocator>::value) {
    return static_cast<int64_t>(allocator.getMemoryInfo(device).first);
  } else {
    return -1;
  }
}
#endif

}  // namespace

void synchronize(const c10::Device& device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

struct DeviceTimer::Events {
  explicit Events(const c10::Device& d)
      : device(d),
        from(d.type(), c10::EventFlag::BACKEND_DEFAULT),
        to(d.type(), c10::EventFlag::BACKEND_DEFAULT) {}
  c10::Stream stream() const {
    return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  }
  c10::Device device;
  c10::Event from, to;
};

DeviceTimer::DeviceTimer(const c10::Device& device) {
  if (!device.is_cpu() && TellsTime<c10::Event>::value) events_ = std::make_unique<Events>(device);
}
DeviceTimer::~DeviceTimer() = default;

void DeviceTimer::start() {
  if (events_) events_->from.record(events_->stream());
}
void DeviceTimer::stop() {
  if (events_) events_->to.record(events_->stream());
}
double DeviceTimer::elapsed_ns() const {
  return events_ ? nanoseconds(events_->from, events_->to) : -1;
}

int64_t take_peak_bytes([[maybe_unused]] const c10::Device& device) {
#ifdef CONVSCOPE_HAS_DEVICE_ALLOCATOR
  if (device.is_cpu()) return -1;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (!allocator) return -1;
  const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const int64_t peak = allocator->getDeviceStats(device.index()).allocated_bytes[all].peak;
  allocator->resetPeakStats(device.index());
  return peak;
#else
  return -1;
#endif
}

int64_t free_bytes([[maybe_unused]] const c10::Device& device) {
#ifdef CONVSCOPE_HAS_DEVICE_ALLOCATOR
  if (device.is_cpu()) return -1;
  torch::cuda::synchronize(device.index());  // also initialises the allocator
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  return allocator ? told_free_bytes(*allocator, device.index()) : -1;
#else
  return -1;
#endif
}

void allow_tf32(bool allowed) {
  at::globalContext().setAllowTF32CuDNN(allowed);
  at::globalContext().setAllowTF32CuBLAS(allowed);
}

}  // namespace convscope

#include "suite/timing/sampler.h"

#include <algorithm>
#include <cmath>

#include "suite/timing/statistics.h"

namespace convscope {
namespace {

constexpr double stretch_ns = 50e6;
constexpr size_t stretches = 5;
constexpr double refill_ns = 20e6;

double time_of(const Reading& reading) { return static_cast<double>(reading.ns.at(0)); }

}  // namespace

WarmUp warm_up(Workload& workload, const WarmUpRule& rule) {
  WarmUp result;
  result.first_ns = time_of(workload.run(1));
  result.second_ns = time_of(workload.run(1));
  double total = 0;
  std::vector<double> medians;
  for (;;) {
    std::vector<double> stretch;
    for (double taken = 0; taken < stretch_ns;) {
      stretch.push_back(time_of(workload.run(1)));
      taken += stretch.back();
      total += stretch.back();
    }
    medians.push_back(median(stretch));
    result.ns.insert(result.ns.end(), stretch.begin(), stretch.end());
    const bool enough =
        total >= rule.seconds * 1e9 && static_cast<int64_t>(result.ns.size()) >= rule.iterations;
    const bool seen = medians.size() >= stretches;
    if (enough && seen && !has_trend({medians.end() - stretches, medians.end()})) return result;
    if (total >= rule.limit_s * 1e9) {
      result.drifting = seen;
      return result;
    }
  }
}

Block sample_block(Workload& workload, MachineWatch& watch, double seconds, int64_t least) {
  double refilled = 0, runs = 0;
  while (refilled < refill_ns) {
    refilled += std::max(time_of(workload.run(1)), 1.0);
    ++runs;
  }
  const auto count = static_cast<int64_t>(std::ceil(workload.sample_ns() / (refilled / runs)));
  const auto per = static_cast<double>(count);
  Block block;
  block.iterations = count;
  block.ns.resize(workload.parts().size());
  std::vector<double> device;
  double total = 0, enqueued = 0;
  watch.start();
  while (total < seconds * 1e9 || static_cast<int64_t>(block.ns[0].size()) < least) {
    const Reading reading = workload.run(count);
    for (size_t part = 0; part < block.ns.size(); ++part) {
      block.ns[part].push_back(static_cast<double>(reading.ns[part]) / per);
    }
    total += time_of(reading);
    if (reading.enqueue_ns >= 0) {
      device.push_back(reading.device_ns / per);
      enqueued += reading.enqueue_ns;
    }
  }
  block.disturbance = watch.stop();
  block.seconds = total / 1e9;
  if (!device.empty()) {
    block.device_ns = median(device);
    block.enqueue_share = enqueued / total;
  }
  return block;
}

}  // namespace convscope

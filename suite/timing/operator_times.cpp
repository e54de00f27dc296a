#include "suite/timing/operator_times.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <random>

#include "suite/analysis/variants.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/clock.h"
#include "suite/timing/process_memory.h"
#include "suite/timing/workload.h"

namespace convscope {
namespace {

std::string gibibytes(int64_t bytes) {
  return std::to_string((bytes + (int64_t{1} << 29)) >> 30) + " GiB";
}

/// The workload of a case, or the reason in `time` why there is none.
std::unique_ptr<Workload> prepare(OperatorTime& time, int64_t& budget) {
  // The frozen form has a copy, laid out as oneDNN wants it.
  const int copies = time.bench_case.engine == "frozen" ? 2 : 1;
  const int64_t weights = time.cost.weight_bytes * copies;
  if (weights > budget) {
    time.fits = false;
    time.reason = "its weights need " + gibibytes(weights) +
                  ", of which half the free memory has " + gibibytes(budget);
    return nullptr;
  }
  try {
    auto pass = make_workload(time.bench_case);
    pass->run(1);
    require_same_logits(time.bench_case, pass->difference());
    budget -= weights;
    return pass;
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    time.reason = reason.substr(0, reason.find('\n'));
    return nullptr;
  }
}

std::vector<double> run(Workload& pass, const RoundPlan& plan) {
  pass.run(1);
  std::vector<double> samples;
  const auto begin = Clock::now();
  while (samples.size() < plan.passes ||
         static_cast<double>(nanoseconds_since(begin)) < plan.seconds * 1e9) {
    samples.push_back(static_cast<double>(pass.run(1).ns.at(0)));
  }
  return samples;
}

/// But for the variant.
bool alike(const BenchCase& a, const BenchCase& b) {
  return a.engine == b.engine && a.layout == b.layout && a.batch == b.batch &&
         a.precision == b.precision && a.device == b.device;
}

void set_ratio(OperatorTime& time, const std::vector<double>& medians,
               const std::vector<double>& standard) {
  std::vector<double> ratios;
  for (size_t i = 0; i < medians.size(); ++i) ratios.push_back(medians[i] / standard[i]);
  time.ratio = median(ratios);
  time.ratio_interval = median_interval(ratios);
}

}  // namespace

std::vector<OperatorTime> time_operators(const std::vector<BenchCase>& cases,
                                         const RoundPlan& plan) {
  const int64_t available = available_memory();
  int64_t budget = available < 0 ? std::numeric_limits<int64_t>::max() : available / 2;
  std::vector<OperatorTime> times;
  std::vector<std::unique_ptr<Workload>> passes;
  for (const BenchCase& bench_case : cases) {
    OperatorTime time;
    time.bench_case = bench_case;
    time.cost = variant_cost(bench_case.architecture);
    passes.push_back(prepare(time, budget));
    times.push_back(std::move(time));
  }
  std::vector<Repetitions> samples(cases.size());
  std::vector<size_t> order(cases.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937 random(plan.seed);
  for (size_t round = 0; round < plan.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) {
      InterruptGuard::check();
      if (passes[i]) samples[i].push_back(run(*passes[i], plan));
    }
  }
  for (size_t i = 0; i < times.size(); ++i) {
    if (!passes[i]) continue;
    times[i].ns = summarize(samples[i]);
    const auto standard = std::find_if(times.begin(), times.end(), [&](const OperatorTime& other) {
      return alike(other.bench_case, times[i].bench_case);
    });
    const auto first = static_cast<size_t>(standard - times.begin());
    if (passes[first]) {
      set_ratio(times[i], repetition_medians(samples[i]), repetition_medians(samples[first]));
    }
  }
  return times;
}

}  // namespace convscope

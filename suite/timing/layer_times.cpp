#include "suite/timing/layer_times.h"

#include <stdexcept>

#include "suite/analysis/cost.h"
#include "suite/analysis/network_trace.h"
#include "suite/analysis/traffic.h"
#include "suite/timing/bench_process.h"
#include "suite/timing/clock.h"
#include "suite/timing/workload.h"

namespace convscope {
namespace {

/// The samples of the passes.
struct Passes {
  Repetitions plain, watched;
  std::vector<Repetitions> calls;
  std::vector<double> inside_calls;
};

/// Throws where the pass that was timed is not the one that was counted.
void require_same_calls(const std::string& model, const std::vector<std::string>& expected,
                        const std::vector<CallTime>& timed) {
  for (size_t i = 0; i < std::max(expected.size(), timed.size()); ++i) {
    const std::string counted = i < expected.size() ? expected[i] : "nothing";
    const std::string ran = i < timed.size() ? std::string(timed[i].op) : "nothing";
    if (counted == ran) continue;
    throw std::runtime_error(model + ": operator call " + std::to_string(i) + " is " + counted +
                             " in the trace and " + ran +
                             " in the pass that was timed, so times cannot be joined with costs");
  }
}

/// Runs plain and watched passes in turns. `expected` are the calls of a pass.
class PassTimer {
 public:
  PassTimer(std::string model, Workload& workload, std::vector<std::string> expected)
      : model_(std::move(model)), workload_(workload), expected_(std::move(expected)) {
    passes_.calls.resize(expected_.size());
  }

  Passes run(const PassPlan& plan) {
    const double pair_ns = warm_up(plan.warm_up_seconds);
    const double share_ns = plan.seconds * 1e9 / static_cast<double>(plan.repetitions);
    const size_t passes = std::max(plan.passes, static_cast<size_t>(share_ns / pair_ns));
    for (size_t repetition = 0; repetition < plan.repetitions; ++repetition) {
      passes_.plain.emplace_back();
      passes_.watched.emplace_back();
      for (Repetitions& call : passes_.calls) call.emplace_back();
      for (size_t i = 0; i < passes; ++i) {
        InterruptGuard::check();
        // Each sort goes first as often as the other, so that neither has the warmer cache.
        plain_first_ = !plain_first_;
        if (plain_first_) plain();
        watched();
        if (!plain_first_) plain();
      }
    }
    return std::move(passes_);
  }

 private:
  /// Returns how long a pass of each sort takes together.
  double warm_up(double seconds) {
    const auto start = Clock::now();
    size_t pairs = 0;
    do {
      workload_.run(1);
      timed_.clear();
      workload_.run_watched(timed_);
      require_same_calls(model_, expected_, timed_);
      ++pairs;
    } while (pairs < 2 || static_cast<double>(nanoseconds_since(start)) < seconds * 1e9);
    return static_cast<double>(nanoseconds_since(start)) / static_cast<double>(pairs);
  }

  void plain() { passes_.plain.back().push_back(static_cast<double>(workload_.run(1).ns.at(0))); }

  void watched() {
    timed_.clear();
    const auto start = Clock::now();
    workload_.run_watched(timed_);
    passes_.watched.back().push_back(static_cast<double>(nanoseconds_since(start)));
    require_same_calls(model_, expected_, timed_);
    double inside = 0;
    for (size_t i = 0; i < timed_.size(); ++i) {
      const auto ns = static_cast<double>(timed_[i].ns);
      passes_.calls[i].back().push_back(ns);
      inside += ns;
    }
    passes_.inside_calls.push_back(inside / passes_.watched.back().back());
  }

  std::string model_;
  Workload& workload_;
  std::vector<std::string> expected_;
  std::vector<CallTime> timed_;
  Passes passes_;
  bool plain_first_ = false;
};

/// Which calls of the trace a row is of, and which of those timed.
struct Row {
  LayerTime time;
  std::vector<size_t> calls;
  size_t timed;
};

std::vector<Row> rows_of_calls(const Cost& cost) {
  std::vector<Row> rows;
  for (const LayerCost& layer : cost.layers) {
    rows.push_back(
        {{layer.index, layer.layer, layer.op, 1, 0, 0, {}, {}, ""}, {layer.call}, layer.call});
  }
  return rows;
}

std::vector<Row> rows_of_steps(const std::vector<FrozenStep>& steps) {
  std::vector<Row> rows;
  for (const FrozenStep& step : steps) {
    const size_t number = rows.size();
    rows.push_back({{static_cast<int64_t>(number),
                     step.layer,
                     step.op,
                     step.calls.size(),
                     0,
                     0,
                     {},
                     {},
                     step.implementation},
                    step.calls,
                    number});
  }
  return rows;
}

/// What the trace's calls cost, by their number.
void add_costs(std::vector<Row>& rows, const Graph& graph, int64_t batch) {
  std::vector<std::pair<int64_t, int64_t>> macs_and_flops(graph.calls.size());
  for (const LayerCost& layer : cost(graph).layers) {
    macs_and_flops[layer.call] = {layer.macs, layer.flops};
  }
  for (Row& row : rows) {
    for (const size_t call : row.calls) {
      row.time.macs += macs_and_flops.at(call).first;
      row.time.flops += macs_and_flops.at(call).second;
    }
    row.time.work = {row.time.flops * batch, bytes_moved(graph, row.calls, batch)};
  }
}

}  // namespace

double LayerTimes::coverage() const {
  double sum = 0;
  for (const LayerTime& layer : layers) sum += layer.ns.median;
  return sum / plain_ns.median;
}

double LayerTimes::watching() const { return watched_ns.median / plain_ns.median - 1; }

std::string layers_refusal_of(const BenchCase& c) {
  if (c.device == "cpu" && c.precision == "float32" && c.mode == "inference") return "";
  return "layers are timed in float32, in inference, on the CPU, not in " + c.precision + ", " +
         c.mode + ", " + c.device;
}

LayerTimes time_layers(const BenchCase& c, const PassPlan& plan) {
  if (const std::string refusal = layers_refusal_of(c); !refusal.empty()) {
    throw std::invalid_argument(refusal);
  }
  const Graph graph = trace_network(c.architecture, c.settings);
  const auto workload = make_workload(c);
  workload->run(1);
  require_same_logits(c, workload->difference());
  const bool frozen = c.engine == "frozen";
  const std::vector<FrozenStep> steps = workload->steps();
  std::vector<std::string> expected;
  for (const FrozenStep& step : steps) expected.push_back(step.op);
  for (const Call& call : graph.calls) {
    if (!frozen) expected.push_back(call.op);
  }
  std::vector<Row> rows = frozen ? rows_of_steps(steps) : rows_of_calls(cost(graph));
  add_costs(rows, graph, c.batch);
  const Passes passes = PassTimer(c.architecture.name, *workload, std::move(expected)).run(plan);
  LayerTimes result;
  result.plain_ns = summarize(passes.plain);
  result.watched_ns = summarize(passes.watched);
  result.inside_calls = median(passes.inside_calls);
  for (Row& row : rows) {
    row.time.ns = summarize(passes.calls[row.timed]);
    result.layers.push_back(std::move(row.time));
  }
  return result;
}

}  // namespace convscope

#include "suite/timing/layer_times.h"

#include <chrono>
#include <stdexcept>

#include "suite/analysis/cost.h"
#include "suite/analysis/memory.h"
#include "suite/analysis/network_trace.h"
#include "suite/timing/forward_pass.h"

namespace convscope {
namespace {

using Clock = std::chrono::steady_clock;

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// The samples of the passes, in the order of Graph::calls.
struct Passes {
  Repetitions plain, watched;
  std::vector<Repetitions> calls;
};

/// Throws where the pass that was timed is not the one that was counted.
void require_same_calls(const std::string& model, const Graph& graph,
                        const std::vector<CallTime>& timed) {
  for (size_t i = 0; i < std::max(graph.calls.size(), timed.size()); ++i) {
    const std::string traced = i < graph.calls.size() ? graph.calls[i].op : "nothing";
    const std::string ran = i < timed.size() ? std::string(timed[i].op) : "nothing";
    if (traced == ran) continue;
    throw std::runtime_error(model + ": operator call " + std::to_string(i) + " is " + traced +
                             " in the trace and " + ran +
                             " in the pass that was timed, so times cannot be joined with costs");
  }
}

class PassTimer {
 public:
  PassTimer(const BenchCase& bench_case, const Graph& graph)
      : model_(bench_case.architecture.name), graph_(graph), pass_(bench_case) {
    passes_.calls.resize(graph.calls.size());
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
      pass_.run();
      timed_.clear();
      pass_.run(timed_);
      require_same_calls(model_, graph_, timed_);
      ++pairs;
    } while (pairs < 2 || ns_since(start) < seconds * 1e9);
    return ns_since(start) / static_cast<double>(pairs);
  }

  void plain() {
    const auto start = Clock::now();
    pass_.run();
    passes_.plain.back().push_back(ns_since(start));
  }

  void watched() {
    timed_.clear();
    const auto start = Clock::now();
    pass_.run(timed_);
    passes_.watched.back().push_back(ns_since(start));
    require_same_calls(model_, graph_, timed_);
    for (size_t i = 0; i < timed_.size(); ++i) {
      passes_.calls[i].back().push_back(static_cast<double>(timed_[i].ns));
    }
  }

  std::string model_;
  const Graph& graph_;
  ForwardPass pass_;
  std::vector<CallTime> timed_;
  Passes passes_;
  bool plain_first_ = false;
};

}  // namespace

double LayerTimes::coverage() const {
  double sum = 0;
  for (const LayerTime& layer : layers) sum += layer.ns.median;
  return sum / plain_ns.median;
}

double LayerTimes::watching() const { return watched_ns.median / plain_ns.median - 1; }

LayerTimes time_layers(const BenchCase& bench_case, const PassPlan& plan) {
  const Graph graph = trace_network(bench_case.architecture, bench_case.settings);
  const Passes passes = PassTimer(bench_case, graph).run(plan);
  LayerTimes result;
  result.plain_ns = summarize(passes.plain);
  result.watched_ns = summarize(passes.watched);
  for (const LayerCost& layer : cost(graph).layers) {
    const int64_t bytes = bytes_moved(graph, graph.calls[layer.call], bench_case.batch);
    result.layers.push_back({layer.index, layer.layer, layer.op, layer.macs, layer.flops,
                             {layer.flops * bench_case.batch, bytes},
                             summarize(passes.calls[layer.call])});
  }
  return result;
}

}  // namespace convscope

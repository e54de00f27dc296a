#include "suite/timing/harness.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "suite/timing/process_memory.h"

namespace convscope {
namespace {

namespace gb = benchmark;

constexpr int tries = 3;                  // of a block that is disturbed
constexpr int64_t least_repetitions = 6;  // for an interval from their medians
constexpr double host_bound = 0.8;

/// One case on its way to results.
class CaseRun {
 public:
  CaseRun(const BenchCase& bench_case, const BenchRule& rule) : case_(bench_case), rule_(rule) {}

  const BenchCase& bench_case() const { return case_; }

  void prepare() {
    guarded([&] {
      measured_ = rule_.in_process ? measured_here() : measured_apart(case_.program);
      preparation_ = measured_->prepare(case_, rule_.warm_up);
      require_same_logits(case_, preparation_.difference);
      blocks_.resize(preparation_.parts.size());
    });
  }

  /// One repetition: a block, again if it was disturbed and there is time. Returns the median of an
  /// iteration in seconds.
  double repetition() {
    const double slice = rule_.seconds / static_cast<double>(rule_.repetitions);
    const int64_t least =
        (rule_.samples + rule_.repetitions - 1) / std::max<int64_t>(1, rule_.repetitions);
    // A case of many seconds an iteration is given up in the middle of a round.
    const bool late = spent_s_ >= rule_.timeout && repetition_ >= least_repetitions;
    if (late) return median(blocks_[0].back().ns) / 1e9;
    ++repetition_;
    double seconds = 0;
    guarded([&] {
      for (int i = 0; i < tries; ++i) {
        const Block block = measured_->block(slice, least);
        spent_s_ += block.seconds;
        for (size_t part = 0; part < blocks_.size(); ++part) {
          blocks_[part].push_back(
              {repetition_, block.seconds, block.iterations, block.ns[part], block.disturbance});
        }
        device_ns_.push_back(block.device_ns);
        enqueue_share_.push_back(block.enqueue_share);
        seconds = median(block.ns[0]) / 1e9;
        if (!block.disturbance.disturbed() || spent_s_ >= rule_.timeout) break;
      }
    });
    return seconds;
  }

  const std::string& failure() const { return failure_; }

  bool unfinished() const {
    if (!failure_.empty() || spent_s_ >= rule_.timeout) return false;
    if (repetition_ == 0) return true;
    const std::string status = result_of(0).status;
    return status != "ok" && status != "quick";
  }

  std::vector<BenchResult> finish() {
    if (!failure_.empty()) return {result_of(0)};
    int64_t peak = -1;
    try {
      peak = measured_->peak_bytes();
    } catch (const std::runtime_error&) {
      InterruptGuard::check();  // else only the peak is unknown: the times are there
    }
    measured_.reset();
    std::vector<BenchResult> results;
    for (size_t part = 0; part < blocks_.size(); ++part) {
      results.push_back(result_of(part));
      results.back().peak_bytes = peak;
    }
    return results;
  }

 private:
  /// What goes wrong is this case's result and nobody else's.
  template <class Work>
  void guarded(const Work& work) {
    try {
      work();
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& error) {
      failure_ = error.what();
      measured_.reset();
    }
  }

  BenchResult result_of(size_t part) const {
    BenchResult result;
    result.bench_case = case_;
    if (!failure_.empty()) {
      result.status = "failed";
      result.reason = failure_;
      return result;
    }
    result.bench_case.mode = preparation_.parts[part];
    result.blocks = blocks_[part];
    result.difference = preparation_.difference;
    if (part == 0) {
      result.warm_up_ns = preparation_.warm_up.ns;
      result.warm_up_ns.insert(result.warm_up_ns.begin(),
                               {preparation_.warm_up.first_ns, preparation_.warm_up.second_ns});
      result.first_ns = preparation_.warm_up.first_ns;
      result.second_ns = preparation_.warm_up.second_ns;
      result.device_ns = median(device_ns_);
      result.enqueue_share = median(enqueue_share_);
    }
    judge(result, rule_);
    if (preparation_.warm_up.drifting) {
      result.reason += fmt::format("{}still drifting after {:.3g} s of warm-up",
                                   result.reason.empty() ? "" : "; ", rule_.warm_up.limit_s);
    }
    return result;
  }

  BenchCase case_;
  const BenchRule& rule_;
  std::unique_ptr<Measured> measured_;
  Preparation preparation_;
  std::vector<std::vector<BenchBlock>> blocks_;  ///< of each part
  std::vector<double> device_ns_, enqueue_share_;
  int64_t repetition_ = 0;
  double spent_s_ = 0;
  std::string failure_;
};

std::string value_of(const std::vector<std::string>& flags, const std::string& name,
                     const std::string& missing) {
  std::string value = missing;
  for (const std::string& flag : flags) {
    if (flag.rfind("--" + name + "=", 0) == 0) value = flag.substr(name.size() + 3);
  }
  return value;
}

struct Flag {
  std::string name;
  std::string usual;  ///< where nothing is said, for Google Benchmark; empty: it is obeyed here
};
const std::vector<Flag>& taken_flags() {
  static const std::vector<Flag> all = {
      {"--benchmark_filter", ""},
      {"--benchmark_repetitions", ""},
      {"--benchmark_out", ""},
      {"--benchmark_out_format", ""},
      {"--benchmark_context", ""},  // which Google Benchmark takes once only
      {"--benchmark_enable_random_interleaving", "true"},
      {"--v", "0"},
  };
  return all;
}

const Flag* taken(const std::string& given) {
  for (const Flag& flag : taken_flags()) {
    if (given.rfind(flag.name + "=", 0) == 0) return &flag;
  }
  return nullptr;
}

/// Google Benchmark's flags are global and stay as the last run left them: each of its own is set.
void initialize(const std::vector<std::string>& given, int64_t repetitions) {
  std::vector<std::string> flags = {"--benchmark_filter=.",
                                    "--benchmark_repetitions=" + std::to_string(repetitions)};
  for (const Flag& flag : taken_flags()) {
    if (!flag.usual.empty()) flags.push_back(flag.name + "=" + flag.usual);
  }
  for (const std::string& flag : given) {
    if (!taken(flag)->usual.empty()) flags.push_back(flag);
  }
  static std::string program = "convscope";  // whose address Google Benchmark keeps
  std::vector<char*> arguments = {program.data()};
  for (std::string& flag : flags) arguments.push_back(flag.data());
  arguments.push_back(nullptr);
  int count = static_cast<int>(flags.size()) + 1;
  gb::Initialize(&count, arguments.data());
}

/// What --benchmark_context says goes into the file.
nlohmann::ordered_json context_of(const std::vector<std::string>& flags) {
  nlohmann::ordered_json context = nlohmann::ordered_json::object();
  std::istringstream pairs(value_of(flags, "benchmark_context", ""));
  for (std::string pair; std::getline(pairs, pair, ',');) {
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      throw std::invalid_argument("--benchmark_context takes NAME=VALUE, not '" + pair + "'");
    }
    context[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return context;
}

int64_t repetitions_of(const std::vector<std::string>& flags, int64_t usual) {
  const std::string text = value_of(flags, "benchmark_repetitions", std::to_string(usual));
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > 10000) {
    throw std::invalid_argument("--benchmark_repetitions=" + text +
                                " is no number from 1 to 10000");
  }
  return count;
}

/// Shows nothing: the caller prints rows when they are known. Keeps Google Benchmark's records for
/// --benchmark_out, over several runs of it, of which each would begin the file anew.
class Recorder {
 public:
  explicit Recorder(const std::vector<std::string>& flags)
      : path_(value_of(flags, "benchmark_out", "")), context_(context_of(flags)) {
    if (path_.empty()) return;
    if (!std::ofstream(path_, std::ios::app)) {
      throw std::invalid_argument("cannot write '" + path_ + "'");
    }
  }

  /// One run of Google Benchmark.
  void run() {
    std::ostringstream text;
    gb::JSONReporter reporter;  // anew: it remembers that it has begun a list
    reporter.SetOutputStream(&text);
    reporter.SetErrorStream(&std::cerr);
    gb::RunSpecifiedBenchmarks(&reporter);
    if (path_.empty() || text.str().empty()) return;
    nlohmann::ordered_json part = nlohmann::ordered_json::parse(text.str());
    if (all_.is_null()) {
      all_ = std::move(part);
      all_["context"].update(context_);
    } else {
      for (auto& row : part["benchmarks"]) all_["benchmarks"].push_back(std::move(row));
    }
    std::ofstream(path_) << all_.dump(2) << "\n";
  }

 private:
  std::string path_;
  nlohmann::ordered_json context_;
  nlohmann::ordered_json all_;
};

/// Repetitions of all these cases in shuffled order.
void interleave(std::map<size_t, CaseRun>& runs, const BenchEvents& events, Recorder& recorder) {
  // Nothing is thrown through Google Benchmark.
  std::exception_ptr stopped;
  gb::ClearRegisteredBenchmarks();
  for (auto& [place, one] : runs) {
    CaseRun* run = &one;
    const auto body = [run, &events, &stopped](gb::State& state) {
      for ([[maybe_unused]] auto _ : state) {
        if (stopped || !run->failure().empty()) break;
        try {
          InterruptGuard::check();
          events.doing(run->bench_case(), "measuring");
          state.SetIterationTime(run->repetition());
        } catch (...) {
          stopped = std::current_exception();
        }
      }
      if (stopped) return state.SkipWithError("interrupted");
      if (!run->failure().empty()) return state.SkipWithError(run->failure().c_str());
      state.SetItemsProcessed(run->bench_case().batch);
    };
    gb::RegisterBenchmark(name_of(run->bench_case()).c_str(), body)
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(gb::kMillisecond);
  }
  recorder.run();
  gb::ClearRegisteredBenchmarks();
  if (stopped) std::rethrow_exception(stopped);
}

/// "7 of 10 blocks were disturbed (another process kept 0.9 cores busy)".
std::string what_disturbed(const std::vector<BenchBlock>& blocks) {
  const auto disturbed = [](const BenchBlock& block) { return block.disturbance.disturbed(); };
  const auto count = std::count_if(blocks.begin(), blocks.end(), disturbed);
  if (count == 0) return "";
  const auto first = std::find_if(blocks.begin(), blocks.end(), disturbed);
  return fmt::format("{} of {} blocks were disturbed ({})", count, blocks.size(),
                     first->disturbance.reason);
}

}  // namespace

BenchRule quick(BenchRule rule) {
  rule.quick = true;
  rule.warm_up = {0.1, 3, 1};
  rule.seconds = 0.3;
  rule.samples = 3;
  rule.repetitions = 3;
  rule.timeout = 1;
  return rule;
}

Measurement BenchResult::counted() const {
  struct Samples {
    std::vector<double> clean, disturbed;
  };
  std::map<int64_t, Samples> repetitions;
  for (const BenchBlock& block : blocks) {
    Samples& samples = repetitions[block.repetition];
    auto& ns = block.disturbance.disturbed() ? samples.disturbed : samples.clean;
    ns.insert(ns.end(), block.ns.begin(), block.ns.end());
  }
  const auto clean = static_cast<size_t>(
      std::count_if(repetitions.begin(), repetitions.end(),
                    [](const auto& numbered) { return !numbered.second.clean.empty(); }));
  const bool enough = clean >= enough_undisturbed || clean * 2 >= repetitions.size();
  Measurement measurement;
  for (auto& [number, samples] : repetitions) {
    const bool disturbed = samples.clean.empty();
    if (disturbed && enough) continue;
    measurement.repetitions.push_back(std::move(disturbed ? samples.disturbed : samples.clean));
    measurement.disturbed.push_back(disturbed);
  }
  return measurement;
}

void judge(BenchResult& result, const BenchRule& rule) {
  const Measurement counted = result.counted();
  result.summary = summarize(counted.repetitions);
  const bool means = std::any_of(result.blocks.begin(), result.blocks.end(),
                                 [](const BenchBlock& block) { return block.iterations > 1; });
  // The slowest iterations are not to be seen in means of several.
  if (means) result.summary.p90 = result.summary.p95 = result.summary.p99 = std::nullopt;
  const bool disturbed = std::count(counted.disturbed.begin(), counted.disturbed.end(), true) > 0;
  double seconds = 0;
  for (const BenchBlock& block : result.blocks) {
    if (disturbed || !block.disturbance.disturbed()) seconds += block.seconds;
  }
  std::vector<std::string> reasons;
  const auto say = [&](const std::string& reason) {
    if (!reason.empty()) reasons.push_back(reason);
  };
  const double half_width = relative_half_width(result.summary);
  // The negations hold for what is not a number, too.
  const bool precise = half_width <= rule.precision;
  const bool enough =
      static_cast<int64_t>(result.summary.samples) >= rule.samples && seconds >= 0.9 * rule.seconds;
  result.status = disturbed ? "disturbed" : rule.quick ? "quick" : "ok";
  if (!precise && !rule.quick) {
    if (!disturbed) result.status = "noisy";
    say(std::isfinite(half_width)
            ? fmt::format("the interval is {:.2g} % to either side after {:.2g} s",
                          100 * half_width, seconds)
            : "too few blocks for an interval");
  } else if (!enough && !rule.quick) {
    if (!disturbed) result.status = "noisy";
    say(fmt::format("only {} samples in {:.2g} s", result.summary.samples, seconds));
  }
  say(what_disturbed(result.blocks));
  if (result.enqueue_share > host_bound) {
    say(fmt::format("host-bound: handing work to the device takes {:.0f} % of the time",
                    100 * result.enqueue_share));
  }
  if (rule.quick && result.status != "quick") say("quick");
  result.reason = fmt::format("{}", fmt::join(reasons, "; "));
}

void check_benchmark_flags(const std::vector<std::string>& flags) {
  for (const std::string& flag : flags) {
    if (taken(flag)) continue;
    std::string names;
    for (const Flag& known : taken_flags()) names += (names.empty() ? "" : ", ") + known.name;
    throw std::invalid_argument("after --, '" + flag +
                                "' is not taken: write NAME=VALUE with one of " + names);
  }
  const std::string format = value_of(flags, "benchmark_out_format", "json");
  if (format != "json") {
    throw std::invalid_argument("--benchmark_out_format=" + format +
                                " is not taken: the file is json");
  }
  repetitions_of(flags, 1);
  context_of(flags);
}

std::vector<BenchCase> filtered(std::vector<BenchCase> cases,
                                const std::vector<std::string>& flags) {
  std::string pattern = value_of(flags, "benchmark_filter", ".");
  const bool without = !pattern.empty() && pattern[0] == '-';
  try {
    const std::regex regex(without ? pattern.substr(1) : pattern);
    cases.erase(std::remove_if(cases.begin(), cases.end(),
                               [&](const BenchCase& c) {
                                 return std::regex_search(name_of(c), regex) == without;
                               }),
                cases.end());
  } catch (const std::regex_error&) {
    throw std::invalid_argument("--benchmark_filter=" + pattern + " is no regular expression");
  }
  return cases;
}

size_t in_turns(const std::vector<BenchCase>& cases, size_t begin, const BenchRule& rule,
                int64_t available_bytes) {
  const size_t most = rule.in_process ? 1 : static_cast<size_t>(rule.interleave);
  const size_t end = std::min(begin + most, cases.size());
  int64_t free_bytes = available_bytes / 2;
  for (size_t i = begin; i < end; ++i) {
    if (cases[i].device == "cpu") free_bytes -= std::max<int64_t>(0, cases[i].predicted_peak_bytes);
    if (available_bytes >= 0 && free_bytes < 0 && i > begin) return i - begin;
  }
  return end - begin;
}

void measure(const std::vector<BenchCase>& cases, const BenchRule& given,
             const BenchEvents& events) {
  check_benchmark_flags(given.benchmark_flags);
  BenchRule rule = given;
  rule.repetitions = repetitions_of(rule.benchmark_flags, rule.repetitions);
  initialize(rule.benchmark_flags, rule.repetitions);
  Recorder recorder(rule.benchmark_flags);
  for (size_t begin = 0, end = 0; begin < cases.size(); begin = end) {
    end = begin + in_turns(cases, begin, rule, available_memory());
    std::map<size_t, CaseRun> runs;  // by their places among the cases
    const auto tell_of_finished = [&] {
      for (auto run = runs.begin(); run != runs.end();) {
        if (run->second.unfinished()) {
          ++run;
        } else {
          events.finished(run->first, run->second.finish());
          run = runs.erase(run);
        }
      }
    };
    for (size_t i = begin; i < end; ++i) {
      events.doing(cases[i], "warming up");
      InterruptGuard::check();
      runs.emplace(std::piecewise_construct, std::forward_as_tuple(i),
                   std::forward_as_tuple(cases[i], rule))
          .first->second.prepare();
    }
    tell_of_finished();  // those that failed
    while (!runs.empty()) {
      interleave(runs, events, recorder);
      tell_of_finished();
    }
  }
}

}  // namespace convscope

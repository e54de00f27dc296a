#include "suite/commands/bench_options.h"

#include <unistd.h>

#include <algorithm>
#include <boost/any.hpp>
#include <charconv>
#include <filesystem>
#include <limits>
#include <set>

#include "architectures/nearest.h"
#include "suite/analysis/cost.h"
#include "suite/analysis/memory.h"
#include "suite/analysis/network_trace.h"
#include "suite/report/text.h"
#include "suite/timing/machine_watch.h"
#include "suite/timing/process_memory.h"
#include "suite/timing/workload.h"

namespace convscope {
namespace {

constexpr int64_t largest_usual_batch = 64;
constexpr int64_t what_fits = 0;  // a batch that is still to be found

/// The values of an option, each one of these.
std::vector<std::string> choices(const Invocation& invocation, const std::string& option,
                                 const std::vector<std::string>& known,
                                 const std::string& missing) {
  std::vector<std::string> chosen = invocation.list(option);
  if (chosen.empty()) chosen = {missing};
  for (const std::string& choice : chosen) {
    if (std::count(known.begin(), known.end(), choice)) continue;
    throw UsageError("--" + option + " '" + choice + "' is none of: " + joined(known) +
                     did_you_mean(choice, known));
  }
  return chosen;
}

std::vector<std::string> devices(const Invocation& invocation) {
  std::vector<std::string> chosen = invocation.list("device");
  if (chosen.empty()) chosen = {"cpu"};
  for (const std::string& device : chosen) {
    const bool numbered = device.rfind("cuda:", 0) == 0 && device.size() > 5 && device.size() < 8 &&
                          device.find_first_not_of("0123456789", 5) == std::string::npos;
    if (device != "cpu" && device != "cuda" && !numbered) {
      throw UsageError("--device '" + device + "' is none of: cpu, cuda, cuda:0, cuda:1, ...");
    }
  }
  return chosen;
}

std::string mebibytes(int64_t bytes) {
  return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

/// What a case costs, from its graph.
struct Prediction {
  int64_t macs = 0;
  /// Of one float32 image: the frozen engine's, the eager one's in both layouts, a training step's.
  int64_t weight_bytes = 0, activation_bytes = 0, eager_bytes = 0, channels_last_bytes = 0,
          training_bytes = 0;
  std::string failure;

  int64_t peak_bytes(const BenchCase& c) const {
    if (c.mode == "loader") return -1;
    const bool trains = c.mode == "train";
    const int64_t image_bytes = trains                        ? training_bytes
                                : c.engine == "frozen"        ? activation_bytes
                                : c.layout == "channels_last" ? channels_last_bytes
                                                              : eager_bytes;
    // Each weight that is trained has its gradient and its momentum.
    const int64_t bytes = plus((trains ? 3 : 1) * weight_bytes, c.batch, image_bytes);
    return c.precision == "bfloat16" || c.precision == "float16" ? bytes / 2 : bytes;
  }

 private:
  /// At most the largest number that there is.
  static int64_t plus(int64_t fixed, int64_t count, int64_t of_each) {
    const int64_t most = std::numeric_limits<int64_t>::max() - fixed;
    return of_each > 0 && count > most / of_each ? fixed + most : fixed + count * of_each;
  }
};

Prediction predict(const NetworkCase& network) {
  Prediction prediction;
  prediction.failure = network.refusal;
  if (!prediction.failure.empty()) return prediction;
  try {
    const Graph graph = trace_network(network.architecture, network.settings);
    const Cost all = cost(graph);
    prediction.macs = all.macs;
    prediction.weight_bytes = all.weight_bytes;
    prediction.activation_bytes = all.peak_activation_bytes;
    prediction.eager_bytes = eager_activation_memory(graph, /*channels_last=*/false);
    prediction.channels_last_bytes = eager_activation_memory(graph, /*channels_last=*/true);
    prediction.training_bytes = training_activation_memory(graph);
  } catch (const std::invalid_argument& error) {
    prediction.failure = error.what();
  }
  return prediction;
}

/// The largest power of two that needs less than half of the memory; more images at once than 64
/// are hardly ever quicker on a CPU.
int64_t batch_that_fits(BenchCase c, const Prediction& prediction) {
  const int64_t available = missing_device(c.device).empty() ? available_memory_of(c.device) : -1;
  for (c.batch = largest_usual_batch; c.batch > 1; c.batch /= 2) {
    if (available < 0 || prediction.peak_bytes(c) <= available / 2) break;
  }
  return c.batch;
}

/// Why this machine cannot measure it.
std::string refusal_here(const BenchCase& c) {
  std::string refusal = refusal_of(c);
  if (!refusal.empty()) return refusal;
  refusal = missing_device(c.device);
  if (!refusal.empty()) return refusal;
  const int cores = cores_of_this_process().usable();
  if (c.threads > cores && c.mode != "loader") {
    return std::to_string(c.threads) +
           " threads would wait for each other: " + std::to_string(cores) +
           (cores == 1 ? " core is" : " cores are") + " usable here";
  }
  const int64_t available = available_memory();
  if (c.device == "cpu" && available >= 0 && c.predicted_peak_bytes > available) {
    return "a batch of " + std::to_string(c.batch) + " does not fit: it needs about " +
           mebibytes(c.predicted_peak_bytes) + ", and " + mebibytes(available) + " are available";
  }
  if (c.mode == "loader" && c.data.empty()) {
    return "--mode loader needs --data: a folder of images, as evaluate takes it";
  }
  return "";
}

}  // namespace

void add_bench_case_options(po::options_description& options) {
  add_network_options(options);
  add_module_option(options);
  options.add_options()  //
      ("batch,b", list_value(),
       "images at a time: 1,8,64 or 1-64*2 (default: 1; for throughput, what fits)")(
          "threads,t", list_value(), "threads that compute: 1,2 or 1-16*2 (default: 1)")(
          "device", list_value(), "cpu, cuda or cuda:N (default: cpu)")(
          "precision", list_value(),
          "float32, bfloat16; on a GPU also float16, tf32 (default: float32)")(
          "layout", list_value(), "contiguous, channels_last (default: contiguous)")(
          "engine", list_value(),
          "eager, or frozen: batch norm folded, laid out for the machine (default: eager)")(
          "mode", list_value(), "inference, train or loader (default: inference)")(
          "scenario", text_value(),
          "latency: one image after another; throughput: batches (default: by the batch)")(
          "data", text_value(), "of --mode loader: the images, as evaluate takes them");
}

void add_bench_rule_options(po::options_description& options) {
  options.add_options()  //
      ("quick", po::bool_switch(),
       "a first look: 0.3 seconds each unless said otherwise; the rows say so")(
          "min-time", text_value("3"), "seconds of samples of each case, at least")(
          "max-noise", text_value("1"),
          "go on until the median is known to so many percent to either side")(
          "timeout", text_value("30"), "or until so many seconds of samples; the row says noisy")(
          "warmup", text_value("0.5"), "seconds, at least; it ends when times no longer drift")(
          "in-process", po::bool_switch(), "all in this process instead of one for each case")(
          "interleave", text_value("8"), "cases at a time whose repetitions are shuffled")(
          "program", text_value(), "FILE: measure this convscope instead, another branch's")(
          "benchmark-flag", list_value(),
          "a flag for Google Benchmark; also what follows --, as in -- --benchmark_repetitions=12");
}

bool typed(const Invocation& invocation, const std::string& option) {
  const auto& words = invocation.arguments;
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return word == "--" + option || word.rfind("--" + option + "=", 0) == 0;
  });
}

bool given(const Invocation& invocation, const std::string& option) {
  const po::variable_value& value = invocation.values[option];
  if (value.empty() || value.defaulted()) return false;
  if (value.value().type() == typeid(bool)) return invocation.flag(option);
  if (value.value().type() != typeid(std::string) || typed(invocation, option)) return true;
  boost::any usual;
  invocation.command.options.find(option, false).semantic()->apply_default(usual);
  return invocation.text(option) != boost::any_cast<std::string>(usual);
}

std::vector<PlannedCase> planned_cases(const Invocation& invocation,
                                       const std::vector<NetworkCase>& networks) {
  const auto or_one = [](std::vector<int64_t> numbers) {
    return numbers.empty() ? std::vector<int64_t>{1} : numbers;
  };
  const std::string& scenario = invocation.text("scenario");
  if (!scenario.empty() && scenario != "latency" && scenario != "throughput") {
    throw UsageError("--scenario '" + scenario + "' is none of: latency, throughput" +
                     did_you_mean(scenario, {"latency", "throughput"}));
  }
  std::vector<int64_t> batches = positive_integers(invocation, "batch");
  if (batches.empty()) batches = {scenario == "throughput" ? what_fits : 1};
  const auto threads = or_one(positive_integers(invocation, "threads"));
  const auto chosen_devices = devices(invocation);
  const auto precisions =
      choices(invocation, "precision", {"float32", "bfloat16", "float16", "tf32"}, "float32");
  const auto layouts = choices(invocation, "layout", {"contiguous", "channels_last"}, "contiguous");
  const auto engines = choices(invocation, "engine", {"eager", "frozen"}, "eager");
  const auto modes = choices(invocation, "mode", {"inference", "train", "loader"}, "inference");

  const std::string& program = invocation.text("program");
  if (!program.empty() &&
      (!std::filesystem::is_regular_file(program) || access(program.c_str(), X_OK) != 0)) {
    throw UsageError("--program '" + program + "' is no program that can be started");
  }

  std::vector<PlannedCase> cases;
  std::set<std::string> names;
  std::set<int64_t> checked_channels;
  const auto add = [&](BenchCase c, const Prediction& prediction) {
    c.data = invocation.text("data");
    c.program = program;
    if (c.batch == what_fits) c.batch = batch_that_fits(c, prediction);
    c.scenario = !scenario.empty() ? scenario : c.batch == 1 ? "latency" : "throughput";
    const auto peak_of = [c, prediction](int64_t batch) {
      BenchCase other = c;
      other.batch = batch;
      return prediction.peak_bytes(other);
    };
    c.predicted_peak_bytes = prediction.peak_bytes(c);
    if (!names.insert(name_of(c)).second) return;  // asked for twice
    PlannedCase planned{c, prediction.macs, peak_of, prediction.failure};
    if (planned.refusal.empty()) planned.refusal = refusal_here(c);
    if (c.mode == "loader" && planned.refusal.empty() &&
        checked_channels.insert(c.settings.image.channels).second) {
      check_data(c);
    }
    cases.push_back(planned);
  };
  for (const NetworkCase& network : networks) {
    const Prediction prediction = predict(network);
    BenchCase c;
    c.architecture = network.architecture;
    c.settings = network.settings;
    for (const std::string& mode : modes)
      for (const int64_t batch : batches)
        for (const int64_t thread : threads)
          for (const std::string& device : chosen_devices)
            for (const std::string& precision : precisions)
              for (const std::string& layout : layouts)
                for (const std::string& engine : engines) {
                  c.mode = mode;
                  c.batch = batch;
                  c.threads = static_cast<int>(thread);
                  c.device = device;
                  c.precision = precision;
                  c.layout = layout;
                  c.engine = engine;
                  add(c, prediction);
                }
  }
  return cases;
}

void require_some_case(const std::vector<PlannedCase>& cases) {
  const auto refused = [](const PlannedCase& planned) { return !planned.refusal.empty(); };
  if (std::all_of(cases.begin(), cases.end(), refused)) throw UsageError(cases.at(0).refusal);
}

double positive_number(const Invocation& invocation, const std::string& option, double largest) {
  const std::string& text = invocation.text(option);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !(number > 0) ||
      number > largest) {
    throw UsageError("--" + option + " '" + text + "' is no number above 0, up to " +
                     std::to_string(static_cast<int64_t>(largest)));
  }
  return number;
}

BenchRule bench_rule(const Invocation& invocation) {
  BenchRule rule = invocation.flag("quick") ? quick({}) : BenchRule();
  // What somebody says goes before what is quick.
  const auto set = [&](const std::string& option, double largest, double& field) {
    const double number = positive_number(invocation, option, largest);
    if (!rule.quick || given(invocation, option)) field = number;
  };
  set("min-time", 3600, rule.seconds);
  set("timeout", 36000, rule.timeout);
  rule.timeout = std::max(rule.timeout, rule.seconds);
  set("warmup", 3600, rule.warm_up.seconds);
  rule.warm_up.limit_s = std::max(rule.warm_up.limit_s, rule.warm_up.seconds);
  rule.precision = positive_number(invocation, "max-noise", 100) / 100;
  rule.in_process = invocation.flag("in-process");
  rule.interleave = positive_integer(invocation, "interleave");
  if (rule.in_process && !invocation.text("program").empty()) {
    throw UsageError("--in-process measures this program, not --program");
  }
  if (invocation.values.count("benchmark-flag")) {
    rule.benchmark_flags = invocation.values["benchmark-flag"].as<std::vector<std::string>>();
    check_benchmark_flags(rule.benchmark_flags);
  }
  return rule;
}

}  // namespace convscope

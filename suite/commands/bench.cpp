// convscope bench: how fast networks are on this machine, and why.
#include <algorithm>

#include "suite/commands/bench_layers.h"
#include "suite/commands/bench_operators.h"
#include "suite/commands/bench_ranking.h"
#include "suite/commands/command.h"
#include "suite/commands/network_options.h"
#include "suite/commands/output.h"

namespace convscope {
namespace {

constexpr PassPlan quick_passes = {10, 1, 0.3, 0.1};
constexpr RoundPlan quick_rounds = {10, 0.01, 3, 0};

std::vector<std::string> one_of(const Invocation& invocation, const std::string& option,
                                const std::vector<std::string>& known) {
  std::vector<std::string> values = invocation.list(option);
  if (values.empty()) values = {known[0]};
  for (const std::string& value : values) {
    if (std::count(known.begin(), known.end(), value)) continue;
    std::string all;
    for (const std::string& name : known) all += (all.empty() ? "" : " or ") + name;
    throw UsageError("--" + option + " '" + value + "' is not " + all);
  }
  return values;
}

int run(const Invocation& invocation) {
  if (!invocation.text("ranking").empty()) {
    return print_ranking(invocation, invocation.text("ranking"));
  }
  const auto engines = one_of(invocation, "engine", {"eager", "frozen"});
  const auto layouts = one_of(invocation, "layout", {"contiguous", "channels_last"});
  const auto threads = static_cast<int>(positive_integer(invocation, "threads"));
  const int64_t batch = positive_integer(invocation, "batch");
  if (invocation.flag("operators")) {
    return print_operator_times(invocation, engines, threads, batch, layouts[0],
                                invocation.flag("quick") ? quick_rounds : RoundPlan());
  }
  if (!invocation.flag("layers"))
    throw UsageError("bench needs --layers, --operators or --ranking");
  std::vector<BenchCase> cases;
  for (const NetworkCase& network : network_cases(invocation)) {
    if (!network.refusal.empty()) throw UsageError(network.refusal);
    for (const std::string& engine : engines) {
      BenchCase bench_case;
      bench_case.architecture = network.architecture;
      bench_case.settings = network.settings;
      bench_case.threads = threads;
      bench_case.batch = batch;
      bench_case.layout = layouts[0];
      bench_case.engine = engine;
      bench_case.scenario = batch == 1 ? "latency" : "throughput";
      cases.push_back(std::move(bench_case));
    }
  }
  return print_layer_times(invocation, cases, {},
                           invocation.flag("quick") ? quick_passes : PassPlan());
}

}  // namespace

Command bench_command() {
  Command command{"bench",
                  "how fast networks are on this machine, and why",
                  "convscope bench resnet50 --layers",
                  {},
                  {"model"},
                  run};
  add_network_options(command.options);
  command.options.add_options()  //
      ("threads,t", text_value("1"), "that compute")("batch,b", text_value("1"), "images at once")(
          "engine", list_value(), "eager, frozen (default: eager)")(
          "layout", list_value(), "contiguous or channels_last (default: contiguous)")(
          "layers", po::bool_switch(), "where the time goes: a row for each operation")(
          "operators", po::bool_switch(),
          "the textbook table: one layer's worth of work done in different ways, timed")(
          "ranking", text_value(),
          "FILE: a bench.csv; how latency ranks with MACs, and the pairs that MACs order wrongly")(
          "quick", po::bool_switch(), "a tenth of the time, for a first look")(
          "results", text_value(), "DIR: also write records there");
  add_variant_options(command.options, "--operators");
  add_output_options(command.options);
  return command;
}

}  // namespace convscope
